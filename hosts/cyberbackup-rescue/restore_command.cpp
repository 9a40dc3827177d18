// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup-rescue restore`: a snapshot, or a part of it, out of packs into a folder.
#include "core/base/units.h"
#include "core/report/json.h"
#include "hosts/cyberbackup-rescue/opened.h"
#include "hosts/cyberbackup/found_damage.h"
#include "hosts/cyberbackup/reading.h"

namespace cb {
namespace {

using report::ExitCode;

struct Wish {
  std::string what = "latest";  // SNAP[:PATH]
  std::string target;
  std::string overwrite;  // empty: the target has to be empty
  bool no_owner = false;
};

client::RestoreRequest request_of(const Wish& wish, const SnapshotPath& what,
                                  const repository::SnapshotInfo& info) {
  client::RestoreRequest request;
  request.root = info.commit.root;
  request.path = what.path;
  request.target = wish.target;
  if (wish.overwrite == "always") request.overwrite = client::Overwrite::always;
  if (wish.overwrite == "never") request.overwrite = client::Overwrite::never;
  request.must_be_empty = wish.overwrite.empty();
  request.owners = !wish.no_owner;
  if (what.path.empty()) request.bytes_expected = info.commit.bytes;
  return request;
}

// What helps with this program's commands and options.
Error explained(Error error, const Wish& wish, const SnapshotPath& what) {
  if (error.code == Code::exists && error.object == wish.target)
    error.advice =
        "take another target, or say with --overwrite what is to become of what is there";
  if (error.code == Code::not_found && error.object == what.path)
    error.advice = "restore a folder above it, or the whole snapshot";
  return error;
}

Result<client::RestoreResult> restore(const RescueOptions& options, const Wish& wish) {
  const SnapshotPath what = parse_snapshot_path(wish.what);
  CB_ASSIGN(const auto opened, open_rescue(options, false));
  tell_oddities(options.common, *opened->rescue);
  CB_ASSIGN(const repository::SnapshotInfo info, choose_rescued(*opened->rescue, what.snapshot));
  ReadProgress progress(options.common);
  client::Restore::Parts parts;
  parts.fetcher = opened->fetcher.get();
  parts.progress = [&](const report::Progress& now) { progress.show(now); };
  parts.clock = &os::system_clock();
  client::Restore run(std::move(parts));
  opened->interruption->react([&run] { run.cancel(); });
  auto result = run.run(request_of(wish, what, info));
  opened->interruption->ignore();
  progress.clear();
  if (!result) return failed(explained(std::move(result).error(), wish, what));
  return result;
}

void print_result(const CommonOptions& common, const client::RestoreResult& result, ExitCode exit) {
  const client::RestoreCounts& counts = result.counts;
  if (common.json) {
    (void)print(report::json_line({{"event", "done"},
                                   {"files", counts.files},
                                   {"folders", counts.folders},
                                   {"others", counts.others},
                                   {"bytes", counts.bytes},
                                   {"problems", result.problem_count},
                                   {"exit", static_cast<int>(exit)}}) +
                "\n");
    return;
  }
  if (common.quiet) return;
  std::string text = "restored " + std::to_string(counts.files) + " files (" +
                     format_size(counts.bytes) + "), " + std::to_string(counts.folders) +
                     " folders, " + std::to_string(counts.others) + " others";
  if (result.problem_count > 0) text += "; " + std::to_string(result.problem_count) + " problems";
  (void)print(text + "\n");
}

int run_restore(const RescueOptions& options, const Wish& wish) {
  const auto result = restore(options, wish);
  if (!result) return report_failure(options.common, result.error());
  const ExitCode exit = result->problem_count == 0 ? ExitCode::done : ExitCode::failed;
  print_problems(options.common, *result);
  print_result(options.common, *result, exit);
  return static_cast<int>(exit);
}

}  // namespace

void add_rescue_restore(CLI::App& app, RescueOptions& options, int& exit_code) {
  const auto wish = std::make_shared<Wish>();
  CLI::App& command = *app.add_subcommand("restore", "Restore a snapshot, a folder or a file");
  command.footer(
      "What is below a folder PATH goes directly into the target, a single file under its name.\n"
      "Without --overwrite the target has to be empty or missing.\n"
      "What is damaged is named, everything else restored (exit 1).\n\nExamples:\n"
      "  cyberbackup-rescue restore /mnt/store --key key.txt --target /tmp/all\n"
      "  cyberbackup-rescue restore /mnt/store 3fa2c1:etc --key key.txt --target /tmp/etc");
  add_rescue_options(command, options);
  command.add_option("SNAP[:PATH]", wish->what, "Id, beginning of one, or \"latest\"; and what")
      ->capture_default_str();
  command.add_option("--target", wish->target, "The target: the folder to restore into")
      ->required();
  command
      .add_option("--overwrite", wish->overwrite,
                  "Files that are there: replace them all, those of another size or time, or none")
      ->check(CLI::IsMember({"always", "if-changed", "never"}));
  command.add_flag("--no-owner", wish->no_owner, "Leave owners as the system sets them");
  command.callback([&options, wish, &exit_code] { exit_code = run_restore(options, *wish); });
}

}  // namespace cb
