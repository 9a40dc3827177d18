// SPDX-License-Identifier: Apache-2.0
//
// What a v4 peer sends, as the session wants it: heads and messages through a small buffer, bulk
// straight into the caller's. Every wait has a deadline. Runs on the connection's strand.
#pragma once

#include <array>
#include <chrono>
#include <functional>

#include "core/os/clock.h"
#include "core/server/traffic_share.h"

namespace cb::server {

class V4Input {
 public:
  // `first` has come already (at most 64 bytes).
  V4Input(stream::Connection& connection, const os::Clock& clock, ByteView first);

  // Bulk comes in as `share` allows; the time that it waits for that is not the peer's. Meanwhile
  // `while_held` is called about once a second; what it fails with ends the wait. `share` outlives
  // this.
  using WhileHeld = std::function<stream::Task<void>()>;
  void limit_bulk(TrafficShare& share, WhileHeld while_held);

  // Waits for the first byte of a frame; false when `timeout` passed.
  stream::Task<bool> wait(std::chrono::nanoseconds timeout);

  // Fills `into` within `timeout` in all. Code::closed when the peer ends before.
  stream::Task<void> read(ByteSpan into, std::chrono::nanoseconds timeout);

  // Begins bulk: from here on every 64 KiB, or what is less, must come within `timeout`.
  void begin_bulk(std::chrono::nanoseconds timeout);
  // Waits until some of it has come. Code::timeout when the peer falls behind the pace.
  stream::Task<void> wait_bulk();
  // Takes at least one byte of it, after wait_bulk, without waiting for more.
  stream::Task<size_t> take_bulk(ByteSpan into);
  // What else has come by now; perhaps nothing.
  Result<size_t> take_more(ByteSpan into);

  // Reads and forgets `count` bytes of bulk.
  stream::Task<void> skip(uint64_t count);
  // Reads and forgets whatever comes until the peer ends, `time` in all has passed, or `most` bytes
  // have come.
  stream::Task<void> drain(std::chrono::nanoseconds time, uint64_t most);

 private:
  size_t take_small(ByteSpan into);
  stream::Task<void> wait_for_turn();
  [[nodiscard]] ByteSpan allowed(ByteSpan into) const;
  void count_bulk(size_t bytes);

  stream::Connection& connection_;
  const os::Clock& clock_;
  std::array<std::byte, 2048> small_{};
  size_t begin_ = 0;  // unread bytes of small_
  size_t end_ = 0;
  std::chrono::nanoseconds pace_{};      // for each 64 KiB of bulk
  std::chrono::nanoseconds deadline_{};  // of the 64 KiB under way
  uint64_t paced_ = 0;                   // bytes of them that have come
  TrafficShare* share_ = nullptr;
  WhileHeld while_held_;
};

}  // namespace cb::server
