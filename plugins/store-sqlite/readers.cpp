// SPDX-License-Identifier: Apache-2.0
//
// See readers.h.
#include "readers.h"

namespace store_sqlite {

namespace {

constexpr int64_t kCache = int64_t{512} << 10;

}  // namespace

Readers::Readers(Opening opening, size_t count) : opening_(std::move(opening)), unopened_(count) {
  idle_.reserve(count);
}

Readers::Loan::Loan(Readers& pool, std::unique_ptr<Connection> connection)
    : pool_(pool), connection_(std::move(connection)) {}

Readers::Loan::~Loan() { pool_.give_back(std::move(connection_)); }

Readers::Loan Readers::borrow() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [this] { return !idle_.empty() || unopened_ > 0; });
  if (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    return {*this, std::move(connection)};
  }
  --unopened_;
  lock.unlock();
  try {
    return {*this, open_connection(opening_, kCache)};
  } catch (...) {
    lock.lock();
    ++unopened_;
    returned_.notify_one();
    throw;
  }
}

void Readers::give_back(std::unique_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
  returned_.notify_one();
}

}  // namespace store_sqlite
