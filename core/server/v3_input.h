// SPDX-License-Identifier: Apache-2.0
//
// What a v3 peer sends, as the session wants it: small fields through a small buffer, bulk content
// through pool buffers that are never held while waiting for the network. Runs on the connection's
// strand.
#pragma once

#include <array>
#include <chrono>

#include "core/os/clock.h"
#include "core/server/traffic_share.h"
#include "core/stream/buffer_pool.h"

namespace cb::server {

class V3Input {
 public:
  V3Input(stream::Connection& connection, stream::BufferPool& pool, const os::Clock& clock);

  // Content comes in as `share` allows, or as it comes without one; the time that it waits for that
  // is not the peer's. `share` outlives this.
  void limit_content(TrafficShare* share) { share_ = share; }

  // Bytes that came before this object was made; at most 64, before anything else is called.
  void preload(ByteView first);

  // Waits for the first byte of a request; false when `timeout` passed.
  stream::Task<bool> wait(std::chrono::nanoseconds timeout);

  // Fills `into` within `timeout` in all. Code::closed when the peer ends before.
  stream::Task<void> read(ByteSpan into, std::chrono::nanoseconds timeout);

  // Begins bulk content: from here on every 64 KiB, or what is less, must come within `timeout`.
  void begin_content(std::chrono::nanoseconds timeout);

  // 1..most bytes of content, as many as have come and fit a buffer; valid until the next call of
  // any function here. Code::timeout when the peer falls behind the pace.
  stream::Task<ByteView> slice(uint64_t most);

  // Gives the pool buffer back, if one is held; the last slice is no longer valid.
  void release() { bulk_ = {}; }

  // Reads and forgets `count` bytes of content.
  stream::Task<void> skip(uint64_t count);

 private:
  stream::Task<uint64_t> wait_for_turn();
  void count_content(size_t bytes);
  // Moves what the small buffer holds; the number of bytes.
  size_t take_small(ByteSpan into);

  stream::Connection& connection_;
  stream::BufferPool& pool_;
  const os::Clock& clock_;
  std::array<std::byte, 2048> small_{};
  size_t begin_ = 0;  // unread bytes of small_
  size_t end_ = 0;
  stream::Buffer bulk_;
  std::chrono::nanoseconds pace_{};      // for each 64 KiB of content
  std::chrono::nanoseconds deadline_{};  // of the 64 KiB under way
  uint64_t paced_ = 0;                   // bytes of them that have come
  TrafficShare* share_ = nullptr;
};

}  // namespace cb::server
