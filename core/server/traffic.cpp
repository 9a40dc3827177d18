// SPDX-License-Identifier: Apache-2.0
#include "core/server/traffic.h"

#include <algorithm>

#include "core/base/units.h"

namespace cb::server {

using std::chrono::nanoseconds;

Traffic::Traffic(const os::Clock& clock, std::vector<TrafficRule> rules) : clock_(clock) {
  for (TrafficRule& rule : rules) lanes_.push_back(std::make_shared<Lane>(std::move(rule)));
}

// A rule that stays as it is keeps its bucket, and another one begins empty: a reload gives nobody
// a burst. Counters go with the name.
std::shared_ptr<Traffic::Lane> Traffic::lane_for(TrafficRule rule) const {
  const auto same = std::find_if(lanes_.begin(), lanes_.end(),
                                 [&](const auto& lane) { return lane->rule.name == rule.name; });
  if (same != lanes_.end() && (*same)->rule == rule && !(*same)->is_live) return *same;
  auto lane = std::make_shared<Lane>(std::move(rule));
  lane->bucket.restart(lane->rule.rate, clock_.monotonic());
  if (same == lanes_.end()) return lane;
  lane->bytes = (*same)->bytes;
  lane->waited = (*same)->waited;
  return lane;
}

void Traffic::reconfigure(std::vector<TrafficRule> rules) {
  const std::lock_guard lock(mutex_);
  Lanes fresh;
  for (TrafficRule& rule : rules) fresh.push_back(lane_for(std::move(rule)));
  const bool is_other = fresh != lanes_ || paused_until_;
  lanes_ = std::move(fresh);
  paused_until_.reset();
  if (is_other) ++generation_;
}

Status Traffic::pause(std::optional<int64_t> until_ns) {
  if (until_ns && *until_ns <= clock_.wall().count())
    return failed(Code::invalid, "end of the pause", "is over already",
                  "give a time to come, or a length of time with --for");
  const std::lock_guard lock(mutex_);
  paused_until_ = until_ns.value_or(0);
  ++generation_;
  return {};
}

void Traffic::resume() {
  const std::lock_guard lock(mutex_);
  paused_until_.reset();
  ++generation_;
}

Status Traffic::set_rate(const std::string& name, const stream::Rate& rate) {
  if (rate.per_second < stream::kLeastRate || rate.per_second > stream::kMostRate ||
      rate.burst == 0)
    return failed(Code::invalid, "rate of " + format_size(rate.per_second),
                  "is not from " + format_size(stream::kLeastRate) + " to " +
                      format_size(stream::kMostRate) + " a second");
  if (rate.burst > stream::kMostBurst)
    return failed(Code::invalid, "burst of " + format_size(rate.burst),
                  "is more than " + format_size(stream::kMostBurst));
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(lanes_.begin(), lanes_.end(),
                                  [&](const auto& lane) { return lane->rule.name == name; });
  if (found == lanes_.end())
    return failed(Code::not_found, "traffic rule " + name, "is not in the configuration",
                  "cyberbackupd traffic show lists them");
  (*found)->rule.rate = rate;
  (*found)->is_live = true;
  (*found)->bucket.restart(rate, clock_.monotonic());
  ++generation_;
  return {};
}

bool Traffic::is_paused() const {
  return paused_until_ && (*paused_until_ == 0 || clock_.wall().count() < *paused_until_);
}

std::optional<int64_t> Traffic::paused_until() const {
  const std::lock_guard lock(mutex_);
  return is_paused() ? paused_until_ : std::nullopt;
}

std::vector<Traffic::Shown> Traffic::shown() const {
  const std::lock_guard lock(mutex_);
  const int64_t now = clock_.wall().count();
  std::vector<Shown> all;
  for (const auto& lane : lanes_)
    all.push_back({lane->rule, !is_paused() && lane->rule.is_due(now), lane->is_live, lane->bytes,
                   lane->waiting, lane->waited});
  return all;
}

Traffic::Lanes Traffic::lanes_about(Direction direction, const std::string& address,
                                    const std::string& account) const {
  const std::lock_guard lock(mutex_);
  Lanes about;
  for (const auto& lane : lanes_)
    if (lane->rule.is_about(direction, address, account)) about.push_back(lane);
  return about;
}

uint64_t Traffic::turn_of(const Lanes& lanes) const {
  if (lanes.empty()) return 0;
  const std::lock_guard lock(mutex_);
  if (is_paused()) return 0;
  const int64_t now = clock_.wall().count();
  uint64_t least = 0;
  for (const auto& lane : lanes) {
    if (!lane->rule.is_due(now)) continue;
    const uint64_t turn = stream::turn_of(lane->rule.rate);
    least = least == 0 ? turn : std::min(least, turn);
  }
  return least;
}

bool Traffic::holds(const Lane& lane) const {
  const std::lock_guard lock(mutex_);
  return !is_paused() && lane.rule.is_due(clock_.wall().count());
}

nanoseconds Traffic::book(Lane& lane, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  lane.bytes += bytes;
  const nanoseconds now = clock_.monotonic();
  return lane.waiting > 0 ? lane.bucket.book_among_others(bytes, now)
                          : lane.bucket.book(bytes, now);
}

void Traffic::begin_wait(Lane& lane) {
  const std::lock_guard lock(mutex_);
  ++lane.waiting;
}

void Traffic::end_wait(Lane& lane, nanoseconds waited) {
  const std::lock_guard lock(mutex_);
  --lane.waiting;
  lane.waited += waited;
}

}  // namespace cb::server
