// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup forget` and `cyberbackup undelete`: an owner's go into effect, a writer's are
// wishes.
#include <algorithm>

#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/owner_tools.h"
#include "hosts/cyberbackup/snapshot_listing.h"

namespace cb {
namespace {

using repository::SnapshotInfo;

constexpr const char* kForgetExample =
    "Example:\n"
    "  cyberbackup forget 3f9a1c22\n"
    "\n"
    "A forgotten snapshot goes to the trash and stays there: nothing is removed for good, and\n"
    "`cyberbackup undelete` brings it back. On a writer's device this is a wish on record: the\n"
    "snapshot stays in the list until an owner forgets it.";
constexpr const char* kUndeleteExample =
    "Examples:\n"
    "  cyberbackup snapshots --trash\n"
    "  cyberbackup undelete 3f9a1c22\n"
    "\n"
    "On a writer's device this is a wish on record: the snapshot stays where it is.";

Status tell(const CommonOptions& options, const repository::CommitRecord& record, bool is_wish,
            bool back) {
  const repository::BlobId& id = record.snapshot;
  if (options.json)
    return write_out(report::json_line({{"id", id.hex()},
                                        {"trash", is_wish ? back : !back},
                                        {"wish", is_wish},
                                        {"sequence", record.sequence},
                                        {"time", utc_time(record.time_ns)}}) +
                     "\n");
  if (options.quiet) return {};
  if (is_wish)
    return write_out(short_id(id) + " stays where it is: the wish is on record, and an owner's " +
                     (back ? "undelete" : "forget") + " fulfils it\n");
  return write_out(short_id(id) + (back ? " is out of the trash\n" : " is in the trash\n"));
}

Status forget(const CommonOptions& options, const std::string& name, bool back) {
  CB_ASSIGN(const auto place, Workplace::open(options));
  CB_TRY(place->load_profile());
  CB_ASSIGN(const auto remote, place->connect());
  CB_ASSIGN(std::vector<SnapshotInfo> list, remote->snapshots(back));
  const auto is_no_choice = [back](const SnapshotInfo& info) { return info.in_trash != back; };
  list.erase(std::remove_if(list.begin(), list.end(), is_no_choice), list.end());
  if (list.empty() && back)
    return failed(Code::not_found, name, "the trash is empty", "see `cyberbackup snapshots`");
  CB_ASSIGN(const SnapshotInfo info, choose_snapshot(list, name));
  const repository::BlobId& id = info.commit.snapshot;
  CB_ASSIGN(const auto record, back ? remote->undelete(id) : remote->forget(id));
  return tell(options, record, place->profile().role != repository::Role::owner, back);
}

void add(CLI::App* command, CommonOptions& options, int& exit_code, bool back) {
  command->footer(back ? kUndeleteExample : kForgetExample);
  const auto name = std::make_shared<std::string>();
  command
      ->add_option("SNAP", *name, "The beginning of a snapshot's id (4 digits or more), or latest")
      ->required();
  command->callback([&options, &exit_code, name, back] {
    const Status done = forget(options, *name, back);
    if (!done) exit_code = report_failure(options, done.error());
  });
}

}  // namespace

void add_forget_command(CLI::App& app, CommonOptions& options, int& exit_code) {
  add(app.add_subcommand("forget", "Put a snapshot into the trash"), options, exit_code, false);
  add(app.add_subcommand("undelete", "Bring a snapshot back out of the trash"), options, exit_code,
      true);
}

}  // namespace cb
