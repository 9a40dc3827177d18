// SPDX-License-Identifier: Apache-2.0
#include "core/server/event_post.h"

#include <unistd.h>

#include <array>
#include <functional>

namespace cb::server {
namespace {

notify::Severity severity_of(Severity severity) {
  switch (severity) {
    case Severity::info:
      return notify::Severity::info;
    case Severity::warning:
      return notify::Severity::warning;
    case Severity::alarm:
      break;
  }
  return notify::Severity::alarm;
}

log::Level level_of(Severity severity) {
  return severity == Severity::info ? log::Level::info : log::Level::warn;
}

std::vector<report::Sample> each_target(
    const std::vector<notify::TargetReport>& targets,
    const std::function<double(const notify::TargetReport&)>& value) {
  std::vector<report::Sample> samples;
  for (const notify::TargetReport& target : targets)
    samples.push_back({{{"target", target.name}}, value(target)});
  return samples;
}

}  // namespace

void EventPost::post(Event event) {
  log_.write(level_of(event.severity), "event.posted",
             {{"kind", event.kind},
              {"account", event.account},
              {"source", event.source},
              {"subject", event.subject}});
  notifier_.post({std::move(event.kind), std::move(event.account), std::move(event.source),
                  std::move(event.device), std::move(event.subject), std::move(event.text),
                  severity_of(event.severity), event.when_ns});
}

std::string machine_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

std::vector<report::Metric> notify_metrics(const std::vector<notify::TargetReport>& targets) {
  using Kind = report::Metric::Kind;
  using Target = notify::TargetReport;
  const auto real = [](uint64_t value) { return static_cast<double>(value); };
  std::vector<report::Sample> outcomes;
  for (const Target& target : targets)
    for (const auto& [outcome, count] : std::initializer_list<std::pair<const char*, uint64_t>>{
             {"sent", target.sent}, {"failed", target.failed}, {"held", target.held}})
      outcomes.push_back({{{"target", target.name}, {"outcome", outcome}}, real(count)});
  return {
      {"cyberbackup_notifications_total",
       "Events for each target: sent, given up (failed), held back by its rate.", Kind::counter,
       std::move(outcomes)},
      {"cyberbackup_notification_retries_total", "Tries that failed and were not the last.",
       Kind::counter, each_target(targets, [&](const Target& one) { return real(one.retries); })},
      {"cyberbackup_notifications_waiting", "Events that wait to be sent.", Kind::gauge,
       each_target(targets, [&](const Target& one) { return real(one.waiting); })},
      {"cyberbackup_notify_failing", "1: the newest try failed.", Kind::gauge,
       each_target(targets, [](const Target& one) { return one.last_error.empty() ? 0.0 : 1.0; })},
      {"cyberbackup_notify_last_success_timestamp_seconds",
       "When a target last took something, 0: not since the start.", Kind::gauge,
       each_target(targets, [](const Target& one) {
         return static_cast<double>(one.last_success_ns) / 1e9;
       })}};
}

}  // namespace cb::server
