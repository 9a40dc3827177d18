// SPDX-License-Identifier: Apache-2.0
#include "core/server/settings_upkeep.h"

#include <array>

namespace cb::server {
namespace {

using config::Schema;
using config::Type;

constexpr int64_t kUpkeepDay = 86400 * int64_t{1'000'000'000};

struct ScheduledJob {
  const char* name;
  const char* help;
  const char* def;
};

constexpr std::array<ScheduledJob, 8> kScheduledJobs = {
    {{"retention", "When snapshots that no rule keeps go to the trash, and from there.",
      "daily 01:00"},
     {"collect", "When what no snapshot needs any more is removed.", "daily 02:00"},
     {"compact", "When packs with too little in them are written anew.", "weekly sun 03:00"},
     {"verify", "When packs are read, to see whether they are whole.", "daily 04:00"},
     {"replicate", "When repositories are copied from other servers.", "hourly"},
     {"clean", "When old history and what uploads left behind is removed.", "hourly"},
     {"watch", "When it is looked for backups that did not come, and for odd ones.", "every 15m"},
     {"drills", "When it is looked for accounts where nobody tried to restore for long.",
      "hourly"}}};

Schema upkeep_times() {
  return {
      {.key = "zone",
       .type = Type::choice,
       .help = "The clock that these times are of.",
       .def = "utc",
       .choices = {"utc", "local"},
       .reloadable = true},
      {.key = "window",
       .type = Type::text,
       .help = "Time of day in which scheduled jobs run, as 22:00-06:00; without it, any.",
       .def = "",
       .min = 0,
       .max = 16,
       .reloadable = true},
      {.key = "jitter",
       .type = Type::duration,
       .help = "A scheduled job begins up to this much later, by chance.",
       .def = "5m",
       .min = 0,
       .max = kUpkeepDay,
       .reloadable = true},
      {.key = "budget_bytes",
       .type = Type::size,
       .help = "What one scheduled run may read and write; 0 = as much as it takes.",
       .def = "0",
       .min = 0,
       .reloadable = true},
      {.key = "budget_time",
       .type = Type::duration,
       .help = "How long one scheduled run may take; 0 = as long as it takes.",
       .def = "0s",
       .min = 0,
       .max = 30 * kUpkeepDay,
       .reloadable = true},
  };
}

Schema upkeep_amounts() {
  return {
      {.key = "most_removed",
       .type = Type::integer,
       .help = "Per cent of a source's snapshots that one run removes without asking.",
       .def = "50",
       .min = 1,
       .max = 100,
       .reloadable = true},
      {.key = "verify_age",
       .type = Type::duration,
       .help = "How old the last reading of a pack may be before it is read again.",
       .def = "30d",
       .min = 0,
       .max = 3650 * kUpkeepDay,
       .reloadable = true},
      {.key = "drill_within",
       .type = Type::duration,
       .help = "Tell of accounts where no drill passed for so long; 0 = of none.",
       .def = "0s",
       .min = 0,
       .max = 3650 * kUpkeepDay,
       .reloadable = true},
      {.key = "history",
       .type = Type::duration,
       .help = "How long runs of jobs are remembered.",
       .def = "400d",
       .min = kUpkeepDay,
       .max = 36500 * kUpkeepDay,
       .reloadable = true},
  };
}

}  // namespace

Schema upkeep_schema() {
  Schema schema;
  for (const ScheduledJob& job : kScheduledJobs)
    schema.push_back({.key = job.name,
                      .type = Type::text,
                      .help = job.help,
                      .def = job.def,
                      .min = 1,
                      .max = 64,
                      .reloadable = true});
  for (config::Option& option : upkeep_times()) schema.push_back(std::move(option));
  for (config::Option& option : upkeep_amounts()) schema.push_back(std::move(option));
  return schema;
}

UpkeepSettings upkeep_of(const CheckedTable& table, const config::Place& file,
                         config::Problems& problems) {
  const config::Values& values = table.values;
  UpkeepSettings upkeep;
  const auto refuse = [&](const std::string& key, const Error& error) {
    const config::Node* written = table.node != nullptr ? table.node->find(key) : nullptr;
    problems.add(written != nullptr ? written->at : file, table.name + "." + key,
                 error.object + " " + error.cause, error.advice);
  };
  for (const ScheduledJob& job : kScheduledJobs) {
    if (!values.is_set(job.name)) continue;
    auto schedule = schedule::Schedule::parse(values.text(job.name));
    if (schedule)
      upkeep.schedules[job.name] = *schedule;
    else
      refuse(job.name, schedule.error());
  }
  auto window = schedule::Window::parse(values.text("window"));
  if (window)
    upkeep.window = *window;
  else
    refuse("window", window.error());
  upkeep.in_local_time = values.text("zone") == "local";
  upkeep.jitter = values.duration("jitter");
  upkeep.budget_bytes = static_cast<uint64_t>(values.number("budget_bytes"));
  upkeep.budget_time = values.duration("budget_time");
  upkeep.most_removed = static_cast<uint32_t>(values.number("most_removed"));
  upkeep.verify_age = values.duration("verify_age");
  upkeep.drill_within = values.duration("drill_within");
  upkeep.history = values.duration("history");
  return upkeep;
}

}  // namespace cb::server
