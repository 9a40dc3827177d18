// SPDX-License-Identifier: Apache-2.0
//
// A limit that coroutines of any number of connections wait at, in the order in which they come, a
// turn each: so all get the same. Thread-safe; blocks no thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <mutex>

#include "core/os/clock.h"
#include "core/stream/token_bucket.h"

namespace cb::stream {

namespace asio = boost::asio;

class Throttle {
 public:
  // `clock` outlives it.
  Throttle(const os::Clock& clock, const Rate& rate);

  // Waits until 1..wanted bytes may go; how many. They are spent whether they go or not. Cannot be
  // cancelled, and takes as many turns as others wait before.
  asio::awaitable<size_t> take(size_t wanted);

 private:
  const os::Clock& clock_;
  const uint64_t turn_;
  std::mutex mutex_;
  // Guarded by mutex_:
  TokenBucket bucket_;
  size_t waiting_ = 0;
};

// What a connection may move. Either may be missing: then there is no limit.
struct FlowLimits {
  std::shared_ptr<Throttle> upload, download;
};

// Sleeps until the clock shows `moment` (monotonic), but no longer than a fifth of a second of real
// time: so a clock that somebody puts forward, and other rules, are noticed soon.
asio::awaitable<void> doze_until(const os::Clock& clock, std::chrono::nanoseconds moment);

}  // namespace cb::stream
