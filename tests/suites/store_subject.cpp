// SPDX-License-Identifier: Apache-2.0
//
// See store_subject.h.
#include "tests/suites/store_subject.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "tests/folders.h"

namespace cb::test {

namespace {

uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

plugin::LoadOptions load_options() {
  plugin::LoadOptions options;
  options.folder = test::plugins();
  options.check_owner = false;
  options.probe_unknown = false;
  return options;
}

plugin::HostServices services() {
  plugin::HostServices made;
  made.clock = &os::system_clock();
  made.random = [](const std::string&) -> os::Random& { return os::system_random(); };
  made.host_name = "store-suite";
  made.host_version = "1";
  return made;
}

// What a program prints, as a number.
size_t number_printed_by(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  unsigned long number = 0;
  if (!pipe || std::fscanf(pipe.get(), "%lu", &number) != 1) std::abort();
  return number;
}

}  // namespace

TemporaryFolder::TemporaryFolder(const os::Path& parent) {
  std::string name = (parent.empty() ? std::filesystem::temp_directory_path() : parent) /
                     "cyberbackup-store-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Subject::Subject(const std::string& plugin, os::Path folder)
    : filter_(plugin.substr(0, plugin.find('+') == std::string::npos ? 0 : plugin.find('+'))),
      plugin_(plugin.substr(plugin.find('+') + 1)),
      place_(plugin_ == "store-fs" ? folder / "store" : folder / "store.db"),
      registry_(std::make_unique<plugin::Registry>(services(), load_options())) {
  for (const std::string& id : {plugin_, filter_}) {
    if (id.empty()) continue;
    const Status loaded = registry_->load(id);
    if (loaded) continue;
    std::fprintf(stderr, "%s\n", loaded.error().text().c_str());
    std::abort();
  }
}

Result<plugin::Store> Subject::open(const std::map<std::string, std::string>& more) {
  std::map<std::string, std::string> written = more;
  written[is_fs() ? "folder" : "file"] = place_.string();
  CB_ASSIGN(const config::Schema* schema, registry_->schema(plugin_));
  CB_ASSIGN(const config::Values values, config::values_from(*schema, written));
  CB_ASSIGN(plugin::Store store, registry_->make_store(plugin_, values));
  if (!is_filtered()) return store;
  CB_ASSIGN(const config::Schema* filter, registry_->schema(filter_));
  CB_ASSIGN(const config::Values defaults, config::values_from(*filter, {}));
  return registry_->make_store(filter_, defaults, store.instance());
}

size_t Subject::leftovers() const {
  if (!is_fs())
    return number_printed_by(test::program("store-sqlite-leftovers") + " " + place_.string());
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(place_ / "tmp"),
                                           std::filesystem::directory_iterator()));
}

Bytes pattern(uint64_t seed, uint64_t offset, size_t size) {
  Bytes bytes(size);
  for (size_t i = 0; i < size;) {
    const uint64_t at = offset + i;
    std::array<std::byte, 8> word{};
    store_le(word.data(), mix(seed + at / 8 * 0x2545f4914f6cdd1du));
    for (size_t inside = at % 8; inside < 8 && i < size; ++inside, ++i) bytes[i] = word[inside];
  }
  return bytes;
}

Status write_pattern(plugin::Put& put, uint64_t seed, uint64_t from, uint64_t to) {
  constexpr std::array<uint64_t, 5> kSteps = {65536, 1, 99'991, 4096, 300'007};
  for (size_t i = 0; from < to; ++i) {
    const uint64_t step = std::min(kSteps[i % kSteps.size()], to - from);
    CB_TRY(put.write(pattern(seed, from, static_cast<size_t>(step))));
    from += step;
  }
  return {};
}

Status put(plugin::Store& store, const std::string& name, uint64_t seed, uint64_t size,
           bool if_absent) {
  CB_ASSIGN(plugin::Put made, store.put_begin(name, 0, if_absent));
  CB_TRY(write_pattern(made, seed, 0, size));
  return made.commit();
}

Result<Bytes> read_all(plugin::Get& get, size_t step) {
  Bytes all;
  Bytes piece(step);
  for (;;) {
    CB_ASSIGN(const size_t got, get.read(piece));
    if (got == 0) return all;
    all.insert(all.end(), piece.begin(), piece.begin() + static_cast<ptrdiff_t>(got));
  }
}

Result<Bytes> read_object(plugin::Store& store, const std::string& name, uint64_t offset,
                          uint64_t length) {
  CB_ASSIGN(plugin::Get get, store.get_open(name, offset, length));
  return read_all(get);
}

Result<std::vector<std::string>> names(plugin::Store& store, const std::string& prefix,
                                       const std::string& after) {
  CB_ASSIGN(plugin::List list, store.list_open(prefix, after));
  std::vector<std::string> found;
  for (;;) {
    CB_ASSIGN(const std::optional<plugin::StoredObject> object, list.next());
    if (!object) return found;
    found.push_back(object->name);
  }
}

}  // namespace cb::test
