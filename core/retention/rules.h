// SPDX-License-Identifier: Apache-2.0
//
// Rules of retention: which snapshots of a source stay, and how long the others lie in the trash
// (docs/retention.md). Plain values; functions are pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace cb::retention {

constexpr int64_t kHour = 3600 * int64_t{1'000'000'000};  // nanoseconds, as all times here
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kYear = 365 * kDay;
constexpr int64_t kDefaultCadence = kDay;
constexpr int64_t kDefaultTrashStay = 7 * kDay;

// A keyed hash: what the server knows of a tag, or a snapshot's id.
using Hash = std::array<std::byte, 32>;

struct Rules {
  uint64_t keep_last = 0;  // of so many buckets as wide as the cadence the first snapshot stays
  uint64_t hourly = 0;     // the same with hours, days, ..., none narrower than the cadence
  uint64_t daily = 0;
  uint64_t weekly = 0;
  uint64_t monthly = 0;
  uint64_t yearly = 0;
  int64_t within_ns = 0;   // everything so long before the source's newest snapshot stays
  std::vector<Hash> tags;  // snapshots with one of these stay; sorted, each once
  int64_t cadence_ns = kDefaultCadence;  // no more than one snapshot in so long counts
  int64_t trash_stay_ns = kDefaultTrashStay;

  // Says nothing of what stays: then everything does.
  [[nodiscard]] bool keeps_all() const {
    return keep_last == 0 && hourly == 0 && daily == 0 && weekly == 0 && monthly == 0 &&
           yearly == 0 && within_ns == 0 && tags.empty();
  }
  bool operator==(const Rules&) const = default;
};

// Code::invalid, with the reason, for rules that cannot be meant: a cadence under a minute or over
// a year, a stay in the trash under an hour or over ten years, counts above 100,000, a time within
// above a hundred years, tags that are not sorted or more than 64.
Status check(const Rules& rules);

// The one text form: "keep-daily 7, keep-within 30d, keep-tag <64 hex digits>, cadence 1d,
// trash-stay 7d"; "keep-all" in front where nothing is said of what stays.
std::string text_of(const Rules& rules);
// Reads that form, in any order; what is left out has its default. Code::invalid, naming the part,
// for what is unknown, twice or no number, for rules that check() refuses, and for those that would
// keep nothing: "keep-all" is said, or something is kept.
Result<Rules> parse_rules(std::string_view text);

// "30d", "1d12h": exact, in the units of parse_duration.
std::string duration_text(int64_t nanoseconds);

}  // namespace cb::retention
