// SPDX-License-Identifier: Apache-2.0
#include "core/server/watch_events.h"

#include "core/report/utc_text.h"

namespace cb::server {
namespace {

constexpr size_t kShownOfDevice = 8;
constexpr size_t kShownOfHash = 12;

// "0a1b2c3d/5e6f7a8b9c0d", as the tables show it.
std::string short_of(const SourceKey& source) {
  const std::string whole = text_of_source(source);
  const size_t slash = whole.find('/');
  if (slash == std::string::npos) return whole;
  return whole.substr(0, kShownOfDevice) + whole.substr(slash, 1 + kShownOfHash);
}

Event event_of(const char* kind, const std::string& account, const SourceKey& source) {
  Event event;
  event.kind = kind;
  event.account = account;
  event.source = text_of_source(source);
  event.device = event.source.substr(0, event.source.find('/'));
  return event;
}

std::string of_source(const std::string& account, const SourceKey& source) {
  return account + " (" + short_of(source) + ")";
}

}  // namespace

Event overdue_event(const std::string& account, const catalog::SourceState& state,
                    int64_t last_ns) {
  Event event = event_of(event::kOverdue, account, state.source);
  event.subject = "the backup of " + of_source(account, state.source) + " is overdue";
  event.text = "The last one came at " + report::utc_text(last_ns) + ", the next was expected at " +
               report::utc_text(state.expected_ns) +
               ". See whether the machine runs and reaches this server. If it is not to come any "
               "more: cyberbackupd watch set --account " +
               account + " --source " + short_of(state.source) + " none";
  event.severity = Severity::warning;
  return event;
}

Event back_event(const std::string& account, const SourceKey& source, int64_t overdue_ns,
                 int64_t last_ns) {
  Event event = event_of(event::kBack, account, source);
  event.subject = "a backup of " + of_source(account, source) + " came again";
  event.text = "It came at " + report::utc_text(last_ns) + " and had been overdue since " +
               report::utc_text(overdue_ns) + ".";
  event.severity = Severity::info;
  return event;
}

Event anomaly_event(const std::string& account, const catalog::SourceBackup& backup,
                    const catalog::SourceState& state) {
  Event event = event_of(event::kAnomaly, account, backup.source);
  event.subject = "a backup of " + of_source(account, backup.source) +
                  " looks as if data was spoilt (score " + std::to_string(backup.score) + ")";
  event.text = "Snapshot " + to_hex(backup.snapshot) + " of " + report::utc_text(backup.time_ns) +
               ": " + backup.reasons + ".";
  if (!state.normal.empty())
    event.text += " The snapshot before it, " + to_hex(state.normal) + ", is kept.";
  if (state.frozen_ns != 0)
    event.text += " Nothing of this source is removed until " + report::utc_text(state.frozen_ns) +
                  ". If all is well: cyberbackupd watch release --account " + account +
                  " --source " + short_of(backup.source);
  event.severity = Severity::alarm;
  return event;
}

}  // namespace cb::server
