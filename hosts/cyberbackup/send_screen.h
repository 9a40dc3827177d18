// SPDX-License-Identifier: Apache-2.0
//
// What `cyberbackup send` shows: one progress line on a terminal, plain lines otherwise, JSON lines
// for scripts. Used by one thread.
#pragma once

#include <memory>
#include <optional>

#include "core/client/v3_settings.h"
#include "core/report/exit_code.h"
#include "core/report/progress.h"

namespace cb {

class SendScreen {
 public:
  enum class Style { normal, quiet, json };

  SendScreen(Style style, const os::Clock& clock);

  void progress(const client::V3SendProgress& now);
  void file_ended(const client::V3FileReport& file);
  void note(const std::string& text);
  // The command could not begin.
  void error(const Error& error, report::ExitCode exit);
  // The last lines.
  void finish(const client::V3SendReport& report, report::ExitCode exit);

 private:
  void clear_line();
  void write_out(const std::string& line);
  void write_err(const std::string& line);

  Style style_;
  const os::Clock& clock_;
  bool terminal_;  // stderr is one
  bool line_is_drawn_ = false;
  uint64_t most_done_ = 0;
  std::chrono::nanoseconds measured_{};
  std::optional<report::ProgressMeter> meter_;
  report::ProgressPrinter printer_;
};

// What the whole run amounts to: the gravest of its files.
report::ExitCode exit_code_of(const client::V3SendReport& report);

}  // namespace cb
