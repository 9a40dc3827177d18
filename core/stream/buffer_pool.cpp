// SPDX-License-Identifier: Apache-2.0
#include "core/stream/buffer_pool.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <mutex>
#include <vector>

namespace cb::stream {

namespace {

using Memory = std::unique_ptr<std::byte[]>;

// A coroutine that waits for a buffer. `memory` is set under the pool's mutex; the timer, which
// never runs out, is only touched on the coroutine's executor.
struct Waiter {
  explicit Waiter(const asio::any_io_executor& executor)
      : bell(executor, asio::steady_timer::time_point::max()) {}
  asio::steady_timer bell;
  Memory memory;
};

}  // namespace

struct Buffer::Pool {
  Pool(size_t size, size_t ceiling)
      : buffer_size(std::max<size_t>(1, size)),
        limit(std::max<size_t>(1, ceiling / buffer_size)),
        keep(std::max<size_t>(1, limit / 4)) {}

  // A buffer's memory, or null at the ceiling. Needs the mutex.
  Memory take_now() {
    if (taken >= limit) return nullptr;
    Memory memory;
    if (kept.empty()) {
      memory.reset(new std::byte[buffer_size]);
    } else {
      memory = std::move(kept.back());
      kept.pop_back();
    }
    ++taken;
    most_taken = std::max(most_taken, taken);
    return memory;
  }

  void give_back(Memory memory) {
    std::shared_ptr<Waiter> next;
    {
      const std::lock_guard lock(mutex);
      if (waiters.empty()) {
        --taken;
        if (kept.size() < keep) kept.push_back(std::move(memory));
        return;
      }
      next = std::move(waiters.front());
      waiters.pop_front();
      next->memory = std::move(memory);
    }
    const asio::any_io_executor executor = next->bell.get_executor();
    asio::post(executor, [next = std::move(next)] { next->bell.cancel(); });
  }

  const size_t buffer_size;
  const size_t limit;
  const size_t keep;
  std::mutex mutex;
  // Under the mutex.
  std::vector<Memory> kept;
  std::list<std::shared_ptr<Waiter>> waiters;
  size_t taken = 0;
  size_t most_taken = 0;

  // Takes a waiter out of the queue, or gives back what it was handed but did not pick up.
  struct Place {
    std::shared_ptr<Pool> pool;
    std::shared_ptr<Waiter> waiter;
    Place(std::shared_ptr<Pool> p, std::shared_ptr<Waiter> w)
        : pool(std::move(p)), waiter(std::move(w)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (Memory unused = leave()) pool->give_back(std::move(unused));
    }
    Memory leave() {
      const std::lock_guard lock(pool->mutex);
      pool->waiters.remove(waiter);
      return std::move(waiter->memory);
    }
    [[nodiscard]] bool served() const {
      const std::lock_guard lock(pool->mutex);
      return waiter->memory != nullptr;
    }
  };

  static Buffer try_take(const std::shared_ptr<Pool>& pool) {
    const std::lock_guard lock(pool->mutex);
    if (!pool->waiters.empty()) return {};
    Memory memory = pool->take_now();
    if (!memory) return {};
    return {pool, std::move(memory), pool->buffer_size};
  }

  static asio::awaitable<Buffer> take(std::shared_ptr<Pool> pool) {
    if (Buffer buffer = try_take(pool)) co_return buffer;
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    auto waiter = std::make_shared<Waiter>(executor);
    {
      const std::lock_guard lock(pool->mutex);
      if (pool->waiters.empty()) waiter->memory = pool->take_now();
      if (!waiter->memory) pool->waiters.push_back(waiter);
    }
    Place place(pool, waiter);
    if (!place.served()) {
      boost::system::error_code rung;
      co_await waiter->bell.async_wait(asio::redirect_error(asio::use_awaitable, rung));
    }
    Memory memory = place.leave();
    if (!memory) co_return Buffer{};
    co_return Buffer(pool, std::move(memory), pool->buffer_size);
  }
};

Buffer::Buffer(std::shared_ptr<Pool> pool, std::unique_ptr<std::byte[]> memory, size_t size)
    : pool_(std::move(pool)), memory_(std::move(memory)), size_(size) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    give_back();
    pool_ = std::move(other.pool_);
    memory_ = std::move(other.memory_);
    size_ = other.size_;
  }
  return *this;
}

Buffer::~Buffer() { give_back(); }

void Buffer::give_back() noexcept {
  if (memory_) pool_->give_back(std::move(memory_));
  pool_.reset();
}

BufferPool::BufferPool(size_t buffer_size, size_t ceiling)
    : pool_(std::make_shared<Buffer::Pool>(buffer_size, ceiling)) {}

BufferPool::~BufferPool() = default;

asio::awaitable<Buffer> BufferPool::take() { return Buffer::Pool::take(pool_); }

Buffer BufferPool::try_take() { return Buffer::Pool::try_take(pool_); }

size_t BufferPool::buffer_size() const { return pool_->buffer_size; }

BufferPool::Counts BufferPool::counts() const {
  const std::lock_guard lock(pool_->mutex);
  return {pool_->buffer_size, pool_->limit,          pool_->taken,
          pool_->kept.size(), pool_->waiters.size(), pool_->most_taken};
}

}  // namespace cb::stream
