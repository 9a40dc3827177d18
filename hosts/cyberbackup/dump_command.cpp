// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup dump`: one file to standard output.
#include <cstdio>

#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/reading.h"

namespace cb {
namespace {

Status dump(const CommonOptions& common, const std::string& text) {
  const SnapshotPath what = parse_snapshot_path(text);
  if (what.path.empty())
    return failed(Code::invalid, text, "names no file",
                  "give SNAP:PATH, for example latest:etc/fstab");
  CB_ASSIGN(const Reading reading, Reading::open(common));
  CB_ASSIGN(const repository::SnapshotInfo info, reading.choose(what.snapshot));
  CB_TRY(client::dump(*reading.fetcher, info.commit.root, what.path,
                      [](ByteView bytes) { return print(as_text(bytes)); }));
  if (std::fflush(stdout) != 0) return failed(fail_errno(errno, "standard output", "writing"));
  return {};
}

}  // namespace

void add_dump_command(CLI::App& app, CommonOptions& common, int& exit_code) {
  auto what = std::make_shared<std::string>();
  CLI::App& command = *app.add_subcommand("dump", "Write a file of a snapshot to standard output");
  command.footer("Example:\n  cyberbackup dump latest:etc/fstab | less");
  command.add_option("SNAP:PATH", *what, "The file")->required();
  command.callback([&common, what, &exit_code] {
    // Content goes to standard output, so failures do not, whatever --json says.
    CommonOptions plain = common;
    plain.json = false;
    const Status done = dump(plain, *what);
    exit_code = done ? 0 : report_failure(plain, done.error());
  });
}

}  // namespace cb
