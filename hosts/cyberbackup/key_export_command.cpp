// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup key export`: the repository's keys into a file, for the day when nothing else is
// left but packs (docs/rescue.md).
#include "core/report/json.h"
#include "core/rescue/rescue_key.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/reading.h"

namespace cb {
namespace {

Status write_key(const os::Path& file, const Secret& text) {
  auto& files = os::real_file_system();
  CB_ASSIGN(const auto out, files.open(file, os::Open::create_new, 0600));
  Status done = out->write(text.view());
  if (done) done = out->sync();
  if (done) done = files.sync_folder(file.has_parent_path() ? file.parent_path() : os::Path("."));
  if (!done) (void)files.remove(file);
  return done;
}

Status export_key(const CommonOptions& options, const std::string& file) {
  CB_ASSIGN(const auto place, Workplace::open(options));
  CB_TRY(place->load_profile());
  CB_ASSIGN(const auto remote, place->connect());
  CB_ASSIGN(repository::Keyring keyring, place->unlock(*remote));
  CB_ASSIGN(repository::RepositoryRecord record, remote->record());
  const rescue::RescueKey key{std::move(record), std::move(keyring)};
  CB_TRY(write_key(file, rescue::format_rescue_key(key)));
  if (options.json)
    return print(report::json_line({{"event", "done"}, {"file", file}, {"exit", 0}}) + "\n");
  if (options.quiet) return {};
  return print("Wrote the keys of repository " + key.record.id.hex() + " to " + file +
               ".\n\nWhoever has this file reads every backup, without a passphrase. Keep it away "
               "from this\nmachine and from the server. After a key rotation export it anew: the "
               "old file does not\nopen later backups.\n");
}

}  // namespace

void add_key_export_command(CLI::App& key, CommonOptions& options, int& exit_code) {
  const auto file = std::make_shared<std::string>();
  CLI::App& command =
      *key.add_subcommand("export", "Write the keys to a file for cyberbackup-rescue");
  command.footer("Example:\n  cyberbackup key export /media/usb/cyberbackup-key.txt");
  command.add_option("FILE", *file, "The file; it must not be there yet")->required();
  command.callback([&options, &exit_code, file] {
    const Status done = export_key(options, *file);
    if (!done) exit_code = report_failure(options, done.error());
  });
}

}  // namespace cb
