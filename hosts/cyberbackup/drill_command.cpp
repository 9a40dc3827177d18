// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup drill`: tries to restore, before somebody has to.
#include <algorithm>
#include <cstdlib>

#include "core/base/units.h"
#include "core/client/drill.h"
#include "core/client/drill_sample.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/entry_text.h"
#include "hosts/cyberbackup/interruption.h"
#include "hosts/cyberbackup/reading.h"

namespace cb {
namespace {

using client::DrillProblem;
using client::DrillResult;
using report::ExitCode;
using report::Json;
using repository::SnapshotInfo;

constexpr const char* kDrillText =
    "Restores files, drawn by lot, to a folder of its own, reads them back and compares them with\n"
    "what the snapshot says and, where they did not change since, with the files on this machine.\n"
    "Newer snapshots, larger files and those that changed lately are drawn more often. What came "
    "of\n"
    "it is signed by this device and told to the server: numbers, and no name of a file.\n\n"
    "Exit codes: 0 all came back as it was, 1 something did not (it is named), 3 it did, but the\n"
    "server could not be told; others as below.\n\nExamples:\n"
    "  cyberbackup drill\n"
    "  cyberbackup drill --snapshots 5 --files 200 --bytes 2GiB\n"
    "  cyberbackup drill 3fa2c1 --scratch /mnt/spare --keep";

struct DrillOptions {
  std::vector<std::string> names;  // of snapshots; none: drawn by lot
  size_t snapshots = 1;
  uint64_t files = 50;
  std::string bytes = "256MiB";
  std::string scratch;
  bool keep = false;
  bool no_live = false;
};

// The snapshots that were named, or as many as are drawn.
Result<std::vector<SnapshotInfo>> choose_drilled(const std::vector<SnapshotInfo>& list,
                                                 const DrillOptions& options) {
  if (options.names.empty())
    return client::draw_snapshots(list, options.snapshots, os::system_random());
  std::vector<SnapshotInfo> chosen;
  for (const std::string& name : options.names) {
    CB_ASSIGN(const SnapshotInfo info, choose_snapshot(list, name));
    const bool is_there = std::any_of(chosen.begin(), chosen.end(), [&](const SnapshotInfo& one) {
      return one.commit.snapshot == info.commit.snapshot;
    });
    if (!is_there) chosen.push_back(info);
  }
  return chosen;
}

// When the snapshot before each was made, of the same source.
std::map<repository::BlobId, int64_t> times_before(const std::vector<SnapshotInfo>& list) {
  std::map<repository::BlobId, int64_t> times;
  std::map<std::pair<repository::DeviceId, repository::KeyedHash>, int64_t> last;
  for (const SnapshotInfo& info : list) {
    int64_t& before = last[{info.commit.device, info.commit.source}];
    if (before != 0) times[info.commit.snapshot] = before;
    before = info.commit.time_ns;
  }
  return times;
}

os::Path scratch_place(const DrillOptions& options) {
  if (!options.scratch.empty()) return options.scratch;
  const char* temporary = std::getenv("TMPDIR");
  return temporary != nullptr && temporary[0] == '/' ? temporary : "/tmp";
}

Result<client::DrillRequest> drill_request(const Reading& reading, const DrillOptions& options) {
  CB_ASSIGN(const auto list, readable_snapshots(*reading.remote));
  if (list.empty())
    return failed(Code::not_found, "snapshot", "there is none yet", "cyberbackup backup makes one");
  client::DrillRequest request;
  CB_ASSIGN(request.snapshots, choose_drilled(list, options));
  request.since_ns = times_before(list);
  request.most_files = options.files;
  CB_ASSIGN(const int64_t bytes, parse_size(options.bytes));
  request.most_bytes = static_cast<uint64_t>(bytes);
  request.scratch_parent = scratch_place(options);
  request.keep = options.keep;
  if (!options.no_live) request.live_device = reading.place->device();
  return request;
}

// Signs the result and tells the server.
Status report_result(Workplace& place, const DrillResult& result) {
  repository::DrillRecord record = client::record_of(result, place.device());
  CB_TRY(repository::sign_drill(record, place.profile().repository, place.sign()));
  CB_ASSIGN(const auto session, place.dial());
  CB_TRY(session->report_drill(record));
  return {};
}

Json json_of_problem(const DrillProblem& problem) {
  Json json = {{"snapshot", problem.snapshot.hex()}, {"path", shown_path(problem.path)}};
  json.update(report::json_of(problem.error));
  return json;
}

Json json_of_drill(const DrillResult& result, const Status& reported) {
  Json json = {{"event", "done"},
               {"snapshots", Json::array()},
               {"files_listed", result.files_listed},
               {"files", result.files},
               {"bytes", result.bytes},
               {"live", result.live},
               {"problems", result.problem_count},
               {"reported", reported.has_value()}};
  for (const repository::BlobId& id : result.snapshots) json["snapshots"].push_back(id.hex());
  if (!reported) json["report_error"] = report::json_of(reported.error());
  if (!result.kept.empty()) json["kept"] = result.kept.string();
  return json;
}

void print_drill_problems(const CommonOptions& common, const DrillResult& result) {
  for (const DrillProblem& one : result.problems) {
    if (common.json) {
      Json json = {{"event", "problem"}};
      json.update(json_of_problem(one));
      (void)print(report::json_line(json) + "\n");
      continue;
    }
    const std::string what = one.path.empty() ? "its list of files" : shown_path(one.path);
    warn("snapshot " + one.snapshot.hex().substr(0, 12) + ": " + what + ": " + one.error.text());
  }
  if (common.verbose)
    for (const DrillProblem& one : result.notes)
      warn("note: " + shown_path(one.path) + ": " + one.error.text());
}

std::string drill_text(const DrillResult& result) {
  std::string text = "restored and compared " + std::to_string(result.files) + " of " +
                     std::to_string(result.files_listed) + " files (" + format_size(result.bytes) +
                     ") of " + std::to_string(result.snapshots.size()) +
                     (result.snapshots.size() == 1 ? " snapshot" : " snapshots");
  if (result.live > 0)
    text += ", " + std::to_string(result.live) + " with the files on this machine, too";
  text += result.problem_count == 0 ? ": all came back as it was"
                                    : ": " + std::to_string(result.problem_count) +
                                          (result.problem_count == 1 ? " problem" : " problems") +
                                          " (cyberbackup check --read-data looks at everything)";
  if (!result.kept.empty()) text += "\nwhat was restored lies in " + result.kept.string();
  return text + "\n";
}

ExitCode exit_of_drill(const DrillResult& result, const Status& reported) {
  if (result.problem_count > 0) return ExitCode::failed;
  return reported ? ExitCode::done : ExitCode::partial;
}

Result<DrillResult> drill(const CommonOptions& common, const DrillOptions& options,
                          Status& reported) {
  Interruption interruption;  // before other threads
  CB_ASSIGN(const Reading reading, Reading::open(common));
  CB_ASSIGN(const client::DrillRequest request, drill_request(reading, options));
  for (const SnapshotInfo& info : request.snapshots) (void)reading.use(info);
  ReadProgress progress(common);
  client::Drill::Parts parts;
  parts.fetcher = reading.fetcher.get();
  parts.random = &os::system_random();
  parts.clock = &os::system_clock();
  parts.progress = [&](const report::Progress& now) { progress.show(now); };
  client::Drill run(std::move(parts));
  interruption.react([&run, &reading] {
    run.cancel();
    reading.place->cancel();
  });
  auto result = run.run(request);
  interruption.ignore();
  progress.clear();
  if (!result && interruption.came()) return failed(Code::cancelled, "drill", "was interrupted");
  if (result) reported = report_result(*reading.place, *result);
  return result;
}

int run_drill(const CommonOptions& common, const DrillOptions& options) {
  Status reported;
  const auto result = drill(common, options, reported);
  if (!result) return report_failure(common, result.error());
  const ExitCode exit = exit_of_drill(*result, reported);
  print_drill_problems(common, *result);
  if (!reported) warn("the server was not told: " + reported.error().text());
  if (common.json) {
    Json json = json_of_drill(*result, reported);
    json["exit"] = static_cast<int>(exit);
    (void)print(report::json_line(json) + "\n");
  } else if (!common.quiet) {
    (void)print(drill_text(*result));
  }
  return static_cast<int>(exit);
}

}  // namespace

void add_drill_command(CLI::App& app, CommonOptions& common, int& exit_code) {
  auto options = std::make_shared<DrillOptions>();
  CLI::App& command =
      *app.add_subcommand("drill", "Restore a random sample to a scratch folder, and compare");
  command.footer(kDrillText);
  command.add_option("SNAP", options->names, "Ids, beginnings of them, or \"latest\"; else by lot")
      ->expected(0, static_cast<int>(repository::kMostDrilled));
  command.add_option("--snapshots", options->snapshots, "So many, by lot")
      ->capture_default_str()
      ->check(CLI::Range(size_t{1}, repository::kMostDrilled));
  command.add_option("--files", options->files, "Files at most")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  command.add_option("--bytes", options->bytes, "Bytes at most")->capture_default_str();
  command.add_option("--scratch", options->scratch,
                     "Where its folder is made [the system's place for temporary files]");
  command.add_flag("--keep", options->keep, "Leave what was restored where it is");
  command.add_flag("--no-live", options->no_live, "Do not compare with the files on this machine");
  command.callback([&common, options, &exit_code] { exit_code = run_drill(common, *options); });
}

}  // namespace cb
