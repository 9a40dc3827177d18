// SPDX-License-Identifier: Apache-2.0
//
// Any text as an object's name and as names that somebody left in the folder of store-fs: what is
// allowed is stored, listed and given back, and nothing is ever written beside the store.
#include <filesystem>
#include <fstream>

#include "core/plugin/store.h"
#include "tests/plugin-bytes/plugins.h"

using namespace cb;
using conversation::must;
using conversation::require;

namespace {

namespace fs = std::filesystem;

class Place {
 public:
  Place() : home_(conversation::scratch_folder("store-fuzz")) { begin_anew(); }
  ~Place() {
    store_.reset();
    std::error_code ignored;
    fs::remove_all(home_, ignored);
  }

  void begin_anew() {
    store_.reset();
    fs::remove_all(home_ / "store");
    const auto options = test::options_of("store-fs", {{"folder", (home_ / "store").string()}});
    store_.emplace(must(test::plugin_registry().make_store("store-fs", options)));
  }

  plugin::Store& store() { return *store_; }
  [[nodiscard]] fs::path folder() const { return home_ / "store"; }
  void check_beside() const {
    size_t count = 0;
    for (const auto& entry : fs::directory_iterator(home_)) count += entry.exists() ? 1 : 1;
    require(count == 1, "something was written beside the store");
  }

 private:
  const fs::path home_;
  std::optional<plugin::Store> store_;
};

size_t list_all(plugin::Store& store) {
  plugin::List list = must(store.list_open());
  size_t count = 0;
  std::string last;
  for (;;) {
    const auto next = list.next();
    if (!next || !*next) return count;
    require(plugin::is_store_name((*next)->name), "a name is listed that none may have");
    require(last < (*next)->name, "names are listed out of their order, or twice");
    last = (*next)->name;
    ++count;
  }
}

// `text` is a name.
void use_name(Place& place, const std::string& name) {
  plugin::Store& store = place.store();
  const bool is_allowed = plugin::is_store_name(name);
  auto put = store.put_begin(name);
  if (put && put->write(as_bytes("content")) && put->commit()) {
    require(is_allowed, "an object got a name that none may have");
    require(must(store.stat(name)).length == 7, "an object has another size");
    require(list_all(store) == 1, "an object that is there is not listed");
    must(store.remove(name));
  }
  require(!store.stat(name), "an object is there that was removed");
  require(list_all(store) == 0, "an empty store lists something");
}

// Each line is a file or, with a slash at its end, a folder that somebody made.
void find_leftovers(Place& place, const std::string& text) {
  size_t at = 0;
  for (int lines = 0; at < text.size() && lines < 20; ++lines) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    const fs::path path = (place.folder() / fs::path(line).relative_path()).lexically_normal();
    const std::string inside = place.folder().string() + "/";
    if (line.empty() || line.find('\0') != std::string::npos || path.string().size() > 900 ||
        !path.string().starts_with(inside))
      continue;
    std::error_code ignored;
    fs::create_directories(line.back() == '/' ? path : path.parent_path(), ignored);
    if (line.back() != '/') std::ofstream(path) << "left";
  }
  (void)list_all(place.store());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Place place;
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'n') use_name(place, text);
  if (data[0] == 'f') {
    find_leftovers(place, text);
    place.begin_anew();
  }
  place.check_beside();
  test::check_plugins();
  return 0;
}
