// SPDX-License-Identifier: Apache-2.0
#include "core/server/lock_out.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace cb::server {
namespace {

using std::chrono::nanoseconds;

constexpr size_t kMostSubjects = 16384;
constexpr uint32_t kMostDoublings = 40;  // no overflow, and longer than any longest wait

}  // namespace

LockOut::LockOut(const os::Clock& clock, const LockOutSettings& settings)
    : clock_(clock), settings_(settings) {}

nanoseconds LockOut::wait_after(uint32_t failures) const {
  if (failures <= settings_.tries) return nanoseconds::zero();
  const uint32_t doublings = std::min(failures - settings_.tries - 1, kMostDoublings);
  const nanoseconds longest = settings_.longest;
  if (settings_.wait > longest / (int64_t{1} << doublings)) return longest;
  return settings_.wait * (int64_t{1} << doublings);
}

// An entry that is too old is dropped on the way.
LockOut::Entries::iterator LockOut::find(const std::string& subject, nanoseconds now) {
  const auto found = entries_.find(subject);
  if (found == entries_.end() || found->second.until + settings_.longest > now) return found;
  entries_.erase(found);
  return entries_.end();
}

nanoseconds LockOut::wait_of(const std::string& subject) {
  const std::lock_guard lock(mutex_);
  const nanoseconds now = clock_.monotonic();
  const auto found = find(subject, now);
  if (found == entries_.end()) return nanoseconds::zero();
  return std::max(found->second.until - now, nanoseconds::zero());
}

nanoseconds LockOut::fail(const std::string& subject) {
  const std::lock_guard lock(mutex_);
  const nanoseconds now = clock_.monotonic();
  auto found = find(subject, now);
  if (found == entries_.end()) {
    if (entries_.size() >= kMostSubjects) make_room(now);
    found = entries_.emplace(subject, Entry{}).first;
  }
  Entry& entry = found->second;
  if (entry.failures < UINT32_MAX) ++entry.failures;
  entry.until = std::max(entry.until, now + wait_after(entry.failures));
  return entry.until - now;
}

void LockOut::take_back(const std::string& subject) {
  const std::lock_guard lock(mutex_);
  const nanoseconds now = clock_.monotonic();
  const auto found = find(subject, now);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (--entry.failures == 0)
    entries_.erase(found);
  else
    entry.until = std::min(entry.until, now);
}

void LockOut::clear(const std::string& subject) {
  const std::lock_guard lock(mutex_);
  entries_.erase(subject);
}

// Old entries go; without any those that failed least, so that whoever was locked out cannot free
// himself by failing under many names. Many at one time, since looking for them takes long.
void LockOut::make_room(nanoseconds now) {
  std::erase_if(entries_,
                [&](const auto& entry) { return entry.second.until + settings_.longest <= now; });
  if (entries_.size() < kMostSubjects) return;
  using Least = std::pair<std::pair<uint32_t, nanoseconds>, Entries::iterator>;
  std::vector<Least> all;
  all.reserve(entries_.size());
  for (auto one = entries_.begin(); one != entries_.end(); ++one)
    all.push_back({{one->second.failures, one->second.until}, one});
  const auto end = all.begin() + kMostSubjects / 8;
  std::nth_element(all.begin(), end, all.end(),
                   [](const Least& one, const Least& other) { return one.first < other.first; });
  std::for_each(all.begin(), end, [&](const Least& one) { entries_.erase(one.second); });
}

void LockOut::set(const LockOutSettings& settings) {
  const std::lock_guard lock(mutex_);
  settings_ = settings;
}

size_t LockOut::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace cb::server
