// SPDX-License-Identifier: Apache-2.0
//
// The store: one folder with `objects` (see layout.h), `tmp` for objects being written and
// `layout`, which says how the store was made. Thread-safe, as are other processes on the same
// folder; Put, Get and List are used by one thread at a time each and end before the store.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "cyberbackup/cpp/config.hpp"
#include "cyberbackup/cpp/host.hpp"
#include "cyberbackup/store.h"
#include "descriptor.h"
#include "get.h"
#include "layout.h"
#include "list.h"
#include "owner.h"
#include "put.h"

namespace store_fs {

// The options, by position in the descriptor.
enum OptionIndex : size_t { kFolder, kCreate, kFanOut, kLeftoverAge };

class Store {
 public:
  using Put = store_fs::Put;
  using Get = store_fs::Get;
  using List = store_fs::List;

  // Opens or makes the store and removes what crashed processes left.
  Store(const cyberbackup::sdk::Host& host, const cyberbackup::sdk::Config& config);

  void stat(std::string_view name, cb_object& out);
  std::unique_ptr<Put> put_begin(std::string_view name, uint64_t hint, uint32_t flags);
  std::unique_ptr<Get> get_open(std::string_view name, uint64_t offset, uint64_t length);
  void remove(std::string_view name);
  std::unique_ptr<List> list_open(std::string_view prefix, std::string_view after);
  void space(cb_space& out);

  // For Put: a new empty file among the temporaries, and the folder that holds them.
  Descriptor make_temporary(std::string& name);
  [[nodiscard]] int temporaries() const { return temporaries_.get(); }

  // For Put: moves the temporary `from`, whose content is durable, to where `name` belongs,
  // durably. CB_E_EXISTS when `if_absent` and the name is taken.
  void publish(const std::string& from, const std::string& name, bool if_absent);

 private:
  // The folder that holds the file of `place`; an empty Descriptor when there is none.
  [[nodiscard]] Descriptor find_folder(const Place& place) const;
  // The same folder, made with those above it where missing; all of them are durable.
  Descriptor make_folders(const Place& place);
  [[nodiscard]] Descriptor open_object(std::string_view name, struct ::stat& info) const;
  void open_root(const std::string& path, bool create);
  void settle_layout(size_t fan_out);
  void write_layout(size_t fan_out);

  cyberbackup::sdk::Host host_;
  std::string path_;
  size_t fan_out_ = 0;
  Owner self_;
  Descriptor root_;
  Descriptor objects_;
  Descriptor temporaries_;
  std::atomic<uint64_t> temporary_count_ = 0;
  uint64_t temporary_start_ = 0;

  std::mutex mutex_;
  // Under mutex_: folders below `objects` whose entry in their parent is known to be durable.
  std::unordered_set<std::string> durable_;
};

}  // namespace store_fs
