// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup history`: all versions of one file over all snapshots.
#include "core/client/version_compare.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/entry_text.h"
#include "hosts/cyberbackup/reading.h"

namespace cb {
namespace {

using report::Json;
using repository::Entry;
using repository::SnapshotInfo;

// A run of snapshots in which the path is the same; without an entry it is not there.
struct Version {
  std::optional<Entry> entry;
  SnapshotInfo first;
  SnapshotInfo last;
  uint64_t snapshots = 1;
};

std::string plain_path(std::string path) {
  while (path.starts_with('/')) path.erase(0, 1);
  while (path.ends_with('/')) path.pop_back();
  return path;
}

Result<std::vector<Version>> versions_of(const Reading& reading, const std::string& path) {
  CB_ASSIGN(const std::vector<SnapshotInfo> snapshots, readable_snapshots(*reading.remote));
  std::vector<Version> versions;
  client::VersionCompare compare(*reading.fetcher);
  for (const SnapshotInfo& info : snapshots) {
    CB_TRY(reading.use(info));
    CB_ASSIGN(std::optional<Entry> entry,
              repository::find_entry(reading.fetcher->source(), info.commit.root, path));
    if (versions.empty() && !entry) continue;
    bool same = !versions.empty() && entry.has_value() == versions.back().entry.has_value();
    if (same && entry) {
      CB_ASSIGN(const auto changes, compare.changes(*versions.back().entry, *entry));
      same = changes.empty();
    }
    if (same) {
      versions.back().last = info;
      ++versions.back().snapshots;
    } else {
      versions.push_back({std::move(entry), info, info});
    }
  }
  if (versions.empty())
    return failed(Code::not_found, path, "is in no snapshot",
                  "\"cyberbackup find\" looks for names");
  return versions;
}

Json version_json(const Version& version) {
  Json json = {{"snapshot", version.first.commit.snapshot.hex()},
               {"time_ns", version.first.commit.time_ns},
               {"last_snapshot", version.last.commit.snapshot.hex()},
               {"last_time_ns", version.last.commit.time_ns},
               {"snapshots", version.snapshots},
               {"present", version.entry.has_value()}};
  if (version.entry) json.update(json_of(*version.entry));
  return json;
}

std::string line_of(const Version& version) {
  std::string line = version.first.commit.snapshot.hex().substr(0, 12) + "  " +
                     time_text(version.first.commit.time_ns) + "  ";
  if (!version.entry) {
    line += "not there";
  } else {
    const std::string size = std::to_string(version.entry->size);
    line += mode_text(*version.entry) + " " +
            std::string(size.size() < 12 ? 12 - size.size() : 0, ' ') + size + "  " +
            time_text(version.entry->mtime_ns);
  }
  if (version.snapshots > 1)
    line += "  unchanged until " + version.last.commit.snapshot.hex().substr(0, 12) + " (" +
            std::to_string(version.snapshots) + " snapshots)";
  return line;
}

Status history(const CommonOptions& common, const std::string& path) {
  CB_ASSIGN(const Reading reading, Reading::open(common));
  CB_ASSIGN(const std::vector<Version> versions, versions_of(reading, plain_path(path)));
  if (!common.json)
    CB_TRY(print("SNAPSHOT      TAKEN                MODE               SIZE  MODIFIED\n"));
  for (const Version& version : versions)
    CB_TRY(
        print((common.json ? report::json_line(version_json(version)) : line_of(version)) + "\n"));
  return {};
}

}  // namespace

void add_history_command(CLI::App& app, CommonOptions& common, int& exit_code) {
  auto path = std::make_shared<std::string>();
  CLI::App& command = *app.add_subcommand("history", "Show all versions of a file");
  command.footer(
      "Snapshots in which nothing changed are folded into one line.\n\nExample:\n"
      "  cyberbackup history /etc/fstab");
  command.add_option("PATH", *path, "Path as the snapshots have it; a leading slash is ignored")
      ->required();
  command.callback([&common, path, &exit_code] {
    const Status done = history(common, *path);
    exit_code = done ? 0 : report_failure(common, done.error());
  });
}

}  // namespace cb
