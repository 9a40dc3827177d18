// SPDX-License-Identifier: Apache-2.0
#include "core/watch/expected.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <vector>

namespace cb::watch {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kLongestWish = 3650 * kDay;
// Older backups say nothing any more, unless the newest are fewer than that.
constexpr int64_t kRemembered = 90 * kDay;
constexpr size_t kLeastRemembered = 30;
constexpr int64_t kLeastTolerance = 30 * kMinute;
constexpr int64_t kLeastSlack = 10 * kMinute;
// A regular source may have one longer pause in so long.
constexpr int64_t kStrayEvery = 14 * kDay;
// Distances of one hour or weekday: as many are needed, and so many of the newest count.
constexpr size_t kLeastOfClass = 4;
constexpr size_t kMostOfClass = 8;
constexpr size_t kOneMayStray = 6;  // from so many on, one of a class may be longer (a holiday)
constexpr int64_t kLeastOfWeekday = 12 * kHour;  // what comes more often has hours, not days
// From so long a history on the longest distance is left out: one holiday is no habit.
constexpr int64_t kLongestMayStray = 28 * kDay;
constexpr int64_t kNearest = 30 * kMinute;  // what still is the same time of day

// What a clock shows.
struct Shown {
  int64_t of_day = 0;  // since midnight
  unsigned weekday = 0;
};

// From one backup to the next, and what the clock showed at the first.
struct Distance {
  int64_t length = 0;
  Shown from;
};

Shown shown_of(int64_t time, const schedule::Zone& zone) {
  const int64_t shown = schedule::shown_at(zone, time / kSecond);
  const int64_t day = schedule::day_of(shown);
  return {(shown - day * schedule::kDaySeconds) * kSecond, schedule::weekday_of(day)};
}

std::vector<Distance> distances_of(std::span<const int64_t> times, const schedule::Zone& zone) {
  std::vector<Distance> all;
  for (size_t i = 1; i < times.size(); ++i) {
    const bool is_old = times[i - 1] < times.back() - kRemembered;
    if (is_old && times.size() - i > kLeastRemembered) continue;
    all.push_back({times[i] - times[i - 1], shown_of(times[i - 1], zone)});
  }
  return all;
}

// What alike distances have in common.
struct Pattern {
  int64_t usual = 0;   // the median
  int64_t spread = 0;  // how much longer the longest of those that are alike is
};

// Nothing when more than `longer` of them are longer than the others, or more than a quarter is
// shorter (somebody made one more by hand).
std::optional<Pattern> pattern_of(std::vector<int64_t> lengths, size_t longer) {
  std::sort(lengths.begin(), lengths.end());
  Pattern pattern;
  pattern.usual = lengths[lengths.size() / 2];
  const int64_t slack = std::max(kLeastSlack, pattern.usual / 4);
  size_t too_long = 0, too_short = 0;
  for (const int64_t length : lengths) {
    if (length > pattern.usual + slack)
      ++too_long;
    else if (length < pattern.usual - slack)
      ++too_short;
    else
      pattern.spread = std::max(pattern.spread, length - pattern.usual);
  }
  if (too_long > longer || too_short > lengths.size() / 4) return std::nullopt;
  return pattern;
}

// Of the newest distances that `belongs` is true of.
template <typename Belongs>
std::optional<Pattern> pattern_of_class(const std::vector<Distance>& all, const Belongs& belongs) {
  std::vector<int64_t> lengths;
  for (size_t i = all.size(); i > 0 && lengths.size() < kMostOfClass; --i)
    if (belongs(all[i - 1])) lengths.push_back(all[i - 1].length);
  if (lengths.size() < kLeastOfClass) return std::nullopt;
  const size_t strays = lengths.size() >= kOneMayStray ? 1 : 0;
  return pattern_of(std::move(lengths), strays);
}

std::vector<int64_t> lengths_of(const std::vector<Distance>& all) {
  std::vector<int64_t> lengths;
  for (const Distance& one : all) lengths.push_back(one.length);
  return lengths;
}

Expectation expected_after(int64_t last, const Pattern& pattern, Basis basis,
                           const ExpectedRules& rules) {
  const int64_t most = std::max(rules.tolerance, int64_t{0});
  const int64_t tolerance =
      std::min(most, std::max(pattern.usual / 2, kLeastTolerance)) + pattern.spread;
  return {basis, last + pattern.usual, last + pattern.usual + tolerance};
}

Expectation after_irregular(int64_t last, std::vector<int64_t> lengths, int64_t seen,
                            const ExpectedRules& rules) {
  std::sort(lengths.begin(), lengths.end());
  const size_t back = lengths.size() > 1 && seen >= kLongestMayStray ? 2 : 1;
  const int64_t longest = lengths[lengths.size() - back];
  const int64_t tolerance = std::max(longest / 2, rules.tolerance);
  return {Basis::irregular, last + longest, last + longest + tolerance};
}

std::optional<Pattern> pattern_of_weekday(const std::vector<Distance>& all, unsigned weekday) {
  const auto found =
      pattern_of_class(all, [&](const Distance& one) { return one.from.weekday == weekday; });
  if (!found || found->usual < kLeastOfWeekday) return std::nullopt;
  return found;
}

// One weekday alone may be alike by chance.
bool has_weekdays(const std::vector<Distance>& all) {
  size_t explained = 0;
  for (unsigned weekday = 0; weekday < 7; ++weekday) {
    if (!pattern_of_weekday(all, weekday)) continue;
    for (const Distance& one : all) explained += one.from.weekday == weekday;
  }
  return explained * 4 >= all.size() * 3;
}

int64_t median_of(std::vector<int64_t> lengths) {
  const auto middle = lengths.begin() + static_cast<ptrdiff_t>(lengths.size() / 2);
  std::nth_element(lengths.begin(), middle, lengths.end());
  return *middle;
}

Expectation from_history(std::span<const int64_t> times, const ExpectedRules& rules) {
  const schedule::Zone zone = rules.zone ? rules.zone : schedule::utc_zone();
  const std::vector<Distance> all = distances_of(times, zone);
  const std::vector<int64_t> lengths = lengths_of(all);
  const int64_t last = times.back();
  const int64_t seen = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  if (const auto found = pattern_of(lengths, static_cast<size_t>(seen / kStrayEvery)))
    return expected_after(last, *found, Basis::regular, rules);
  const Shown now = shown_of(last, zone);
  const int64_t near = std::min(kNearest, median_of(lengths) / 2);
  const auto both = [&](const Distance& one) {
    const int64_t apart = std::abs(one.from.of_day - now.of_day);
    return one.from.weekday == now.weekday && std::min(apart, kDay - apart) <= near;
  };
  if (const auto found = pattern_of_class(all, both))
    return expected_after(last, *found, Basis::of_both, rules);
  if (const auto found = pattern_of_weekday(all, now.weekday); found && has_weekdays(all))
    return expected_after(last, *found, Basis::of_weekday, rules);
  return after_irregular(last, lengths, seen, rules);
}

}  // namespace

Status check(const Wish& wish) {
  if (wish.never) return {};
  if (wish.every < kMinute || wish.every > kLongestWish)
    return failed(Code::invalid, "expectation", "must be from a minute to ten years",
                  "as --expect 1d, or none");
  if (wish.tolerance < 0 || wish.tolerance > kLongestWish)
    return failed(Code::invalid, "tolerance", "must be from nothing to ten years",
                  "as --tolerance 6h");
  return {};
}

const char* name_of(Basis basis) {
  switch (basis) {
    case Basis::unknown:
      return "unknown";
    case Basis::never:
      return "never";
    case Basis::set:
      return "set";
    case Basis::regular:
      return "regular";
    case Basis::of_weekday:
      return "weekday";
    case Basis::of_both:
      return "weekday and hour";
    case Basis::irregular:
      return "irregular";
  }
  return "unknown";
}

Expectation expect(std::span<const int64_t> times, const std::optional<Wish>& wish,
                   const ExpectedRules& rules) {
  if (times.empty()) return {};
  if (wish && wish->never) return {Basis::never, 0, 0};
  const int64_t last = times.back();
  if (wish) return {Basis::set, last + wish->every, last + wish->every + wish->tolerance};
  const size_t least = std::max<size_t>(rules.least_backups, 2);
  if (times.size() < least || last - times.front() < rules.least_history) return {};
  return from_history(times, rules);
}

}  // namespace cb::watch
