// SPDX-License-Identifier: Apache-2.0
//
// Buffers of one size with a ceiling over all of them, so that load becomes waiting and never
// memory. All functions are for any thread; a Buffer is used by one at a time.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <utility>

#include "core/base/bytes.h"

namespace cb::stream {

namespace asio = boost::asio;

class BufferPool;

// A borrowed buffer; goes back when it is destroyed. May outlive the pool.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept = default;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  // The whole buffer; its content is whatever it was.
  [[nodiscard]] ByteSpan span() const { return {memory_.get(), memory_ ? size_ : 0}; }
  [[nodiscard]] size_t size() const { return memory_ ? size_ : 0; }
  explicit operator bool() const { return memory_ != nullptr; }

 private:
  friend class BufferPool;
  struct Pool;
  Buffer(std::shared_ptr<Pool> pool, std::unique_ptr<std::byte[]> memory, size_t size);
  void give_back() noexcept;

  std::shared_ptr<Pool> pool_;
  std::unique_ptr<std::byte[]> memory_;
  size_t size_ = 0;
};

class BufferPool {
 public:
  struct Counts {
    size_t buffer_size = 0;  // bytes of one buffer
    size_t limit = 0;        // buffers that may be out at once
    size_t taken = 0;        // buffers that are out
    size_t kept = 0;         // buffers that lie ready
    size_t waiting = 0;      // coroutines that wait for one
    size_t most_taken = 0;
  };

  // `ceiling` in bytes over all buffers; at least one buffer fits always. Up to a quarter of them
  // are kept when they come back, the others are freed.
  BufferPool(size_t buffer_size, size_t ceiling);
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // Takes a buffer; at the ceiling waits for one, first come, first served. Whoever holds one and
  // waits for a second can wait for ever: take one at a time, or try_take. The caller runs on a
  // strand. Empty only if the coroutine was cancelled through its cancellation slot.
  asio::awaitable<Buffer> take();

  // A buffer, or an empty one at the ceiling (or when others wait).
  Buffer try_take();

  [[nodiscard]] size_t buffer_size() const;
  [[nodiscard]] Counts counts() const;

 private:
  std::shared_ptr<Buffer::Pool> pool_;
};

}  // namespace cb::stream
