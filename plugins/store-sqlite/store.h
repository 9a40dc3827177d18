// SPDX-License-Identifier: Apache-2.0
//
// The store: one database file (see schema.h). Thread-safe, as are other processes on the same
// file; Put, Get and List are used by one thread at a time each and end before the store.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cyberbackup/cpp/config.hpp"
#include "cyberbackup/cpp/host.hpp"
#include "cyberbackup/store.h"
#include "get.h"
#include "list.h"
#include "lock_file.h"
#include "purger.h"
#include "put.h"
#include "readers.h"
#include "writer.h"

namespace store_sqlite {

// The options, by position in the descriptor.
enum OptionIndex : size_t { kFile, kCreate, kSegment, kLogLimit, kBusyTimeout, kReaders };

class Store {
 public:
  using Put = store_sqlite::Put;
  using Get = store_sqlite::Get;
  using List = store_sqlite::List;

  // Opens or makes the file and cleans up after stores that are gone.
  Store(const cyberbackup::sdk::Host& host, const cyberbackup::sdk::Config& config);

  void stat(std::string_view name, cb_object& out);
  std::unique_ptr<Put> put_begin(std::string_view name, uint64_t hint, uint32_t flags);
  std::unique_ptr<Get> get_open(std::string_view name, uint64_t offset, uint64_t length);
  void remove(std::string_view name);
  std::unique_ptr<List> list_open(std::string_view prefix, std::string_view after);
  void space(cb_space& out);

  // For the handles.
  [[nodiscard]] Writer& writer() { return writer_; }
  [[nodiscard]] Readers& readers() { return readers_; }
  [[nodiscard]] Purger& purger() { return purger_; }
  [[nodiscard]] LockFile& locks() { return locks_; }
  [[nodiscard]] int64_t owner() const { return owner_; }
  [[nodiscard]] size_t segment_size() const { return segment_size_; }

 private:
  struct Found {
    int64_t content = 0;
    uint64_t length = 0;
    uint64_t segment_size = 0;
    int64_t modified_ns = 0;
  };
  // What the name stands for now; throws CB_E_NOT_FOUND.
  Found find(Connection& file, std::string_view name);

  const Opening opening_;
  const size_t segment_size_;
  LockFile locks_;
  int64_t owner_ = 0;
  Writer writer_;
  Readers readers_;
  Purger purger_;
};

}  // namespace store_sqlite
