// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup restore`: a snapshot, or a part of it, into a folder.
#include "core/base/units.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/entry_text.h"
#include "hosts/cyberbackup/found_damage.h"
#include "hosts/cyberbackup/interruption.h"
#include "hosts/cyberbackup/reading.h"

namespace cb {
namespace {

using client::Overwrite;
using client::RestoreResult;
using report::ExitCode;
using report::Json;

struct RestoreOptions {
  std::string what;  // SNAP[:PATH]
  std::string target;
  std::string overwrite;  // empty: the target has to be empty
  bool resume = false;
  bool dry_run = false;
  bool verify = false;
  bool no_owner = false;
  unsigned threads = 0;
};

client::RestoreRequest request_of(const RestoreOptions& options, const SnapshotPath& what,
                                  const repository::SnapshotInfo& info) {
  client::RestoreRequest request;
  request.root = info.commit.root;
  request.path = what.path;
  request.target = options.target;
  if (options.overwrite == "always") request.overwrite = Overwrite::always;
  if (options.overwrite == "never") request.overwrite = Overwrite::never;
  request.must_be_empty = options.overwrite.empty() && !options.resume;
  request.resume = options.resume;
  request.dry_run = options.dry_run;
  request.verify = options.verify;
  request.owners = !options.no_owner;
  request.threads = options.threads;
  if (what.path.empty()) request.bytes_expected = info.commit.bytes;
  return request;
}

void print_step(const CommonOptions& common, client::RestoreStep step,
                const repository::Entry& entry) {
  if (!common.json) {
    (void)print(std::string(name_of(step)) + "  " + shown_path(entry.path) + "\n");
    return;
  }
  Json json = {{"event", "entry"}, {"step", std::string(name_of(step))}};
  json.update(json_of(entry));
  (void)print(report::json_line(json) + "\n");
}

void print_result(const CommonOptions& common, const RestoreOptions& options,
                  const RestoreResult& result, ExitCode exit) {
  const client::RestoreCounts& counts = result.counts;
  if (common.json) {
    (void)print(report::json_line({{"event", "done"},
                                   {"dry_run", options.dry_run},
                                   {"files", counts.files},
                                   {"folders", counts.folders},
                                   {"others", counts.others},
                                   {"bytes", counts.bytes},
                                   {"files_kept", counts.files_kept},
                                   {"bytes_fetched", counts.bytes_fetched},
                                   {"problems", result.problem_count},
                                   {"exit", static_cast<int>(exit)}}) +
                "\n");
    return;
  }
  if (common.quiet) return;
  std::string text = options.dry_run ? "would restore " : "restored ";
  text += std::to_string(counts.files) + " files (" + format_size(counts.bytes) + "), " +
          std::to_string(counts.folders) + " folders, " + std::to_string(counts.others) + " others";
  if (counts.files_kept > 0) text += "; " + std::to_string(counts.files_kept) + " were there";
  text += "; fetched " + format_size(counts.bytes_fetched);
  if (result.problem_count > 0) text += "; " + std::to_string(result.problem_count) + " problems";
  (void)print(text + "\n");
}

Error explained(Error error) {
  const bool again = error.code == Code::closed || error.code == Code::cancelled;
  if (again && error.advice.empty())
    error.advice = "run it again with --resume to go on where it was";
  if (error.code == Code::no_space)
    error.advice = "make room in the target, then run it again with --resume";
  return error;
}

Result<RestoreResult> restore(const CommonOptions& common, const RestoreOptions& options) {
  const SnapshotPath what = parse_snapshot_path(options.what);
  Interruption interruption;  // before other threads
  CB_ASSIGN(const Reading reading, Reading::open(common));
  CB_ASSIGN(const repository::SnapshotInfo info, reading.choose(what.snapshot));
  ReadProgress progress(common);
  client::Restore::Parts parts;
  parts.fetcher = reading.fetcher.get();
  parts.progress = [&](const report::Progress& now) { progress.show(now); };
  parts.clock = &os::system_clock();
  if (!options.dry_run) parts.state_folder = reading.place->cache_folder();
  if (options.dry_run || common.verbose)
    parts.step = [&](client::RestoreStep step, const repository::Entry& entry) {
      progress.clear();
      print_step(common, step, entry);
    };
  client::Restore run(std::move(parts));
  interruption.react([&run, &reading] {
    run.cancel();
    reading.place->cancel();
  });
  auto result = run.run(request_of(options, what, info));
  interruption.ignore();
  progress.clear();
  if (!result && interruption.came()) return failed(Code::cancelled, "restore", "was interrupted");
  return result;
}

int run_restore(const CommonOptions& common, const RestoreOptions& options) {
  const auto result = restore(common, options);
  if (!result) return report_failure(common, explained(result.error()));
  const ExitCode exit = result->problem_count == 0 ? ExitCode::done : ExitCode::failed;
  print_problems(common, *result);
  print_result(common, options, *result, exit);
  return static_cast<int>(exit);
}

}  // namespace

void add_restore_command(CLI::App& app, CommonOptions& common, int& exit_code) {
  auto options = std::make_shared<RestoreOptions>();
  CLI::App& command = *app.add_subcommand("restore", "Restore a snapshot, a folder or a file");
  command.footer(
      "What is below a folder PATH goes directly into the target, a single file under its name.\n"
      "Without --overwrite and --resume the target has to be empty or missing. What is damaged is\n"
      "named, everything else restored (exit 1).\n\nExamples:\n"
      "  cyberbackup restore latest --target /tmp/all\n"
      "  cyberbackup restore latest:home/ann --target /home/ann --overwrite if-changed\n"
      "  cyberbackup restore 3fa2c1:etc --target /tmp/etc --dry-run");
  command.add_option("SNAP[:PATH]", options->what, "Id, beginning of one, or \"latest\"; and what")
      ->required();
  command.add_option("--target", options->target, "The target: the folder to restore into")
      ->required();
  command
      .add_option("--overwrite", options->overwrite,
                  "Files that are there: replace them all, those of another size or time, or none")
      ->check(CLI::IsMember({"always", "if-changed", "never"}));
  command.add_flag("--resume", options->resume, "Go on with a restore that was interrupted");
  command.add_flag("--dry-run", options->dry_run, "Only print what would be done");
  command.add_flag("--verify", options->verify, "Read each file back and compare");
  command.add_flag("--no-owner", options->no_owner, "Leave owners as the system sets them");
  command.add_option("--threads", options->threads, "That fetch and decrypt [4]")
      ->check(CLI::Range(1, 4));
  command.callback([&common, options, &exit_code] { exit_code = run_restore(common, *options); });
}

}  // namespace cb
