// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup snapshots`: what there is to restore.
#include <cstdio>

#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/passphrase.h"
#include "hosts/cyberbackup/snapshot_listing.h"

namespace cb {
namespace {

constexpr const char* kSnapshotsExample =
    "Examples:\n"
    "  cyberbackup snapshots\n"
    "  cyberbackup snapshots --paths          (asks for the passphrase)\n"
    "  cyberbackup snapshots --json --trash\n"
    "\n"
    "The server knows time, device, number of files and size of a snapshot. Host, paths and tags\n"
    "are encrypted; they are shown when a passphrase is at hand.";

struct Wish {
  bool trash = false;
  bool paths = false;
};

// As whatever reads a snapshot does.
void warn_of_other_histories(const Workplace& place,
                             const std::vector<repository::SnapshotInfo>& list,
                             const SnapshotInsides& insides) {
  for (const auto& info : list) {
    const auto inside = insides.records.find(info.commit.snapshot);
    if (inside == insides.records.end()) continue;
    const Status judged = place.receipts().judge_head(inside->second, info.commit);
    if (!judged) warn(judged.error().text());
  }
}

Result<report::ExitCode> run_snapshots(const CommonOptions& options, const Wish& wish) {
  CB_ASSIGN(const auto place, Workplace::open(options));
  CB_TRY(place->load_profile());
  CB_ASSIGN(const auto remote, place->connect());
  CB_ASSIGN(const auto list, remote->snapshots(wish.trash));
  SnapshotInsides insides;
  const bool reads = place->profile().role != repository::Role::writer;
  if (wish.paths || (reads && has_written_passphrase(options))) {
    CB_ASSIGN(const auto opener, place->opener(*remote));
    CB_ASSIGN(insides, open_snapshots(*remote, *opener, list));
    warn_of_other_histories(*place, list, insides);
  }
  std::string text;
  if (options.json) {
    report::Json all = report::Json::array();
    for (const auto& info : list) all.push_back(json_of(info, insides));
    text = report::json_line({{"snapshots", all}}) + "\n";
  } else {
    text = list.empty() ? "no snapshots yet\n" : table_of(list, insides);
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return tell_unopened(options, insides);
}

}  // namespace

void add_snapshots_command(CLI::App& app, CommonOptions& options, int& exit_code) {
  CLI::App* command = app.add_subcommand("snapshots", "List what there is to restore");
  command->footer(kSnapshotsExample);
  const auto wish = std::make_shared<Wish>();
  command->add_flag("--trash", wish->trash, "Show also those that were forgotten");
  command->add_flag("--paths", wish->paths, "Show hosts, paths and tags (needs the passphrase)");
  command->callback([&options, &exit_code, wish] {
    const auto done = run_snapshots(options, *wish);
    exit_code = done ? static_cast<int>(*done) : report_failure(options, done.error());
  });
}

}  // namespace cb
