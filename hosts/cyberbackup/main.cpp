// SPDX-License-Identifier: Apache-2.0
//
// cyberbackup: the client program. Reads the command line and hands over to a command.
#include <CLI/CLI.hpp>
#include <csignal>

#include "core/os/freed_memory.h"
#include "core/os/last_words.h"
#include "core/os/process.h"
#include "core/report/exit_code.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/migrate_command.h"
#include "hosts/cyberbackup/send_command.h"
#include "hosts/manual/manual.h"

namespace {

constexpr const char* kFiles =
    "  ~/.config/cyberbackup/profiles/NAME   the server, the device's key, the last receipt\n"
    "  ~/.cache/cyberbackup/NAME             what the last backup saw; may be deleted\n"
    "\n"
    "XDG_CONFIG_HOME and XDG_CACHE_HOME, and the options and variables above, choose others.";
constexpr const char* kEnvironment =
    "  CYBERBACKUP_CONFIG_DIR        as --config-dir\n"
    "  CYBERBACKUP_CACHE_DIR         as --cache-dir\n"
    "  CYBERBACKUP_PLUGIN_DIR        as --plugin-dir\n"
    "  CYBERBACKUP_PASSPHRASE_FILE   as --passphrase-file\n"
    "  CYBERBACKUP_PASSPHRASE        the passphrase itself";

}  // namespace

int main(int argc, char** argv) {
  cb::os::forbid_core_dumps();
  cb::os::say_last_words("cyberbackup");
  cb::os::keep_freed_memory();
  // A connection that breaks is an error of that connection, not the end of the program.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Backs up to a CyberBackup server, and restores.", "cyberbackup");
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", CB_PROGRAM_VERSION);
  app.footer(cb::report::exit_codes_text());
  int exit_code = 0;
  cb::CommonOptions options;
  cb::add_common_options(app, options);
  cb::add_enroll_command(app, options, exit_code);
  cb::add_login_command(app, options, exit_code);
  cb::add_backup_command(app, options, exit_code);
  cb::add_snapshots_command(app, options, exit_code);
  cb::add_forget_command(app, options, exit_code);
  cb::add_retention_command(app, options, exit_code);
  cb::add_key_command(app, options, exit_code);
  cb::add_device_command(app, options, exit_code);
  cb::add_status_command(app, options, exit_code);
  cb::add_doctor_command(app, options, exit_code);
  cb::add_benchmark_command(app, options, exit_code);
  cb::add_restore_command(app, options, exit_code);
  cb::add_ls_command(app, options, exit_code);
  cb::add_find_command(app, options, exit_code);
  cb::add_history_command(app, options, exit_code);
  cb::add_diff_command(app, options, exit_code);
  cb::add_dump_command(app, options, exit_code);
  cb::add_check_command(app, options, exit_code);
  cb::add_drill_command(app, options, exit_code);
  cb::add_receipts_command(app, options, exit_code);
  cb::add_send_command(app, options, exit_code);
  cb::add_migrate_command(app, options, exit_code);
  cb::add_manual(
      app, {1,
            CB_PROGRAM_VERSION,
            {{"FILES", kFiles}, {"ENVIRONMENT", kEnvironment}, {"SEE ALSO", "cyberbackupd(8)"}}});
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cb::finish_parsing(app, error);
  }
  return exit_code;
}
