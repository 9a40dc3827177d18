// SPDX-License-Identifier: Apache-2.0
//
// The author's own test: loads the module as a host does and uses it. Usage: store_files_test
// ./store-files.so. What every store must do is cyberbackup-plugin-check's work; here is what only
// this one does. One thread.
#include <dlfcn.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "cyberbackup/store.h"

namespace fs = std::filesystem;

namespace {

int failures = 0;

#define EXPECT(condition)                                              \
  do {                                                                 \
    if (!(condition)) {                                                \
      ++failures;                                                      \
      std::fprintf(stderr, "line %d: not %s\n", __LINE__, #condition); \
    }                                                                  \
  } while (false)

// As much of a host as the plugin uses.
void log(void*, int32_t, const char*, size_t) {}

cb_status random_bytes(void*, void* out, size_t len) {
  std::random_device device;
  for (size_t i = 0; i < len; ++i) static_cast<unsigned char*>(out)[i] = device() & 0xFF;
  return CB_OK;
}

constexpr cb_host kHost = {.size = sizeof(cb_host),
                           .abi_minor = CB_ABI_MINOR,
                           .ctx = nullptr,
                           .name = "test",
                           .version = "1",
                           .log = log,
                           .random = random_bytes,
                           .monotonic_ns = nullptr,
                           .cancelled = nullptr,
                           .service = nullptr};

// The values of all options, as a host hands them over; `folder` is borrowed.
struct Values {
  explicit Values(const char* folder)
      : values{
            {CB_OPTION_PATH, 1, 0, folder, std::strlen(folder)},
            {CB_OPTION_BOOL, 1, 1, nullptr, 0},
        } {}
  std::vector<cb_value> values;
  cb_config config = {sizeof(cb_config), sizeof(cb_value), static_cast<uint32_t>(values.size()), 0,
                      values.data()};
};

class Store {
 public:
  Store(const cb_descriptor& plugin, const fs::path& folder)
      : plugin_(plugin), ops(*static_cast<const cb_store_ops*>(plugin.ops)) {
    const Values values(folder.c_str());
    status = plugin_.create(&kHost, &values.config, &instance, nullptr);
  }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store() { plugin_.destroy(instance); }

  cb_status put(const char* name, const std::string& text) {
    cb_put* put = nullptr;
    const cb_status begun = ops.put_begin(instance, name, 0, 0, &put, nullptr);
    if (begun != CB_OK) return begun;
    EXPECT(ops.put_write(put, text.data(), text.size(), nullptr) == CB_OK);
    return ops.put_commit(put, nullptr);
  }

  std::string get(const char* name) {
    cb_get* get = nullptr;
    if (ops.get_open(instance, name, 0, 0, &get, nullptr) != CB_OK) return "(nothing)";
    std::string text(100, '\0');
    size_t got = 0;
    EXPECT(ops.get_read(get, text.data(), text.size(), &got, nullptr) == CB_OK);
    ops.get_close(get);
    text.resize(got);
    return text;
  }

 private:
  const cb_descriptor& plugin_;

 public:
  const cb_store_ops& ops;
  cb_instance* instance = nullptr;
  cb_status status = CB_E_INTERNAL;
};

void an_object_comes_back_as_a_file_of_its_name(const cb_descriptor& plugin, const fs::path& at) {
  Store store(plugin, at);
  EXPECT(store.status == CB_OK);
  EXPECT(store.put("packs/ab/12", "hello") == CB_OK);
  EXPECT(store.get("packs/ab/12") == "hello");
  std::string content;
  std::ifstream(at / "objects" / "packs,ab,12") >> content;
  EXPECT(content == "hello");
}

void unfinished_objects_of_the_dead_are_removed(const cb_descriptor& plugin, const fs::path& at) {
  Store store(plugin, at);
  std::ofstream(at / "tmp" / "4711") << "half";
  std::ofstream(at / "tmp" / "notes") << "of somebody";
  cb_put* mine = nullptr;
  EXPECT(store.ops.put_begin(store.instance, "mine", 0, 0, &mine, nullptr) == CB_OK);
  {
    Store second(plugin, at);
    EXPECT(second.status == CB_OK);
  }
  EXPECT(!fs::exists(at / "tmp" / "4711"));
  EXPECT(store.ops.put_commit(mine, nullptr) == CB_OK);
  EXPECT(fs::remove(at / "tmp" / "notes") && fs::is_empty(at / "tmp"));
}

void strange_files_are_not_listed(const cb_descriptor& plugin, const fs::path& at) {
  Store store(plugin, at);
  std::ofstream(at / "objects" / "NOT A NAME") << "x";
  fs::create_directory(at / "objects" / "folder");
  EXPECT(store.put("only", "x") == CB_OK);
  cb_list* list = nullptr;
  cb_object object{};
  object.size = sizeof object;
  EXPECT(store.ops.list_open(store.instance, "", "", &list, nullptr) == CB_OK);
  EXPECT(store.ops.list_next(list, &object, nullptr) == CB_OK);
  EXPECT(std::strcmp(object.name, "only") == 0);
  EXPECT(store.ops.list_next(list, &object, nullptr) == CB_END);
  store.ops.list_close(list);
}

void the_root_folder_is_refused(const cb_descriptor& plugin, const fs::path&) {
  const Values root("/");
  EXPECT(plugin.check(&root.config, nullptr) == CB_E_INVALID);
}

int run(const cb_entry& entry) {
  uint32_t offered = 0;
  const cb_descriptor& plugin = *entry.descriptors(&offered)[0];
  std::string pattern = (fs::temp_directory_path() / "store-files-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return 2;
  const fs::path folder = pattern;
  int number = 0;
  for (const auto test :
       {an_object_comes_back_as_a_file_of_its_name, unfinished_objects_of_the_dead_are_removed,
        strange_files_are_not_listed, the_root_folder_is_refused})
    test(plugin, folder / std::to_string(number++));
  fs::remove_all(folder);
  std::printf("store_files_test: %d tests, %d failures\n", number, failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  void* module = count == 2 ? ::dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : nullptr;
  const void* entry = module == nullptr ? nullptr : ::dlsym(module, CB_ENTRY_SYMBOL);
  if (entry != nullptr) return run(*static_cast<const cb_entry*>(entry));
  std::fprintf(stderr, "no plugin loaded: %s\n", count == 2 ? ::dlerror() : "name one .so file");
  return 2;
}
