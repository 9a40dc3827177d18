// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/found_damage.h"

#include <cstdio>

#include "core/report/json.h"
#include "hosts/cyberbackup/entry_text.h"
#include "hosts/cyberbackup/reading.h"
#include "hosts/cyberbackup/snapshot_listing.h"

namespace cb {

void print_damages(const CommonOptions& options, const client::SnapshotCheckResult& result) {
  for (const client::SnapshotDamage& damage : result.damages) {
    if (options.json) {
      report::Json json = {{"event", "damage"}, {"snapshot", damage.snapshot.hex()}};
      put_path(json, damage.path);
      json["error"] = report::json_of(damage.error);
      (void)print(report::json_line(json) + "\n");
      continue;
    }
    const std::string where = damage.snapshot.is_zero() ? ""
                                                        : short_id(damage.snapshot) + ":" +
                                                              shown_path(damage.path) + ": ";
    (void)print(where + shown_path(damage.error.text()) + "\n");
  }
  if (result.damage_count > result.damages.size() && !options.json)
    (void)print("and " + std::to_string(result.damage_count - result.damages.size()) + " more\n");
}

void print_problems(const CommonOptions& options, const client::RestoreResult& result) {
  for (const client::RestoreProblem& problem : result.problems) {
    if (options.json) {
      report::Json json = {{"event", "problem"}};
      put_path(json, problem.path);
      json["error"] = report::json_of(problem.error);
      (void)print(report::json_line(json) + "\n");
    }
    std::fprintf(stderr, "%s: %s: %s\n", options.program.c_str(), shown_path(problem.path).c_str(),
                 shown_path(problem.error.text()).c_str());
  }
  if (result.problem_count > result.problems.size())
    std::fprintf(stderr, "%s: and %llu more\n", options.program.c_str(),
                 static_cast<unsigned long long>(result.problem_count - result.problems.size()));
}

}  // namespace cb
