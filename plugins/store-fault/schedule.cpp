// SPDX-License-Identifier: Apache-2.0
//
// See schedule.h.
#include "schedule.h"

#include <utility>

namespace store_fault {
namespace {

uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

bool strikes_at(const When& when, uint64_t call, uint64_t dice) {
  switch (when.kind) {
    case When::Kind::always:
      return true;
    case When::Kind::range:
      return call >= when.first && call <= when.last;
    case When::Kind::every:
      return call % when.first == 0;
    case When::Kind::chance:
      return (dice >> 32) < when.chance;
  }
  return false;
}

}  // namespace

Schedule::Schedule(std::vector<Rule> rules, uint64_t seed, uint64_t salt)
    : rules_(std::move(rules)), calls_(rules_.size()), seed_(mix(seed) + salt) {}

uint64_t Schedule::dice(size_t rule, uint64_t call) const {
  return mix(mix(seed_ + rule * 0x2545f4914f6cdd1du) ^ call);
}

void Schedule::judge(Function function, std::string_view name, std::vector<Strike>& strikes) {
  const uint32_t bit = 1u << static_cast<unsigned>(function);
  for (size_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = rules_[i];
    if ((rule.functions & bit) == 0) continue;
    if (name.find(rule.name_part) == std::string_view::npos) continue;
    const uint64_t call = ++calls_[i];
    const uint64_t rolled = dice(i, call);
    if (strikes_at(rule.when, call, rolled)) strikes.push_back({rule, call, mix(rolled)});
  }
}

void Schedule::apply(Standing& standing) const {
  for (const Rule& rule : rules_) {
    if (rule.kind == Kind::budget) standing.budget = rule.value;
    if (rule.kind == Kind::lag) standing.lag_lists = rule.value;
    if (rule.kind == Kind::lag_time) standing.lag_ns = rule.value;
    if (rule.kind == Kind::recover) standing.recover = true;
    if (rule.kind == Kind::down) {
      standing.down = true;
      standing.down_loses = rule.value;
    }
  }
}

}  // namespace store_fault
