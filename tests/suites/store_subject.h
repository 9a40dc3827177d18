// SPDX-License-Identifier: Apache-2.0
//
// The stores under test, opened through the real loader, and objects whose bytes follow from a
// number so that any part of them can be checked. A Subject is used by one thread at a time; the
// Stores it makes may be used by several.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/os/file_system.h"
#include "core/plugin/registry.h"
#include "core/plugin/store.h"

namespace cb::test {

// An empty folder of its own, removed with all it holds at the end.
class TemporaryFolder {
 public:
  // Below `parent`, or below the system's folder for such when empty.
  explicit TemporaryFolder(const os::Path& parent = {});
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  [[nodiscard]] const os::Path& path() const { return path_; }

 private:
  os::Path path_;
};

// One kind of store in one place.
class Subject {
 public:
  // `plugin` is store-fs or store-sqlite, or one of them below a filter: "store-fault+store-fs".
  // The store lies in `folder`.
  Subject(const std::string& plugin, os::Path folder);

  // Opens the store anew; `more` are further options of the store itself, not of a filter. Several
  // may be open at once.
  Result<plugin::Store> open(const std::map<std::string, std::string>& more = {});

  // The store's folder or file.
  [[nodiscard]] const os::Path& place() const { return place_; }
  [[nodiscard]] bool is_fs() const { return plugin_ == "store-fs"; }
  [[nodiscard]] bool is_filtered() const { return !filter_.empty(); }

  // Traces of objects that are neither visible nor read: temporary files, or contents and segments.
  // Looks past the plugin.
  [[nodiscard]] size_t leftovers() const;

 private:
  std::string filter_;  // empty: none
  std::string plugin_;
  os::Path place_;
  std::unique_ptr<plugin::Registry> registry_;
};

// Bytes [offset, offset + size) of the endless text that `seed` stands for.
Bytes pattern(uint64_t seed, uint64_t offset, size_t size);

// Puts an object of `size` bytes of pattern(seed), written in uneven pieces.
Status put(plugin::Store& store, const std::string& name, uint64_t seed, uint64_t size,
           bool if_absent = false);

// Writes bytes [from, to) of pattern(seed).
Status write_pattern(plugin::Put& put, uint64_t seed, uint64_t from, uint64_t to);

// All bytes that a get delivers, read in pieces of `step` bytes.
Result<Bytes> read_all(plugin::Get& get, size_t step = 100'000);
Result<Bytes> read_object(plugin::Store& store, const std::string& name, uint64_t offset = 0,
                          uint64_t length = 0);

// The names of a listing, in its order.
Result<std::vector<std::string>> names(plugin::Store& store, const std::string& prefix = {},
                                       const std::string& after = {});

}  // namespace cb::test
