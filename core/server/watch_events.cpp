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

std::string alarm_of(const char* kind, int64_t repository, const std::string& whose,
                     int64_t when_ns) {
  return std::string(kind) + " " + std::to_string(repository) + " " + whose + " " +
         std::to_string(when_ns);
}

}  // namespace

Event overdue_event(const std::string& account, const catalog::SourceState& state,
                    int64_t last_ns) {
  Event event = event_of(event::kOverdue, account, state.source);
  event.subject = "the backup of " + of_source(account, state.source) + " is overdue";
  event.text = "The last one came at " + report::utc_text(last_ns) + ", the next was expected at " +
               report::utc_text(state.expected_ns) +
               ". See whether the machine runs and reaches this server. If it is not to come any "
               "more, or comes with other paths, which make another source: cyberbackupd watch set "
               "--account " +
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

std::string text_of_freeze(const AnomalyNote& note) {
  if (note.state.frozen_ns == 0) return note.is_last_freeze ? "frozen no more" : "not frozen";
  return std::string(note.is_last_freeze ? "frozen for the last time until " : "frozen until ") +
         report::utc_text(note.state.frozen_ns);
}

Event anomaly_event(const std::string& account, const catalog::SourceBackup& backup,
                    const AnomalyNote& note) {
  const catalog::SourceState& state = note.state;
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
                  " --source " + short_of(backup.source) + ".";
  if (note.is_last_freeze)
    event.text += " Anomalies have gone on since " + report::utc_text(state.froze_ns) +
                  ", and a freeze has an end: from then on its rules of retention remove again, "
                  "but for what is pinned. Look before.";
  if (!note.trouble.empty())
    event.text += " Not all of this could be written (" + note.trouble +
                  "), and it is tried again; see that it can.";
  event.severity = Severity::alarm;
  return event;
}

Event many_event(const std::string& account, const SourceKey& source) {
  Event event = event_of(event::kMany, account, source);
  event.subject = account + " has more sources than are watched";
  event.text =
      "Its backups with other sets of paths, from " + short_of(source) +
      " on, are neither missed nor judged. Each set of paths of a device is a source: see "
      "with cyberbackupd watch list --account " +
      account +
      " whether a device changes them at every backup. Those without a backup for 400 days "
      "make room.";
  event.severity = Severity::warning;
  return event;
}

std::string overdue_alarm(int64_t repository, const catalog::SourceState& state) {
  return alarm_of(event::kOverdue, repository, to_hex(state.source), state.overdue_ns);
}

std::string back_alarm(int64_t repository, const SourceKey& source, int64_t overdue_ns) {
  return alarm_of(event::kBack, repository, to_hex(source), overdue_ns);
}

std::string anomaly_alarm(int64_t repository, const catalog::SourceBackup& backup) {
  return alarm_of(event::kAnomaly, repository, to_hex(backup.snapshot), 0);
}

std::string many_alarm(int64_t repository) {
  return std::string(event::kMany) + " " + std::to_string(repository);
}

std::string unkept_alarm(int64_t repository, const SourceKey& source) {
  return "source.unkept " + std::to_string(repository) + " " + text_of_source(source);
}

}  // namespace cb::server
