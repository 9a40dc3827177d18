// SPDX-License-Identifier: Apache-2.0
#include "core/retention/evaluate.h"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace cb::retention {
namespace {

int64_t floor_to(int64_t value, int64_t width) {
  const int64_t rest = value % width;
  return value - (rest < 0 ? rest + width : rest);
}

int64_t days_of(int64_t time_ns) { return floor_to(time_ns, kDay) / kDay; }

std::chrono::year_month_day date_of(int64_t time_ns) {
  return std::chrono::sys_days(std::chrono::days(days_of(time_ns)));
}

// The number of a time's bucket. Numbers ascend with time.
int64_t hour_of(int64_t time_ns) { return floor_to(time_ns, kHour) / kHour; }
int64_t week_of(int64_t time_ns) {
  constexpr int64_t kMonday = 3;  // 1970 began on a Thursday
  return floor_to(days_of(time_ns) + kMonday, 7) / 7;
}
int64_t month_of(int64_t time_ns) {
  const auto date = date_of(time_ns);
  return int64_t{static_cast<int>(date.year())} * 12 + static_cast<unsigned>(date.month());
}
int64_t year_of(int64_t time_ns) { return static_cast<int>(date_of(time_ns).year()); }
int64_t itself(int64_t time_ns) { return time_ns; }

struct BucketRule {
  Why why;
  uint64_t Rules::*count;
  int64_t (*bucket)(int64_t time_ns);
};
constexpr std::array<BucketRule, 6> kRules = {{{Why::last, &Rules::keep_last, itself},
                                               {Why::hourly, &Rules::hourly, hour_of},
                                               {Why::daily, &Rules::daily, days_of},
                                               {Why::weekly, &Rules::weekly, week_of},
                                               {Why::monthly, &Rules::monthly, month_of},
                                               {Why::yearly, &Rules::yearly, year_of}}};

// The snapshots of one source under rules, while verdicts are found.
class Evaluation {
 public:
  Evaluation(std::span<const Snapshot> snapshots, const Rules& rules, int64_t now_ns)
      : snapshots_(snapshots), rules_(rules), now_ns_(now_ns), verdicts_(snapshots.size()) {
    for (size_t i = 0; i < snapshots.size(); ++i)
      if (!snapshots[i].is_checkpoint && snapshots[i].time_ns <= now_ns) whole_.push_back(i);
    std::sort(whole_.begin(), whole_.end(), [&](size_t one, size_t other) {
      const Snapshot& a = snapshots[one];
      const Snapshot& b = snapshots[other];
      return std::pair(a.time_ns, a.sequence) < std::pair(b.time_ns, b.sequence);
    });
  }

  std::vector<Verdict> run() && {
    for (size_t i = 0; i < snapshots_.size(); ++i) judge_alone(i);
    if (!whole_.empty()) add(whole_.back(), Why::newest);
    keep_within();
    for (const BucketRule& rule : kRules) keep_firsts(rule);
    return std::move(verdicts_);
  }

 private:
  void add(size_t index, Why why, uint64_t place = 0) {
    verdicts_[index].reasons.push_back({why, place});
  }

  // What needs no look at the others, but for the newest.
  void judge_alone(size_t index) {
    const Snapshot& one = snapshots_[index];
    if (rules_.keeps_all()) add(index, Why::no_rules);
    if (one.is_pinned) add(index, Why::pinned);
    const bool tagged = std::any_of(one.tags.begin(), one.tags.end(), [&](const Hash& tag) {
      return std::binary_search(rules_.tags.begin(), rules_.tags.end(), tag);
    });
    if (tagged) add(index, Why::tagged);
    if (one.time_ns > now_ns_) add(index, Why::future);
    if (one.is_checkpoint && needs_checkpoint(one)) add(index, Why::checkpoint);
  }

  [[nodiscard]] bool needs_checkpoint(const Snapshot& one) const {
    const Snapshot* newest = whole_.empty() ? nullptr : &snapshots_[whole_.back()];
    const bool is_followed = newest != nullptr && std::pair(newest->time_ns, newest->sequence) >
                                                      std::pair(one.time_ns, one.sequence);
    return !is_followed || one.time_ns > now_ns_ - kDay;
  }

  [[nodiscard]] int64_t cadence_of(size_t index) const {
    return floor_to(snapshots_[index].time_ns, rules_.cadence_ns);
  }

  // Counts back from where the newest one's cadence begins: when in it a writer sends is all one.
  void keep_within() {
    if (rules_.within_ns == 0 || whole_.empty()) return;
    const int64_t from = cadence_of(whole_.back()) - rules_.within_ns;
    for (const size_t index : whole_)
      if (snapshots_[index].time_ns >= from) add(index, Why::within);
  }

  void keep_firsts(const BucketRule& rule) {
    const uint64_t count = rules_.*rule.count;
    std::vector<size_t> firsts;
    for (size_t i = 0; i < whole_.size() && count > 0; ++i) {
      const bool begins =
          i == 0 || rule.bucket(cadence_of(whole_[i])) != rule.bucket(cadence_of(whole_[i - 1]));
      if (begins) firsts.push_back(whole_[i]);
    }
    for (uint64_t place = 1; place <= std::min<uint64_t>(count, firsts.size()); ++place)
      add(firsts[firsts.size() - place], rule.why, place);
  }

  std::span<const Snapshot> snapshots_;
  const Rules& rules_;
  const int64_t now_ns_;
  std::vector<Verdict> verdicts_;
  std::vector<size_t> whole_;  // no checkpoints and none of the future, oldest first
};

}  // namespace

std::string text_of(const Reason& reason) {
  constexpr std::array<std::string_view, 13> kNames = {
      "no rules", "pinned", "tag",   "newest", "future",  "checkpoint", "within",
      "last",     "hourly", "daily", "weekly", "monthly", "yearly"};
  std::string text(kNames[static_cast<size_t>(reason.why)]);
  if (reason.place != 0) text += " " + std::to_string(reason.place);
  return text;
}

std::vector<Verdict> evaluate(std::span<const Snapshot> snapshots, const Rules& rules,
                              int64_t now_ns) {
  return Evaluation(snapshots, rules, now_ns).run();
}

const Snapshot* newest_whole(std::span<const Snapshot> snapshots, int64_t now_ns) {
  const Snapshot* newest = nullptr;
  for (const Snapshot& one : snapshots) {
    if (one.is_checkpoint || one.time_ns > now_ns) continue;
    const bool newer = newest == nullptr || std::pair(one.time_ns, one.sequence) >
                                                std::pair(newest->time_ns, newest->sequence);
    if (newer) newest = &one;
  }
  return newest;
}

}  // namespace cb::retention
