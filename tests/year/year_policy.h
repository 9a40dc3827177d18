// SPDX-License-Identifier: Apache-2.0
//
// The rules of the simulated year, and what they keep, said once more and as simply as possible:
// buckets are what strftime prints, and the first of each of the newest ones stays. Pure.
#pragma once

#include <span>

#include "tests/year/year_backup.h"

namespace cb::year {

struct Policy {
  const char* text = "";  // as the server gets it; empty: no rules, all stays
  size_t last = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0;
  int days_within = 0;
  bool keeps_tagged = false;
  int days_in_trash = 7;
};

// One answer for each snapshot of one source, oldest first, at a time of the server's.
std::vector<bool> kept(std::span<const Snapshot* const> snapshots, const Policy& policy,
                       int64_t now_ns);

}  // namespace cb::year
