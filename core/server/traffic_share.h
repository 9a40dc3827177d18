// SPDX-License-Identifier: Apache-2.0
//
// What one session may move in one direction, under the rules about it. It takes a turn of each
// rule after the other, waits for both, and spends it as it likes. Used on the session's strand.
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <string>

#include "core/server/traffic.h"
#include "core/stream/connection.h"

namespace cb::server {

class TrafficShare {
 public:
  struct Whose {
    Direction direction = Direction::in;  // or out
    std::string address;                  // of the peer, as TrafficRule::is_about wants it
    std::function<bool()> is_over;        // nobody waits any more: the connection was cancelled
  };
  // `traffic` outlives it; without it nothing is limited.
  TrafficShare(Traffic* traffic, const os::Clock& clock, Whose whose);
  ~TrafficShare();
  TrafficShare(const TrafficShare&) = delete;
  TrafficShare& operator=(const TrafficShare&) = delete;

  // Whose bytes they are from now on.
  void set_account(const std::string& account);

  // Waits until something may go, for about `patience` of real time at most; how much may then go,
  // 0 when it still has to wait: ask again. Code::cancelled when it is over.
  stream::Task<uint64_t> turn(std::chrono::nanoseconds patience);
  // Is there a rule about these bytes now?
  [[nodiscard]] bool is_limited();
  // As much as that, less what was spent of it.
  [[nodiscard]] uint64_t left() const { return left_; }
  void spend(uint64_t bytes) { left_ -= left_ == kUnlimited ? 0 : std::min(bytes, left_); }

 private:
  static constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

  void look_up();
  void begin_turn();
  bool pass_lanes();
  void end_wait();

  Traffic* const traffic_;
  const os::Clock& clock_;
  const Whose whose_;
  std::string account_;

  uint64_t generation_ = 0;  // that lanes_ is of; 0: of none
  Traffic::Lanes lanes_;
  uint64_t left_ = 0;
  uint64_t turn_ = 0;                               // bytes that are being waited for; 0: none
  size_t next_ = 0;                                 // of lanes_, those before let the turn go
  std::optional<std::chrono::nanoseconds> moment_;  // when the next one does, once it is booked
  std::chrono::nanoseconds began_{};                // to wait for it
  bool is_waiting_ = false;
};

}  // namespace cb::server
