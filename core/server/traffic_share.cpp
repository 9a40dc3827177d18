// SPDX-License-Identifier: Apache-2.0
#include "core/server/traffic_share.h"

#include <algorithm>
#include <utility>

#include "core/stream/throttle.h"

namespace cb::server {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

TrafficShare::TrafficShare(Traffic* traffic, const os::Clock& clock, Whose whose)
    : traffic_(traffic), clock_(clock), whose_(std::move(whose)) {}

TrafficShare::~TrafficShare() { end_wait(); }

void TrafficShare::set_account(const std::string& account) {
  if (account == account_) return;
  account_ = account;
  generation_ = 0;
}

// Other rules, another rate, a pause: what was booked is forgotten.
void TrafficShare::look_up() {
  const uint64_t now = traffic_->generation();
  if (now == generation_) return;
  end_wait();
  generation_ = now;
  lanes_ = traffic_->lanes_about(whose_.direction, whose_.address, account_);
  turn_ = 0;
  left_ = 0;
}

bool TrafficShare::is_limited() {
  if (traffic_ == nullptr) return false;
  look_up();
  return traffic_->turn_of(lanes_) != 0;
}

void TrafficShare::begin_turn() {
  turn_ = traffic_->turn_of(lanes_);
  next_ = 0;
  moment_.reset();
  if (turn_ == 0) left_ = kUnlimited;
}

// One rule after the other: a place in the line of a slow one takes nothing of a fast one. False
// while one of them says to wait; a rule that ends meanwhile does not.
bool TrafficShare::pass_lanes() {
  for (; next_ < lanes_.size(); ++next_) {
    Traffic::Lane& lane = *lanes_[next_];
    if (!traffic_->holds(lane)) {
      end_wait();
      moment_.reset();
      continue;
    }
    if (!moment_) moment_ = traffic_->book(lane, turn_);
    if (clock_.monotonic() < *moment_) {
      if (!is_waiting_) {
        began_ = clock_.monotonic();
        traffic_->begin_wait(lane);
      }
      is_waiting_ = true;
      return false;
    }
    end_wait();
    moment_.reset();
  }
  return true;
}

void TrafficShare::end_wait() {
  if (!std::exchange(is_waiting_, false)) return;
  traffic_->end_wait(*lanes_[next_], clock_.monotonic() - began_);
}

stream::Task<uint64_t> TrafficShare::turn(nanoseconds patience) {
  if (traffic_ == nullptr) left_ = kUnlimited;
  if (traffic_ == nullptr) co_return left_;
  const auto until = steady_clock::now() + patience;
  while (true) {
    look_up();
    // A rule that did not hold before may do so now.
    if (left_ > 0 && left_ != kUnlimited) co_return left_;
    left_ = 0;
    if (turn_ == 0) begin_turn();
    if (left_ > 0) co_return left_;
    if (pass_lanes()) {
      left_ = std::exchange(turn_, 0);
      co_return left_;
    }
    if (whose_.is_over && whose_.is_over())
      co_return failed(Code::cancelled, whose_.address, "is being closed");
    if (steady_clock::now() >= until) co_return uint64_t{0};
    co_await stream::doze_until(clock_, *moment_);
  }
}

}  // namespace cb::server
