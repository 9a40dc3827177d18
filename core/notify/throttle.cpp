// SPDX-License-Identifier: Apache-2.0
#include "core/notify/throttle.h"

#include <algorithm>
#include <utility>

namespace cb::notify {

namespace {

// So many accounts may each have their whole rate.
constexpr uint64_t kAccountsAtOnce = 4;

}  // namespace

void Throttle::OfKind::begin(std::chrono::nanoseconds now) {
  began = now;
  passed = 0;
  of_account.clear();
}

void Throttle::OfKind::pass(const std::string& account) {
  ++passed;
  ++of_account[account];
}

std::optional<HeldBack> Throttle::admit(const Notice& notice, std::chrono::nanoseconds now) {
  OfKind& of = kinds_[notice.kind];
  if (of.passed == 0 || now - of.began >= rate_.within) of.begin(now);
  const auto own = of.of_account.find(notice.account);
  const bool is_spent = of.passed >= kAccountsAtOnce * rate_.most ||
                        (own != of.of_account.end() && own->second >= rate_.most);
  if (rate_.most != 0 && is_spent) {
    of.held.add(notice);
    return std::nullopt;
  }
  if (rate_.most != 0) of.pass(notice.account);
  return std::exchange(of.held, {});
}

void Throttle::give_back(const std::string& kind, const HeldBack& lost) {
  kinds_[kind].held.add(lost);
}

std::optional<Notice> Throttle::summary(std::chrono::nanoseconds now) {
  for (auto& [kind, of] : kinds_) {
    if (of.held.count == 0 || now - of.began < rate_.within) continue;
    of.begin(now);
    of.pass({});
    return sum_up(kind, of);
  }
  return std::nullopt;
}

std::optional<Notice> Throttle::rest() {
  for (auto& [kind, of] : kinds_)
    if (of.held.count > 0) return sum_up(kind, of);
  return std::nullopt;
}

Notice Throttle::sum_up(const std::string& kind, OfKind& of) {
  const HeldBack held = std::exchange(of.held, {});
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
