// SPDX-License-Identifier: Apache-2.0
//
// What is told of sources that are watched: events with their words. Functions are pure.
#pragma once

#include "core/server/events.h"
#include "core/server/watch_book.h"

namespace cb::server {

// A backup did not come. `last_ns`: the newest.
Event overdue_event(const std::string& account, const catalog::SourceState& state, int64_t last_ns);
// One came again after that. `overdue_ns`: since when it had been overdue.
Event back_event(const std::string& account, const SourceKey& source, int64_t overdue_ns,
                 int64_t last_ns);

// What was done about an anomaly.
struct AnomalyNote {
  catalog::SourceState state;   // frozen or not; `normal`: the snapshot that is kept, or empty
  bool is_last_freeze = false;  // whatever comes, there is none after it for a while
  std::string trouble;          // why not all of it could be done; empty: it was
};
// A snapshot looks as if data was spoilt.
Event anomaly_event(const std::string& account, const catalog::SourceBackup& backup,
                    const AnomalyNote& note);
// "frozen until 2026-01-02T03:04:05Z".
std::string text_of_freeze(const AnomalyNote& note);

// A source that is new is not watched, since there are too many.
Event many_event(const std::string& account, const SourceKey& source);

// By what Alarms knows that these were told.
std::string overdue_alarm(int64_t repository, const catalog::SourceState& state);
std::string back_alarm(int64_t repository, const SourceKey& source, int64_t overdue_ns);
std::string anomaly_alarm(int64_t repository, const catalog::SourceBackup& backup);
std::string many_alarm(int64_t repository);
// And that what an anomaly freezes is not in the store yet.
std::string unkept_alarm(int64_t repository, const SourceKey& source);

}  // namespace cb::server
