// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup diff`: what differs between two snapshots.
#include "core/base/units.h"
#include "core/client/version_compare.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/entry_text.h"
#include "hosts/cyberbackup/reading.h"

namespace cb {
namespace {

using report::Json;
using repository::Difference;
using repository::SnapshotInfo;

struct DiffOptions {
  std::string before;
  std::string after;
};

struct DiffCounts {
  uint64_t added = 0, removed = 0, changed = 0;
  uint64_t bytes_added = 0, bytes_removed = 0;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

Status print_difference(const CommonOptions& common, const Difference& difference,
                        const std::vector<std::string>& changes) {
  const repository::Entry& entry = difference.after ? *difference.after : *difference.before;
  const bool both = difference.before && difference.after;
  const std::string sign = both ? "M" : difference.after ? "+" : "-";
  if (!common.json)
    return print(sign + " " + shown_path(entry.path) +
                 (both ? "  (" + joined(changes) + ")\n" : "\n"));
  Json json = {{"event", both ? "changed" : difference.after ? "added" : "removed"}};
  put_path(json, entry.path);
  if (both) json["changes"] = changes;
  if (difference.before) json["before"] = json_of(*difference.before);
  if (difference.after) json["after"] = json_of(*difference.after);
  return print(report::json_line(json) + "\n");
}

void count(DiffCounts& counts, const Difference& difference) {
  if (difference.before && difference.after)
    ++counts.changed;
  else if (difference.after)
    ++counts.added;
  else
    ++counts.removed;
  if (difference.after) counts.bytes_added += difference.after->size;
  if (difference.before) counts.bytes_removed += difference.before->size;
}

Status print_summary(const CommonOptions& common, const DiffCounts& counts, uint64_t nodes) {
  if (common.json)
    return print(report::json_line({{"event", "done"},
                                    {"added", counts.added},
                                    {"removed", counts.removed},
                                    {"changed", counts.changed},
                                    {"bytes_before", counts.bytes_removed},
                                    {"bytes_after", counts.bytes_added},
                                    {"nodes_read", nodes},
                                    {"exit", 0}}) +
                 "\n");
  if (common.quiet) return {};
  return print(std::to_string(counts.added) + " added, " + std::to_string(counts.removed) +
               " removed, " + std::to_string(counts.changed) + " changed; " +
               format_size(counts.bytes_removed) + " became " + format_size(counts.bytes_added) +
               "\n");
}

Status diff(const CommonOptions& common, const DiffOptions& options) {
  CB_ASSIGN(const Reading reading, Reading::open(common));
  CB_ASSIGN(const SnapshotInfo before, reading.choose(options.before));
  CB_ASSIGN(const SnapshotInfo after, reading.choose(options.after));
  DiffCounts counts;
  client::VersionCompare versions(*reading.fetcher);
  CB_TRY(repository::compare_trees(reading.fetcher->source(), before.commit.root, after.commit.root,
                                   [&](const Difference& difference) -> Status {
                                     std::vector<std::string> changes;
                                     if (difference.before && difference.after) {
                                       CB_ASSIGN(changes, versions.changes(*difference.before,
                                                                           *difference.after));
                                       if (changes.empty())
                                         return {};  // names of owners, or where its bytes lie
                                     }
                                     count(counts, difference);
                                     return print_difference(common, difference, changes);
                                   }));
  return print_summary(common, counts, reading.fetcher->nodes_fetched());
}

}  // namespace

void add_diff_command(CLI::App& app, CommonOptions& common, int& exit_code) {
  auto options = std::make_shared<DiffOptions>();
  CLI::App& command = *app.add_subcommand("diff", "Show what differs between two snapshots");
  command.footer(
      "+ added, - removed, M changed, with what of it.\n\nExample:\n"
      "  cyberbackup diff 3fa2c1 latest");
  command.add_option("A", options->before, "The earlier snapshot")->required();
  command.add_option("B", options->after, "The later one")->required();
  command.callback([&common, options, &exit_code] {
    const Status done = diff(common, *options);
    exit_code = done ? 0 : report_failure(common, done.error());
  });
}

}  // namespace cb
