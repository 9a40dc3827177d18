// SPDX-License-Identifier: Apache-2.0
//
// The rules about traffic that are in force, and how much of each is left. A rule is a cap of all
// sessions that it is about, together; several rules about one session are all kept, so the slowest
// decides. Thread-safe; does not block.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "core/os/clock.h"
#include "core/server/traffic_rule.h"

namespace cb::server {

class Traffic {
 public:
  // `clock` outlives it.
  Traffic(const os::Clock& clock, std::vector<TrafficRule> rules);

  // Other rules, at once, for sessions that run, too. Ends a pause, and what set_rate set.
  void reconfigure(std::vector<TrafficRule> rules);
  // No rule holds until `until_ns` (since 1970 UTC), or without it until resume(). Code::invalid
  // for a time that is over.
  Status pause(std::optional<int64_t> until_ns);
  void resume();
  // Another rate for a rule until the next reconfigure(). Code::not_found, Code::invalid for a rate
  // that is out of bounds.
  Status set_rate(const std::string& name, const stream::Rate& rate);

  // A pause as it was set: its end, 0 when it has none. Nothing when there is none (any more).
  [[nodiscard]] std::optional<int64_t> paused_until() const;

  // How a rule does.
  struct Shown {
    TrafficRule rule;
    bool holds = false;                 // now: it is due, and there is no pause
    bool is_live = false;               // its rate was set by set_rate
    uint64_t bytes = 0;                 // that it let go, as whole turns
    uint32_t waiting = 0;               // sessions, now
    std::chrono::nanoseconds waited{};  // of all sessions together
  };
  [[nodiscard]] std::vector<Shown> shown() const;

 private:
  friend class TrafficShare;
  struct Lane {
    explicit Lane(TrafficRule of) : rule(std::move(of)), bucket(rule.rate) {}
    // Guarded by mutex_:
    TrafficRule rule;
    stream::TokenBucket bucket;
    bool is_live = false;
    uint64_t bytes = 0;
    uint32_t waiting = 0;
    std::chrono::nanoseconds waited{};
  };
  using Lanes = std::vector<std::shared_ptr<Lane>>;

  // Changes with rules, rates and pauses: what was booked before does not count any more.
  [[nodiscard]] uint64_t generation() const { return generation_; }
  // The rules about a session, in their order, whether due or not.
  [[nodiscard]] Lanes lanes_about(Direction direction, const std::string& address,
                                  const std::string& account) const;
  // The smallest turn of those that hold now; 0 when none does.
  [[nodiscard]] uint64_t turn_of(const Lanes& lanes) const;
  [[nodiscard]] bool holds(const Lane& lane) const;
  std::chrono::nanoseconds book(Lane& lane, uint64_t bytes);
  void begin_wait(Lane& lane);
  void end_wait(Lane& lane, std::chrono::nanoseconds waited);

  // With mutex_ held:
  [[nodiscard]] bool is_paused() const;
  [[nodiscard]] std::shared_ptr<Lane> lane_for(TrafficRule rule) const;

  const os::Clock& clock_;
  std::atomic<uint64_t> generation_{1};
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  Lanes lanes_;
  std::optional<int64_t> paused_until_;  // 0: until resume()
};

}  // namespace cb::server
