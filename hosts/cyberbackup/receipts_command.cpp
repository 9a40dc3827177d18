// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup receipts`: a witness of what this device knows of its account's history.
#include <cstdio>

#include "core/client/witness.h"
#include "core/report/json.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/owner_tools.h"

namespace cb {
namespace {

constexpr const char* kReceiptsExample =
    "Examples:\n"
    "  cyberbackup receipts export /media/stick/backup.witness\n"
    "  cyberbackup receipts export - > backup.witness\n"
    "\n"
    "A witness says where the signed chain of commits stands and which snapshots live. Keep it\n"
    "where the server cannot reach it: `cyberbackup check --against FILE` tells later, on any\n"
    "device of the account, whether the server still has all of that. It holds no secrets.";

Status export_witness(const CommonOptions& options, const std::string& path) {
  CB_ASSIGN(const auto place, Workplace::open(options));
  CB_TRY(place->load_profile());
  CB_ASSIGN(const auto remote, place->connect());
  CB_ASSIGN(
      const client::Witness witness,
      client::make_witness(place->receipts(), [&](uint64_t from) { return remote->chain(from); }));
  const std::string text = client::witness_text(witness);
  if (path == "-") return write_out(text);
  CB_TRY(os::write_file_atomically(os::real_file_system(), path, as_bytes(text), 0644));
  if (options.json)
    return write_done({{"sequence", witness.head.sequence},
                       {"hash", witness.head.hash.hex()},
                       {"snapshots", witness.snapshots.size()}});
  if (options.quiet) return {};
  return write_out(path + ": commit " + std::to_string(witness.head.sequence) + ", " +
                   std::to_string(witness.snapshots.size()) + " snapshots\n");
}

}  // namespace

void add_receipts_command(CLI::App& app, CommonOptions& options, int& exit_code) {
  CLI::App& command =
      *app.add_subcommand("receipts", "What proves that the server still has its history");
  command.require_subcommand(1);
  command.footer(kReceiptsExample);
  CLI::App& exporting = *command.add_subcommand("export", "Write a witness of the history");
  exporting.footer(kReceiptsExample);
  const auto path = std::make_shared<std::string>();
  exporting.add_option("FILE", *path, "Where to, or - for standard output")->required();
  exporting.callback([&options, &exit_code, path] {
    const Status done = export_witness(options, *path);
    if (!done) exit_code = report_failure(options, done.error());
  });
}

}  // namespace cb
