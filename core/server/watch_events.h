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
// A snapshot looks as if data was spoilt. `state`: frozen or not; `normal`: the one before it that
// is kept, or empty.
Event anomaly_event(const std::string& account, const catalog::SourceBackup& backup,
                    const catalog::SourceState& state);

}  // namespace cb::server
