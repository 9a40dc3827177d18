// SPDX-License-Identifier: Apache-2.0
#include "core/server/settings_watch.h"

namespace cb::server {
namespace {

using config::Schema;
using config::Type;

constexpr int64_t kWatchDay = 86400 * int64_t{1'000'000'000};

Schema watch_for_silence() {
  return {
      {.key = "enabled",
       .type = Type::boolean,
       .help = "Tell when backups do not come, and when one looks as if data was spoilt.",
       .def = "true",
       .reloadable = true},
      {.key = "tolerance",
       .type = Type::duration,
       .help = "How late a backup of a regular source may be, at most, before it is overdue.",
       .def = "6h",
       .min = 0,
       .max = 30 * kWatchDay,
       .reloadable = true},
      {.key = "backups",
       .type = Type::integer,
       .help = "Backups that a source must have before its history says when one is expected.",
       .def = "7",
       .min = 3,
       .max = 1000,
       .reloadable = true},
  };
}

Schema watch_for_anomalies() {
  return {
      {.key = "score",
       .type = Type::integer,
       .help = "The score, of 100, from which on a snapshot is an anomaly.",
       .def = "60",
       .min = 10,
       .max = 100,
       .reloadable = true},
      {.key = "freeze",
       .type = Type::duration,
       .help = "How long nothing of a source is removed after an anomaly; 0 = it goes on.",
       .def = "14d",
       .min = 0,
       .max = 3650 * kWatchDay,
       .reloadable = true},
      {.key = "pin",
       .type = Type::duration,
       .help = "How long the last snapshot before an anomaly stays; not less than freeze.",
       .def = "90d",
       .min = kWatchDay / 24,
       .max = 3650 * kWatchDay,
       .reloadable = true},
      {.key = "low_space",
       .type = Type::integer,
       .help = "Per cent of the store that are free at least before somebody is told; 0 = never.",
       .def = "5",
       .min = 0,
       .max = 90,
       .reloadable = true},
  };
}

}  // namespace

Schema watch_schema() {
  Schema schema = watch_for_silence();
  for (config::Option& option : watch_for_anomalies()) schema.push_back(std::move(option));
  return schema;
}

WatchSettings watch_of(const CheckedTable& table, const config::Place& file,
                       config::Problems& problems) {
  const config::Values& values = table.values;
  WatchSettings watch;
  watch.is_on = values.boolean("enabled");
  watch.tolerance = values.duration("tolerance");
  watch.least_backups = static_cast<uint32_t>(values.number("backups"));
  watch.score_limit = static_cast<uint32_t>(values.number("score"));
  watch.freeze = values.duration("freeze");
  watch.pin = values.duration("pin");
  watch.low_space = static_cast<uint32_t>(values.number("low_space"));
  if (watch.pin < watch.freeze) {
    const config::Node* written = table.node != nullptr ? table.node->find("pin") : nullptr;
    if (written == nullptr && table.node != nullptr) written = table.node->find("freeze");
    problems.add(written != nullptr ? written->at : file, "watch.pin",
                 "is shorter than watch.freeze: the snapshot that is kept would go first",
                 "make it as long at least");
  }
  return watch;
}

}  // namespace cb::server
