// SPDX-License-Identifier: Apache-2.0
//
// Rules with their counters: which fault a call meets. The same seed and the same sequence of calls
// give the same answers. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rule.h"

namespace store_fault {

// A rule that struck, and at which of the calls that it matches.
struct Strike {
  Rule rule;
  uint64_t call = 0;
  uint64_t dice = 0;  // for what else must be decided: where to tear, which bit
};

// What is in force for the store as a whole.
struct Standing {
  int64_t budget = -1;  // bytes; -1: none
  int64_t lag_lists = 0;
  int64_t lag_ns = 0;
  bool down = false;
  int64_t down_loses = 0;
  bool recover = false;
};

class Schedule {
 public:
  Schedule() = default;
  // `salt` tells schedules of the same seed apart.
  Schedule(std::vector<Rule> rules, uint64_t seed, uint64_t salt);

  // Counts the call with every rule that matches it and adds those that strike.
  void judge(Function function, std::string_view name, std::vector<Strike>& strikes);

  // Lays this schedule's rules of the whole store over `standing`.
  void apply(Standing& standing) const;

  [[nodiscard]] size_t size() const { return rules_.size(); }

 private:
  [[nodiscard]] uint64_t dice(size_t rule, uint64_t call) const;

  std::vector<Rule> rules_;
  std::vector<uint64_t> calls_;  // of each rule
  uint64_t seed_ = 0;
};

}  // namespace store_fault
