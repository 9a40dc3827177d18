// SPDX-License-Identifier: Apache-2.0
//
// A pool of connections for reading. Nothing is read across calls, so that no reader keeps the
// write-ahead log from starting anew. Thread-safe.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "schema.h"

namespace store_sqlite {

class Readers {
 public:
  // At most `count` connections, opened when first needed.
  Readers(Opening opening, size_t count);

  // A connection on loan; it goes back when this leaves the scope.
  class Loan {
   public:
    Loan(Readers& pool, std::unique_ptr<Connection> connection);
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan();
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

   private:
    Readers& pool_;
    std::unique_ptr<Connection> connection_;
  };

  // Waits until a connection is free.
  Loan borrow();

 private:
  void give_back(std::unique_ptr<Connection> connection);

  const Opening opening_;
  std::mutex mutex_;
  std::condition_variable returned_;
  // Under mutex_:
  size_t unopened_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace store_sqlite
