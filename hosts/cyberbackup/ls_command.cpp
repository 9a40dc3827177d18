// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup ls` and `cyberbackup find`: what is in snapshots.
#include "core/client/listing.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/entry_text.h"
#include "hosts/cyberbackup/reading.h"

namespace cb {
namespace {

using report::Json;
using repository::Entry;
using repository::SnapshotInfo;

struct ListOptions {
  std::string what;      // SNAP[:PATH], or the pattern
  std::string snapshot;  // find: in this one only
  bool details = false;
  bool recursive = false;
  bool null = false;
};

std::string line_of(const Entry& entry, const ListOptions& options) {
  if (options.null) return entry.path + '\0';
  const bool folder = entry.kind == repository::EntryKind::folder;
  return options.details ? long_line(entry) + "\n"
                         : shown_path(entry.path) + (folder ? "/\n" : "\n");
}

Status list(const CommonOptions& common, const ListOptions& options) {
  const SnapshotPath what = parse_snapshot_path(options.what);
  CB_ASSIGN(const Reading reading, Reading::open(common));
  CB_ASSIGN(const SnapshotInfo info, reading.choose(what.snapshot));
  const auto source =
      options.recursive ? reading.fetcher->walking_source() : reading.fetcher->source();
  return client::list_folder(source, info.commit.root, what.path, options.recursive,
                             [&](const Entry& entry) {
                               return print(common.json ? report::json_line(json_of(entry)) + "\n"
                                                        : line_of(entry, options));
                             });
}

Status print_found(const CommonOptions& common, const ListOptions& options,
                   const SnapshotInfo& info, const Entry& entry) {
  const std::string id = info.commit.snapshot.hex();
  if (common.json) {
    Json json = {{"snapshot", id}, {"time_ns", info.commit.time_ns}};
    json.update(json_of(entry));
    return print(report::json_line(json) + "\n");
  }
  if (options.null) return print(id + ":" + entry.path + '\0');
  return print(id.substr(0, 12) + "  " + time_text(info.commit.time_ns) + "  " +
               (options.details ? long_line(entry) : shown_path(entry.path)) + "\n");
}

Status find(const CommonOptions& common, const ListOptions& options) {
  CB_ASSIGN(const Reading reading, Reading::open(common));
  std::vector<SnapshotInfo> snapshots;
  if (options.snapshot.empty()) {
    CB_ASSIGN(snapshots, readable_snapshots(*reading.remote));
  } else {
    CB_ASSIGN(const SnapshotInfo one, reading.place->snapshot(*reading.remote, options.snapshot));
    snapshots.push_back(one);
  }
  client::TreeSearch search(reading.fetcher->walking_source(), [&](const Entry& entry) {
    return client::fits_pattern(options.what, entry.path);
  });
  for (const SnapshotInfo& info : snapshots) {
    CB_TRY(reading.use(info));
    CB_TRY(search.search(info.commit.root, [&](const Entry& entry) {
      return print_found(common, options, info, entry);
    }));
  }
  return {};
}

int ended(const CommonOptions& common, const Status& done) {
  return done ? 0 : report_failure(common, done.error());
}

}  // namespace

void add_ls_command(CLI::App& app, CommonOptions& common, int& exit_code) {
  auto options = std::make_shared<ListOptions>();
  CLI::App& command = *app.add_subcommand("ls", "List what is in a snapshot");
  command.footer(
      "Examples:\n"
      "  cyberbackup ls latest\n"
      "  cyberbackup ls -l latest:etc/ssl\n"
      "  cyberbackup ls --recursive --null 3fa2:home | xargs -0 -n1 echo");
  command.add_option("SNAP[:PATH]", options->what, "Id, beginning of one, or \"latest\"; and what")
      ->required();
  command.add_flag("-l,--long", options->details, "Show mode, owners, size and time");
  command.add_flag("-r,--recursive", options->recursive, "Everything below, not just the folder");
  command.add_flag("-0,--null", options->null, "Bare paths, each ended by a zero byte");
  command.callback(
      [&common, options, &exit_code] { exit_code = ended(common, list(common, *options)); });
}

void add_find_command(CLI::App& app, CommonOptions& common, int& exit_code) {
  auto options = std::make_shared<ListOptions>();
  CLI::App& command = *app.add_subcommand("find", "Find paths in all snapshots");
  command.footer(
      "A pattern (* ? [...]) without a slash is compared with the name, one with a slash with the\n"
      "whole path, where * also crosses slashes.\n\nExamples:\n"
      "  cyberbackup find '*.tex'\n"
      "  cyberbackup find 'home/*/notes.txt' --snapshot latest");
  command.add_option("PATTERN", options->what, "What to look for")->required();
  command.add_option("--snapshot", options->snapshot, "Only in this one");
  command.add_flag("-l,--long", options->details, "Show mode, owners, size and time");
  command.add_flag("-0,--null", options->null, "SNAP:PATH, each ended by a zero byte");
  command.callback(
      [&common, options, &exit_code] { exit_code = ended(common, find(common, *options)); });
}

}  // namespace cb
