// SPDX-License-Identifier: Apache-2.0
//
// How often one target hears of one kind: so many notices of each account in a stretch of time,
// which begins with the first, and four times as many of all accounts. So one account's flood hides
// no other's. What is past it is held back and told with the next one, or by itself once the
// stretch is over. Not synchronised; memory grows with the number of kinds and the rate alone.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "core/notify/notice.h"

namespace cb::notify {

struct Rate {
  uint32_t most = 0;  // of an account; 0: no limit
  std::chrono::nanoseconds within{};

  friend bool operator==(const Rate&, const Rate&) = default;
};

class Throttle {
 public:
  explicit Throttle(Rate rate) : rate_(rate) {}

  // What was held back before this notice, which is to be passed on; nothing when it is held back
  // itself. `now` is monotonic, here and below.
  std::optional<HeldBack> admit(const Notice& notice, std::chrono::nanoseconds now);
  // Counts notices as held back that were admitted and got lost before they were passed on.
  void give_back(const std::string& kind, const HeldBack& lost);
  // A notice about what was held back of a kind whose stretch is over; nothing when there is none.
  // It counts as one that was admitted.
  std::optional<Notice> summary(std::chrono::nanoseconds now);
  // The same of a kind whose stretch is not over, for who ends.
  std::optional<Notice> rest();
  // When the next summary is due.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> next_summary() const;

  void set_rate(Rate rate) { rate_ = rate; }

 private:
  struct OfKind {
    std::chrono::nanoseconds began{};
    uint64_t passed = 0;
    std::map<std::string, uint32_t> of_account;  // the same, of each
    HeldBack held;

    void begin(std::chrono::nanoseconds now);
    void pass(const std::string& account);
  };
  static Notice sum_up(const std::string& kind, OfKind& of);
  Rate rate_;
  std::map<std::string, OfKind> kinds_;
};

}  // namespace cb::notify
