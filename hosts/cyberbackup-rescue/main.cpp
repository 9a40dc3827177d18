// SPDX-License-Identifier: Apache-2.0
//
// cyberbackup-rescue: restores from packs and a key, without daemon, catalog or network.
#include <csignal>

#include "core/os/last_words.h"
#include "core/os/process.h"
#include "core/report/exit_code.h"
#include "hosts/cyberbackup-rescue/opened.h"
#include "hosts/manual/manual.h"

namespace {

constexpr const char* kKeys =
    "A repository opens with the owner's recovery code or a passphrase, whose key slots are "
    "looked\n"
    "for in FOLDER, or with a file that `cyberbackup key export` wrote; then packs alone are "
    "enough.\nWithout any of these options the passphrase or recovery code is asked for.";

}  // namespace

int main(int argc, char** argv) {
  cb::os::forbid_core_dumps();
  cb::os::say_last_words("cyberbackup-rescue");
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Restores backups from what is left of a store, without a server.",
               "cyberbackup-rescue");
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", CB_PROGRAM_VERSION);
  app.footer(cb::report::exit_codes_text());
  int exit_code = 0;
  cb::RescueOptions options;
  app.add_option("--plugin-dir", options.common.plugin_dir,
                 "Folder of the plugins (or CYBERBACKUP_PLUGIN_DIR)");
  app.add_flag("--json", options.common.json, "Write JSON to standard output");
  app.add_flag("--quiet", options.common.quiet, "Write nothing but results and errors");
  app.add_flag("--verbose", options.common.verbose, "Log what the plugins say to standard error");
  cb::add_rescue_list(app, options, exit_code);
  cb::add_rescue_restore(app, options, exit_code);
  cb::add_rescue_check(app, options, exit_code);
  cb::add_manual(
      app,
      {1, CB_PROGRAM_VERSION, {{"KEYS", kKeys}, {"SEE ALSO", "cyberbackup(1), cyberbackupd(8)"}}});
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cb::finish_parsing(app, error);
  }
  return exit_code;
}
