// SPDX-License-Identifier: Apache-2.0
//
// So many bytes a second, and some at once after a rest. A plain value that knows no clock: moments
// are given, in nanoseconds since any moment. Not thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace cb::stream {

struct Rate {
  uint64_t per_second = 0;  // bytes, kLeastRate to kMostRate
  uint64_t burst = 0;       // bytes, at least 1

  friend bool operator==(const Rate&, const Rate&) = default;
};

// What is slower lets the deadlines of the other side pass; what is faster needs no limit.
constexpr uint64_t kLeastRate = uint64_t{4} << 10;
constexpr uint64_t kMostRate = uint64_t{16} << 30;
constexpr uint64_t kMostBurst = uint64_t{1} << 40;

// How much one of many takes at a time: a 64th of a second's worth, from 4 KiB to 1 MiB.
uint64_t turn_of(const Rate& rate);

class TokenBucket {
 public:
  // Full, so that a burst may go at once.
  explicit TokenBucket(const Rate& rate);

  // Books bytes (at most 2^40 in one go): they may go from the moment that is returned on, which
  // comes no earlier than `now` and no earlier than that of those who booked before. What goes at
  // its moment or later never sums up to more than per_second * time + burst, but for what is
  // booked in one go and larger than the burst: that counts for its whole wait.
  std::chrono::nanoseconds book(uint64_t bytes, std::chrono::nanoseconds now);
  // The same while others wait: not at once, but as much later as the bytes take at least. So who
  // wakes up first does not take what others would a moment later.
  std::chrono::nanoseconds book_among_others(uint64_t bytes, std::chrono::nanoseconds now);

  // Another rate: nothing is booked any more, and nothing saved up.
  void restart(const Rate& rate, std::chrono::nanoseconds now);

  [[nodiscard]] const Rate& rate() const { return rate_; }

 private:
  Rate rate_;
  std::chrono::nanoseconds fill_time_;  // of the whole burst, rounded down
  // When it is full again, if nothing more is booked.
  std::chrono::nanoseconds full_at_ = std::chrono::nanoseconds::min();
};

}  // namespace cb::stream
