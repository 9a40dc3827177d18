// SPDX-License-Identifier: Apache-2.0
#include "core/notify/notifier.h"

#include <algorithm>
#include <utility>

namespace cb::notify {
namespace {

constexpr size_t kMostWaiting = 256;  // of one target
constexpr auto kFirstPause = std::chrono::seconds(10);
constexpr auto kLongestPause = std::chrono::minutes(30);
constexpr size_t kIdSize = 8;

}  // namespace

Result<std::unique_ptr<Notifier>> Notifier::open(Parts parts, const Targets& targets) {
  std::unique_ptr<Notifier> made(new Notifier(std::move(parts)));
  Bytes stem(kIdSize);
  CB_TRY(made->parts_.random->fill(stem));
  made->id_stem_ = to_hex(stem);
  (void)made->reconfigure(targets);
  const std::lock_guard hold(made->mutex_);
  made->take_up();
  return made;
}

// It has waited for as long as the clock on the wall says.
void Notifier::take_up() {
  const auto now = parts_.clock->monotonic();
  for (KeptParcel& kept : outbox_.load()) {
    Line* const line = line_of(kept.target);
    if (line == nullptr) {
      outbox_.remove(kept.parcel.id);
      parts_.log->warn("notify.dropped", {{"target", kept.target},
                                          {"notices", 1},
                                          {"subject", kept.parcel.notice.subject},
                                          {"cause", "the target was removed"}});
      continue;
    }
    const std::chrono::nanoseconds age(
        std::max<int64_t>(0, parts_.clock->wall().count() - kept.since_ns));
    line->waiting.push_back({std::move(kept.parcel), now - age, {}, 0, true});
  }
}

Notifier::~Notifier() { close(); }

void Notifier::start() {
  thread_ = std::thread([this] { serve(); });
}

void Notifier::close() {
  {
    const std::lock_guard hold(mutex_);
    closing_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  const std::lock_guard hold(mutex_);
  has_ended_ = true;
  for (Line& line : lines_) end_line(line);
}

void Notifier::end_line(Line& line) {
  while (const auto rest = line.throttle.rest()) enqueue(line, *rest, {});
  for (Waiting& one : line.waiting) keep(line, one);
  const auto is_kept = [](const Waiting& one) { return one.is_kept; };
  const auto kept = std::count_if(line.waiting.begin(), line.waiting.end(), is_kept);
  if (kept > 0)
    parts_.log->info("notify.kept", {{"target", line.target->name()}, {"notices", kept}});
  std::erase_if(line.waiting, is_kept);
  drop(line, "the daemon ends");
}

// What waits in a line, with its files.
void Notifier::drop(Line& line, const char* cause) {
  if (line.waiting.empty()) return;
  parts_.log->warn(
      "notify.dropped",
      {{"target", line.target->name()}, {"notices", line.waiting.size()}, {"cause", cause}});
  while (!line.waiting.empty()) drop_first(line);
}

void Notifier::drop_first(Line& line) {
  if (line.waiting.front().is_kept) outbox_.remove(line.waiting.front().parcel.id);
  line.waiting.pop_front();
}

void Notifier::keep(const Line& line, Waiting& one) {
  if (one.is_kept || !outbox_.is_there()) return;
  const auto age = parts_.clock->monotonic() - one.since;
  one.is_kept =
      outbox_.put({line.target->name(), one.parcel, (parts_.clock->wall() - age).count()});
}

void Notifier::post(const Notice& notice) {
  const Notice clean = cleaned(notice);
  const std::lock_guard hold(mutex_);
  const auto now = parts_.clock->monotonic();
  for (Line& line : lines_) {
    if (!line.target->wants(clean)) continue;
    auto held = line.throttle.admit(clean, now);
    if (held)
      enqueue(line, clean, std::move(*held));
    else
      ++line.counts.held;
    // After the end there is nobody to send it: it is for the next start.
    if (has_ended_) end_line(line);
  }
  changed_.notify_all();
}

void Notifier::enqueue(Line& line, const Notice& notice, HeldBack held) {
  if (line.waiting.size() >= kMostWaiting && !closing_) {
    ++line.counts.held;
    held.add(notice);
    line.throttle.give_back(notice.kind, held);
    return;
  }
  const auto now = parts_.clock->monotonic();
  line.waiting.push_back({{notice, std::move(held), next_id(), parts_.server}, now, now, 0, false});
  keep(line, line.waiting.back());
}

std::string Notifier::next_id() { return id_stem_ + "-" + std::to_string(++ids_); }

TargetChanges Notifier::reconfigure(const Targets& targets) {
  TargetChanges changes;
  const std::lock_guard hold(mutex_);
  std::vector<Line> fresh;
  for (const auto& target : targets) {
    Line* const old = line_of(target->name());
    if (old == nullptr) {
      changes.added.push_back(target->name());
      fresh.push_back({target, Throttle(target->settings().rate)});
      continue;
    }
    if (!is_same(old->target->settings(), target->settings()))
      changes.changed.push_back(target->name());
    old->target = target;
    old->throttle.set_rate(target->settings().rate);
    // What failed before may work now.
    for (Waiting& one : old->waiting) one.next_try = {};
    fresh.push_back(std::move(*old));
    old->target = nullptr;
  }
  for (Line& line : lines_) {
    if (line.target == nullptr) continue;
    changes.removed.push_back(line.target->name());
    drop(line, "the target was removed");
  }
  lines_ = std::move(fresh);
  changed_.notify_all();
  return changes;
}

Notifier::Line* Notifier::line_of(const std::string& name) {
  const auto found = std::find_if(lines_.begin(), lines_.end(), [&](const Line& line) {
    return line.target != nullptr && line.target->name() == name;
  });
  return found == lines_.end() ? nullptr : &*found;
}

void Notifier::serve() {
  for (;;) {
    while (try_one()) {
    }
    std::unique_lock hold(mutex_);
    if (closing_) return;
    add_summaries();
    std::optional<std::chrono::nanoseconds> next;
    for (const Line& line : lines_)
      if (const auto due = due_of(line)) next = std::min(next.value_or(*due), *due);
    const auto now = parts_.clock->monotonic();
    if (next && *next <= now) continue;
    if (next)
      changed_.wait_for(hold, *next - now);
    else
      changed_.wait(hold);
    if (closing_) return;
  }
}

size_t Notifier::run_due() {
  size_t tries = 0;
  while (try_one()) ++tries;
  return tries;
}

// False when nothing is due.
bool Notifier::try_one() {
  std::shared_ptr<const Target> target;
  Parcel parcel;
  {
    const std::lock_guard hold(mutex_);
    if (closing_) return false;
    add_summaries();
    Line* const line = due_line();
    if (line == nullptr) return false;
    line->last_turn = parts_.clock->monotonic();
    target = line->target;
    parcel = line->waiting.front().parcel;
  }
  settle(target, parcel.id, send(*target, parcel));
  return true;
}

Status Notifier::send(const Target& target, const Parcel& parcel) {
  const IsCancelled is_cancelled = [this] {
    const std::lock_guard hold(mutex_);
    return closing_;
  };
  return target.send(parcel, parts_.clock->wall().count(), is_cancelled);
}

// The target may have gone meanwhile, and with it what was tried.
void Notifier::settle(const std::shared_ptr<const Target>& target, const std::string& id,
                      const Status& sent) {
  const std::lock_guard hold(mutex_);
  Line* const line = line_of(target->name());
  const bool is_there =
      line != nullptr && !line->waiting.empty() && line->waiting.front().parcel.id == id;
  // What was broken off at the end was not tried.
  if (is_there && (sent || !closing_)) finish_first(*line, sent);
}

void Notifier::finish_first(Line& line, const Status& sent) {
  note(line.counts, sent);
  Waiting& first = line.waiting.front();
  if (sent) {
    ++line.counts.sent;
    parts_.log->info("notify.sent", {{"target", line.target->name()},
                                     {"kind", first.parcel.notice.kind},
                                     {"subject", first.parcel.notice.subject}});
    drop_first(line);
    return;
  }
  const bool is_late = parts_.clock->monotonic() - first.since >= line.target->settings().give_up;
  if (sent.error().retry != Retry::no && !is_late) {
    ++line.counts.retries;
    back_off(first);
    keep(line, first);
    parts_.log->warn("notify.retry", {{"target", line.target->name()},
                                      {"kind", first.parcel.notice.kind},
                                      {"error", sent.error().text()}});
    return;
  }
  ++line.counts.failed;
  parts_.log->error("notify.failed", {{"target", line.target->name()},
                                      {"kind", first.parcel.notice.kind},
                                      {"subject", first.parcel.notice.subject},
                                      {"error", sent.error().text()}});
  drop_first(line);
}

// Twice as long each time, less up to a quarter by chance.
void Notifier::back_off(Waiting& first) {
  std::chrono::nanoseconds pause = kFirstPause;
  for (uint32_t i = 0; i < first.tries && pause < kLongestPause; ++i) pause *= 2;
  pause = std::min<std::chrono::nanoseconds>(pause, kLongestPause);
  ++first.tries;
  Bytes chance(1);
  if (parts_.random->fill(chance)) pause -= pause / 1024 * std::to_integer<int>(chance[0]);
  first.next_try = parts_.clock->monotonic() + pause;
}

void Notifier::note(TargetReport& counts, const Status& sent) const {
  const int64_t now = parts_.clock->wall().count();
  (sent ? counts.last_success_ns : counts.last_failure_ns) = now;
  counts.last_error = sent ? std::string() : sent.error().text();
}

void Notifier::add_summaries() {
  const auto now = parts_.clock->monotonic();
  for (Line& line : lines_)
    while (line.waiting.size() < kMostWaiting) {
      const auto summary = line.throttle.summary(now);
      if (!summary) break;
      enqueue(line, *summary, {});
    }
}

// Of those that are due the one that had no turn for longest, so that none waits for another's
// tries.
Notifier::Line* Notifier::due_line() {
  const auto now = parts_.clock->monotonic();
  Line* chosen = nullptr;
  for (Line& line : lines_) {
    if (line.waiting.empty() || line.waiting.front().next_try > now) continue;
    if (chosen == nullptr || line.last_turn < chosen->last_turn) chosen = &line;
  }
  return chosen;
}

std::optional<std::chrono::nanoseconds> Notifier::due_of(const Line& line) const {
  std::optional<std::chrono::nanoseconds> due;
  if (!line.waiting.empty()) due = line.waiting.front().next_try;
  const auto summary = line.throttle.next_summary();
  if (summary && line.waiting.size() < kMostWaiting)
    due = std::min(due.value_or(*summary), *summary);
  return due;
}

std::optional<std::chrono::nanoseconds> Notifier::next_due() const {
  const std::lock_guard hold(mutex_);
  std::optional<std::chrono::nanoseconds> next;
  for (const Line& line : lines_)
    if (const auto due = due_of(line)) next = std::min(next.value_or(*due), *due);
  return next;
}

Result<std::vector<TestOutcome>> Notifier::test(const std::string& name,
                                                const std::string& asked_by) {
  Targets targets;
  Parcel parcel;
  {
    const std::lock_guard hold(mutex_);
    for (const Line& line : lines_)
      if (name.empty() || line.target->name() == name) targets.push_back(line.target);
    parcel.id = next_id();
  }
  if (targets.empty() && !name.empty())
    return failed(Code::not_found, "target " + name, "is not configured",
                  "cyberbackupd notify list shows which are");
  parcel.server = parts_.server;
  parcel.notice = cleaned({"test", "", "", "", "A test of notifications",
                           "Asked for by " + asked_by + ". There is nothing to do.", Severity::info,
                           parts_.clock->wall().count()});
  std::vector<TestOutcome> outcomes;
  for (const auto& target : targets) {
    const auto began = parts_.clock->monotonic();
    const Status sent = send(*target, parcel);
    TestOutcome outcome{target->name(), target->description(), std::nullopt,
                        parts_.clock->monotonic() - began};
    if (!sent) outcome.error = sent.error();
    outcomes.push_back(std::move(outcome));
    const std::lock_guard hold(mutex_);
    if (Line* const line = line_of(target->name())) note(line->counts, sent);
  }
  return outcomes;
}

std::vector<TargetReport> Notifier::list() const {
  const std::lock_guard hold(mutex_);
  std::vector<TargetReport> all;
  for (const Line& line : lines_) {
    TargetReport report = line.counts;
    report.name = line.target->name();
    report.description = line.target->description();
    report.kinds = line.target->settings().kinds;
    report.least = line.target->settings().least;
    report.waiting = line.waiting.size();
    all.push_back(std::move(report));
  }
  return all;
}

}  // namespace cb::notify
