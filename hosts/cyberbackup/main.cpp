// SPDX-License-Identifier: Apache-2.0
//
// cyberbackup: the client program. Reads the command line and hands over to a command.
#include <CLI/CLI.hpp>
#include <csignal>

#include "core/report/exit_code.h"
#include "hosts/cyberbackup/send_command.h"

int main(int argc, char** argv) {
  // A connection that breaks is an error of that connection, not the end of the program.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Sends files to a CyberBackup server.", "cyberbackup");
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", CB_PROGRAM_VERSION);
  app.footer(cb::report::exit_codes_text());
  int exit_code = 0;
  cb::add_send_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version end here with 0; everything else is wrong usage.
    return app.exit(error) == 0 ? 0 : static_cast<int>(cb::report::ExitCode::usage);
  }
  return exit_code;
}
