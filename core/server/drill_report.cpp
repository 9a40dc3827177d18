// SPDX-License-Identifier: Apache-2.0
//
// Drills as scripts and monitoring see them, and the job that looks for missing ones.
#include "core/server/drill_book.h"

namespace cb::server {
namespace {

using report::Json;

Json json_of_device(const DeviceDrill& drill) {
  Json one = {{"device", to_hex(drill.row.device)},
              {"received_ns", drill.row.received_ns},
              {"outcome", drill.row.has_failed ? "failed" : "passed"},
              {"passed_ns", drill.row.passed_ns}};
  if (!drill.record) return one;
  one["ended_ns"] = drill.record->ended_ns;
  one["took_ns"] = drill.record->ended_ns - drill.record->begun_ns;
  one["files_listed"] = drill.record->files_listed;
  one["files"] = drill.record->files;
  one["bytes"] = drill.record->bytes;
  one["live"] = drill.record->live;
  one["problems"] = drill.record->problems;
  one["snapshots"] = Json::array();
  for (const repository::BlobId& id : drill.record->snapshots) one["snapshots"].push_back(id.hex());
  return one;
}

}  // namespace

Json json_of(const AccountDrills& drills, int64_t now_ns) {
  Json one = {{"account", drills.account},
              {"passed_ns", drills.passed_ns},
              {"age_ns", now_ns - drills.newest_ns()},
              {"failed", drills.has_failed},
              {"devices", Json::array()}};
  for (const DeviceDrill& device : drills.devices) one["devices"].push_back(json_of_device(device));
  return one;
}

std::vector<report::Metric> drill_metrics(const std::vector<AccountDrills>& all, int64_t now_ns) {
  std::vector<report::Sample> ages, failures;
  for (const AccountDrills& one : all) {
    ages.push_back(
        {{{"account", one.account}}, static_cast<double>(now_ns - one.newest_ns()) / 1e9});
    failures.push_back({{{"account", one.account}}, one.has_failed ? 1.0 : 0.0});
  }
  using Kind = report::Metric::Kind;
  return {{"cyberbackup_drill_age_seconds",
           "Since the newest drill that passed came, or since the account was made.", Kind::gauge,
           std::move(ages)},
          {"cyberbackup_drill_failed", "1: of one of its devices the newest drill failed.",
           Kind::gauge, std::move(failures)}};
}

JobKind drills_job(const JobParts& parts) {
  const auto look = [parts](const JobCall& call) -> Result<JobResult> {
    JobResult result;
    if (parts.drills == nullptr || call.dry_run) {
      result.summary = "looked for nothing";
      return result;
    }
    const auto within = parts.upkeep().drill_within;
    CB_ASSIGN(const size_t missing, parts.drills->look_for_missing(within));
    result.summary = within.count() == 0
                         ? "nobody is expected to drill: upkeep.drill_within is 0"
                         : std::to_string(missing) + " accounts had no drill in time";
    result.detail = {{"missing", missing}};
    return result;
  };
  JobKind kind{"drills", "looks for accounts where nobody tried to restore for long", look,
               "hourly"};
  kind.writes = false;
  return kind;
}

}  // namespace cb::server
