// SPDX-License-Identifier: Apache-2.0
//
// A connection with the mutex that makes its use one thread's at a time: lock, then use. And what
// several classes do with one.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "core/catalog/statement.h"

namespace cb::catalog {

struct Guarded {
  std::mutex mutex;
  std::unique_ptr<Connection> connection;
};

// Makes changes without waiting for the disk: the log is written in order, so the next change that
// waits makes them durable, too. Not inside a transaction; the writer's mutex is held. Whatever
// happens, the connection waits again afterwards.
template <typename Change>
auto make_unhurried(Connection& connection, const Change& change) -> decltype(change()) {
  struct Again {
    Connection& connection;
    bool done = false;
    ~Again() {
      if (!done) connection.insist("PRAGMA synchronous = FULL");
    }
  } again{connection};
  CB_TRY(connection.execute("PRAGMA synchronous = NORMAL"));
  auto changed = change();
  CB_TRY(connection.execute("PRAGMA synchronous = FULL"));
  again.done = true;
  return changed;
}

// Ends the read transaction, whatever came of it; nothing was changed.
class ReadTransaction {
 public:
  static Result<ReadTransaction> begin(Connection& connection) {
    const Status begun = connection.execute("BEGIN");
    if (!begun) connection.roll_back();
    CB_TRY(begun);
    return ReadTransaction(connection);
  }
  ReadTransaction(ReadTransaction&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  ReadTransaction& operator=(ReadTransaction&&) = delete;
  ~ReadTransaction() {
    if (connection_ != nullptr) connection_->roll_back();
  }

 private:
  explicit ReadTransaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

// Bytes of a fixed size from a column. Code::corrupt names the file when the size is another.
template <size_t Size>
Result<std::array<std::byte, Size>> fixed_bytes(const Statement& row, int column,
                                                const Connection& connection) {
  const ByteView bytes = row.blob(column);
  if (bytes.size() != Size)
    return failed(
        Code::corrupt, connection.file(),
        "holds an id of " + std::to_string(bytes.size()) + " bytes, not " + std::to_string(Size));
  std::array<std::byte, Size> fixed;
  std::copy(bytes.begin(), bytes.end(), fixed.begin());
  return fixed;
}

}  // namespace cb::catalog
