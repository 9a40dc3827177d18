// SPDX-License-Identifier: Apache-2.0
//
// What rules say of the snapshots of one source. Pure; whatever a writer sends, it cannot make a
// snapshot go that was there before earlier than one honest snapshot in each cadence would: times
// are the server's, rules count buckets of time and not snapshots, buckets are made of whole
// cadences, and of each bucket the first one stays.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/retention/rules.h"

namespace cb::retention {

// A snapshot that is not in the trash.
struct Snapshot {
  Hash id{};
  uint64_t sequence = 0;  // of its commit
  int64_t time_ns = 0;    // of its commit, by the server's clock
  bool is_checkpoint = false;
  bool is_pinned = false;
  std::vector<Hash> tags;
};

enum class Why {
  no_rules,  // everything stays
  pinned,
  tagged,
  newest,      // the newest whole one of its source
  future,      // committed while the server's clock was ahead
  checkpoint,  // nothing whole came after it, or it is not a day old
  within,
  last,  // the first of a bucket, for the rules of these names
  hourly,
  daily,
  weekly,
  monthly,
  yearly,
};

struct Reason {
  Why why = Why::no_rules;
  uint64_t place = 0;  // for the first of a bucket: which bucket of its rule, the newest is 1

  bool operator==(const Reason&) const = default;
};
// "daily 3": for tables.
std::string text_of(const Reason& reason);

struct Verdict {
  std::vector<Reason> reasons;  // none: it goes

  [[nodiscard]] bool keeps() const { return !reasons.empty(); }
};

// One for each snapshot, in their order, which may be any. A snapshot of the future (`now_ns`: of
// the server's clock) stays and counts for nothing.
std::vector<Verdict> evaluate(std::span<const Snapshot> snapshots, const Rules& rules,
                              int64_t now_ns);

// The newest that is no checkpoint and not of the future; null where there is none.
const Snapshot* newest_whole(std::span<const Snapshot> snapshots, int64_t now_ns);

}  // namespace cb::retention
