// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup-rescue check`: is everything there that the snapshots need, and does it open?
#include "core/base/units.h"
#include "core/client/snapshot_check.h"
#include "core/report/json.h"
#include "hosts/cyberbackup-rescue/opened.h"
#include "hosts/cyberbackup/found_damage.h"
#include "hosts/cyberbackup/reading.h"

namespace cb {
namespace {

using client::SnapshotCheckResult;
using report::ExitCode;

struct Outcome {
  SnapshotCheckResult result;
  uint64_t damaged_packs = 0;  // and other files
};

Result<Outcome> check(const RescueOptions& options) {
  CB_ASSIGN(const auto opened, open_rescue(options, true));
  const rescue::Rescue& rescue = *opened->rescue;
  tell_oddities(options.common, rescue);
  ReadProgress progress(options.common);
  client::SnapshotCheck::Parts parts;
  parts.remote = rescue.remote().get();
  parts.fetcher = opened->fetcher.get();
  parts.repository = rescue.repository();
  parts.root = rescue.root();
  parts.key_of = [&rescue](const repository::DeviceId& device) { return rescue.key_of(device); };
  parts.progress = [&](const report::Progress& now) { progress.show(now); };
  parts.clock = &os::system_clock();
  client::SnapshotCheck run(std::move(parts));
  opened->interruption->react([&run] { run.cancel(); });
  auto result = run.run(true);
  opened->interruption->ignore();
  progress.clear();
  if (!result) return failed(std::move(result).error());
  return Outcome{std::move(*result), rescue.hoard().damage.size()};
}

void print_outcome(const CommonOptions& common, const Outcome& outcome, ExitCode exit) {
  const SnapshotCheckResult& result = outcome.result;
  if (common.json) {
    (void)print(report::json_line({{"event", "done"},
                                   {"snapshots", result.snapshots},
                                   {"blobs", result.blobs},
                                   {"unknown_signers", result.unknown_signers},
                                   {"damages", result.damage_count},
                                   {"damaged_files", outcome.damaged_packs},
                                   {"exit", static_cast<int>(exit)}}) +
                "\n");
    return;
  }
  if (common.quiet) return;
  (void)print(std::to_string(result.snapshots) + " snapshots and " + std::to_string(result.blobs) +
              " blobs of content checked, " + format_size(result.bytes_read) +
              " read: " + std::to_string(result.damage_count) + " damages, " +
              std::to_string(outcome.damaged_packs) + " remarks on files\n");
  if (result.unknown_signers > 0)
    (void)print(std::to_string(result.unknown_signers) +
                " snapshots: whose signature they bear is not known here\n");
}

int run_check(const RescueOptions& options) {
  const auto outcome = check(options);
  if (!outcome) return report_failure(options.common, outcome.error());
  const bool is_clean = outcome->result.damage_count == 0 && outcome->damaged_packs == 0;
  const ExitCode exit = is_clean ? ExitCode::done : ExitCode::failed;
  print_damages(options.common, outcome->result);
  print_outcome(options.common, *outcome, exit);
  return static_cast<int>(exit);
}

}  // namespace

void add_rescue_check(CLI::App& app, RescueOptions& options, int& exit_code) {
  CLI::App& command = *app.add_subcommand("check", "Read everything, and name what is damaged");
  command.footer("Example:\n  cyberbackup-rescue check /mnt/store --key key.txt");
  add_rescue_options(command, options);
  command.callback([&options, &exit_code] { exit_code = run_check(options); });
}

}  // namespace cb
