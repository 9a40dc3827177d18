// SPDX-License-Identifier: Apache-2.0
//
// The one connection that writes. Transactions are short and come one after the other; a checkpoint
// after some of them keeps the write-ahead log small. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "cyberbackup/cpp/host.hpp"
#include "schema.h"

namespace store_sqlite {

// Space of the file system that holds the database, in bytes.
struct DiskSpace {
  uint64_t total = 0;
  uint64_t free = 0;
};

class Writer {
 public:
  // `log_limit`: bytes in the write-ahead log at which it is moved into the file.
  Writer(const cyberbackup::sdk::Host& host, const Opening& opening, uint64_t log_limit);

  using Body = std::function<void(Connection&)>;

  // Runs `body` in a transaction that a loss of power may undo, whole.
  void quick(const Body& body);
  // Runs `body` in a transaction that is durable when this returns, as are all quick ones before.
  void durable(const Body& body);

  // Runs `body` outside of a transaction: for reading what only writers ask, and for pragmas.
  void look(const Body& body);

  // Throws CB_E_NO_SPACE when the disk cannot surely take `bytes` more. Some room stays for the
  // transactions that remove, which also need to write.
  void require_room(uint64_t bytes);

  [[nodiscard]] DiskSpace disk_space() const;

 private:
  void transact(bool durable, const Body& body);
  void set_durable(bool durable);
  void roll_back() noexcept;
  bool has_room(uint64_t bytes);
  void bound_log();
  uint64_t checkpoint(int mode);
  static int on_commit(void* self, sqlite3* handle, const char* database, int pages);

  cyberbackup::sdk::Host host_;
  const std::string folder_;
  const uint64_t log_limit_;
  const int patience_;  // milliseconds

  std::mutex mutex_;
  // Under mutex_:
  std::unique_ptr<Connection> connection_;
  bool is_durable_ = false;
  uint64_t page_size_ = 0;
  uint64_t log_bytes_ = 0;
  bool told_of_long_log_ = false;
};

}  // namespace store_sqlite
