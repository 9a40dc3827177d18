// SPDX-License-Identifier: Apache-2.0
//
// What `cyberbackup backup` shows: progress and a summary on standard error, the snapshot's id on
// standard output; with --json lines for scripts. Used by one thread at a time.
#pragma once

#include "core/client/backup.h"
#include "core/report/exit_code.h"
#include "hosts/cyberbackup/workplace.h"

namespace cb {

class BackupScreen {
 public:
  // `common` outlives the screen.
  explicit BackupScreen(const CommonOptions& common);

  void progress(const report::Progress& now);
  // The last lines; the exit code that fits.
  report::ExitCode finish(const client::BackupResult& result, bool dry_run);
  // A line about what may go wrong.
  void warn(const std::string& text);
  // Takes a line that is drawn away, before an error is printed.
  void clear();

 private:
  void problems(const client::BackupResult& result);

  const CommonOptions& common_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::nanoseconds began_;
  report::ProgressPrinter printer_;
};

}  // namespace cb
