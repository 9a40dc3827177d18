// SPDX-License-Identifier: Apache-2.0
#include "core/report/json.h"
#include "hosts/cyberbackup/entry_text.h"
#include "hosts/cyberbackup/workplace.h"

namespace cb {

void add_common_options(CLI::App& app, CommonOptions& options) {
  app.add_option("--profile", options.profile, "Which profile to work with")->capture_default_str();
  app.add_option("--config-dir", options.config_dir,
                 "Where profiles and identities are kept (or CYBERBACKUP_CONFIG_DIR)");
  app.add_option("--cache-dir", options.cache_dir,
                 "Where caches are kept; may be deleted (or CYBERBACKUP_CACHE_DIR)");
  app.add_option("--passphrase-file", options.passphrase_file,
                 "File with the passphrase (or CYBERBACKUP_PASSPHRASE_FILE)");
  app.add_option("--plugin-dir", options.plugin_dir,
                 "Folder of the plugins (or CYBERBACKUP_PLUGIN_DIR)");
  app.add_option("--reach-timeout", options.reach_timeout,
                 "How long to try to reach the server [60s]");
  app.add_option("--limit-upload", options.limit_upload,
                 "Send at most so many bytes a second, as 5MiB; none: also where the profile has a "
                 "limit");
  app.add_option("--limit-download", options.limit_download, "The same for what the server sends");
  auto* pin = app.add_option("--at-pin", options.at_pin, "The pin of that server's key");
  app.add_option("--at", options.at,
                 "HOST:PORT of another server that has a copy of the repository, to read from")
      ->needs(pin)
      ->allow_extra_args(false);
  app.add_flag(
      "--accept-rollback", options.accept_rollback,
      "Take the history of a server that was restored from a backup, and tell what it lost");
  app.add_flag("--json", options.json, "Write JSON to standard output");
  app.add_flag("--quiet", options.quiet, "Write nothing but results and errors");
  app.add_flag("--verbose", options.verbose, "Log what the plugins say to standard error");
}

SnapshotPath parse_snapshot_path(const std::string& text) {
  const size_t colon = text.find(':');
  SnapshotPath result{text.substr(0, colon), {}};
  if (colon == std::string::npos) return result;
  const size_t first = text.find_first_not_of('/', colon + 1);
  if (first == std::string::npos) return result;
  result.path = text.substr(first, text.find_last_not_of('/') - first + 1);
  return result;
}

int report_failure(const CommonOptions& options, const Error& error, bool dialled) {
  report::ExitCode code = report::exit_code_of(error);
  if (error.code == Code::invalid) code = report::ExitCode::usage;
  const bool of_the_way = error.code != Code::denied && error.code != Code::cancelled;
  if (error.code == Code::closed || (dialled && of_the_way)) code = report::ExitCode::unreachable;
  if (options.json) {
    const std::string line = report::json_line({{"event", "done"},
                                                {"error", report::json_of(error)},
                                                {"exit", static_cast<int>(code)}}) +
                             "\n";
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fflush(stdout);
  }
  // Neither a server nor a file's name may steer the terminal.
  const std::string text = options.program + ": " + shown_path(error.text()) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
  return static_cast<int>(code);
}

}  // namespace cb
