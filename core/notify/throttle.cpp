// SPDX-License-Identifier: Apache-2.0
#include "core/notify/throttle.h"

#include <algorithm>
#include <utility>

namespace cb::notify {

std::optional<HeldBack> Throttle::admit(const Notice& notice, std::chrono::nanoseconds now) {
  OfKind& of = kinds_[notice.kind];
  if (of.passed == 0 || now - of.began >= rate_.within) {
    of.began = now;
    of.passed = 0;
  }
  if (rate_.most != 0 && of.passed >= rate_.most) {
    of.held.add(notice);
    return std::nullopt;
  }
  ++of.passed;
  return std::exchange(of.held, {});
}

void Throttle::give_back(const std::string& kind, const HeldBack& lost) {
  kinds_[kind].held.add(lost);
}

std::optional<Notice> Throttle::summary(std::chrono::nanoseconds now) {
  for (auto& [kind, of] : kinds_) {
    if (of.held.count == 0 || now - of.began < rate_.within) continue;
    const HeldBack held = std::exchange(of.held, {});
    of.began = now;
    of.passed = 1;
    Notice notice;
    notice.kind = kind;
    notice.severity = held.severity;
    notice.when_ns = held.newest_ns;
    notice.subject = std::to_string(held.count) + " held back of " + kind;
    notice.text = "So many came in a short time that these were not passed on by themselves:";
    for (const std::string& subject : held.subjects) notice.text += "\n- " + subject;
    if (held.count > held.subjects.size()) notice.text += "\n- ...";
    return notice;
  }
  return std::nullopt;
}

std::optional<std::chrono::nanoseconds> Throttle::next_summary() const {
  std::optional<std::chrono::nanoseconds> next;
  for (const auto& [kind, of] : kinds_) {
    if (of.held.count == 0) continue;
    const auto due = of.began + rate_.within;
    next = std::min(next.value_or(due), due);
  }
  return next;
}

}  // namespace cb::notify
