// SPDX-License-Identifier: Apache-2.0
#include "tests/year/year_policy.h"

#include <ctime>

namespace cb::year {
namespace {

constexpr int64_t kDayNs = std::chrono::nanoseconds(kDay).count();

std::string printed(int64_t time_ns, const char* form) {
  const std::time_t seconds = time_ns / 1'000'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const size_t size = std::strftime(text.data(), text.size(), form, &parts);
  return {text.data(), size};
}

// The first snapshot of each of the newest `count` buckets.
void keep_firsts(std::span<const Snapshot* const> snapshots, size_t count, const char* form,
                 std::vector<bool>& keep) {
  if (count == 0) return;
  std::vector<size_t> firsts;
  std::string bucket;
  for (size_t i = 0; i < snapshots.size(); ++i) {
    if (snapshots[i]->is_checkpoint) continue;
    const std::string its = printed(snapshots[i]->time_ns, form);
    if (its != bucket) firsts.push_back(i);
    bucket = its;
  }
  for (size_t i = 0; i < std::min(count, firsts.size()); ++i) keep[firsts.rbegin()[i]] = true;
}

// Where the newest is that is no checkpoint; past the end when there is none.
size_t newest_whole(std::span<const Snapshot* const> snapshots) {
  for (size_t i = snapshots.size(); i > 0; --i)
    if (!snapshots[i - 1]->is_checkpoint) return i - 1;
  return snapshots.size();
}

}  // namespace

std::vector<bool> kept(std::span<const Snapshot* const> snapshots, const Policy& policy,
                       int64_t now_ns) {
  const bool keeps_all = *policy.text == '\0';
  std::vector<bool> keep(snapshots.size(), keeps_all);
  keep_firsts(snapshots, policy.last, "%Y-%m-%d", keep);
  keep_firsts(snapshots, policy.daily, "%Y-%m-%d", keep);
  keep_firsts(snapshots, policy.weekly, "%G-%V", keep);
  keep_firsts(snapshots, policy.monthly, "%Y-%m", keep);
  keep_firsts(snapshots, policy.yearly, "%Y", keep);
  const size_t newest = newest_whole(snapshots);
  const bool has_whole = newest < snapshots.size();
  const int64_t newest_day = has_whole ? snapshots[newest]->time_ns / kDayNs : 0;
  const int64_t from_ns = (newest_day - policy.days_within) * kDayNs;
  for (size_t i = 0; i < snapshots.size(); ++i) {
    const Snapshot& one = *snapshots[i];
    const bool is_needed = !has_whole || i > newest || one.time_ns > now_ns - kDayNs;
    const bool is_within = policy.days_within > 0 && one.time_ns >= from_ns;
    const bool stays = one.is_checkpoint ? is_needed : i == newest || is_within;
    const bool is_tagged = policy.keeps_tagged && one.is_tagged;
    if (stays || one.is_pinned || is_tagged) keep[i] = true;
  }
  return keep;
}

}  // namespace cb::year
