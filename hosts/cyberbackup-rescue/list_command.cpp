// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup-rescue list`: which snapshots can be restored from a folder.
#include "core/report/json.h"
#include "hosts/cyberbackup-rescue/opened.h"
#include "hosts/cyberbackup/reading.h"
#include "hosts/cyberbackup/snapshot_listing.h"

namespace cb {
namespace {

Result<report::ExitCode> list(const RescueOptions& options) {
  CB_ASSIGN(const auto opened, open_rescue(options, false));
  tell_oddities(options.common, *opened->rescue);
  repository::Remote& remote = *opened->rescue->remote();
  CB_ASSIGN(const auto all, remote.snapshots(true));
  CB_ASSIGN(const SnapshotInsides insides, open_snapshots(remote, opened->rescue->opener(), all));
  if (options.common.json) {
    report::Json json = report::Json::array();
    for (const auto& info : all) json.push_back(json_of(info, insides));
    CB_TRY(print(report::json_line({{"repository", opened->rescue->repository().hex()},
                                    {"from_commits", opened->rescue->has_commits()},
                                    {"snapshots", json}}) +
                 "\n"));
  } else {
    CB_TRY(print(all.empty() ? "no snapshots\n" : table_of(all, insides)));
  }
  return tell_unopened(options.common, insides);
}

}  // namespace

void add_rescue_list(CLI::App& app, RescueOptions& options, int& exit_code) {
  CLI::App& command = *app.add_subcommand("list", "List the snapshots that are there");
  command.footer(
      "One that does not open is named, and all others are shown (exit 1).\n\n"
      "Example:\n  cyberbackup-rescue list /mnt/store --recovery-code-file code.txt");
  add_rescue_options(command, options);
  command.callback([&options, &exit_code] {
    const auto done = list(options);
    exit_code = done ? static_cast<int>(*done) : report_failure(options.common, done.error());
  });
}

}  // namespace cb
