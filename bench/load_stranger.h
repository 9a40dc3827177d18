// SPDX-License-Identifier: Apache-2.0
//
// One connection that does not do what it should: says nothing, stops in the middle, breaks the
// rules, never reads. It stays until the server ends it. Coroutines of one thread.
#pragma once

#include <chrono>
#include <memory>

#include "bench/load_v4_fleet.h"

namespace cb::bench {

enum class StrangerKind {
  // These never log in, and wait for what comes.
  silent_tcp,
  stalled_tls,
  silent_tls,
  trickle_tls,
  hello,
  hello_trickle,
  v3,
  v3_trickle,
  // These never log in, and break the rules.
  garbage_tcp,
  garbage_tls,
  large_frame,
  disorder,
  v3_garbage,
  // These are somebody's devices.
  deaf,
  half_upload,
};
constexpr size_t kNeverLogIn = 8;
constexpr size_t kStrangerKinds = 15;
// "stranger_silent" and so on.
const char* name_of(StrangerKind kind);
// Does it speak protocol 3?
bool is_v3(StrangerKind kind);

class Stranger {
 public:
  // `fleet` outlives it.
  Stranger(Fleet& fleet, StrangerKind kind) : fleet_(fleet), kind_(kind) {}

  // Connects, and does what it does at first. An error of the server's is one, too: it may be
  // refused.
  stream::Task<void> come(size_t worker);
  // Until the server ends it; after come.
  boost::asio::awaitable<void> stay();
  // Goes by itself: `stay` ends.
  void go();

  // Seconds from the beginning, or, of one that breaks the rules, from when it had, to the end; of
  // one that has ended.
  [[nodiscard]] double lived() const { return lived_; }
  [[nodiscard]] bool was_ended() const { return over_ && !gone_; }

 private:
  stream::Task<void> greet_or_log_in(size_t worker);
  stream::Task<void> begin_to_fetch();
  stream::Task<void> begin_to_put();
  boost::asio::awaitable<void> knock();
  boost::asio::awaitable<void> trickle();

  Fleet& fleet_;
  const StrangerKind kind_;
  size_t device_ = 0;
  std::unique_ptr<V4Caller> caller_;
  std::chrono::steady_clock::time_point began_;
  double lived_ = 0;
  bool is_trickling_ = false;
  bool over_ = false;
  bool gone_ = false;
};

}  // namespace cb::bench
