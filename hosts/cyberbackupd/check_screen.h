// SPDX-License-Identifier: Apache-2.0
//
// The progress of a command that goes through packs, or through bytes. For the main thread.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>

#include "core/os/clock.h"
#include "core/report/progress.h"

namespace cb::host {

// Shows progress on stderr, so that stdout has the result alone.
class CheckScreen {
 public:
  CheckScreen(std::string phase, bool json, std::string unit = "packs")
      : phase_(std::move(phase)),
        unit_(std::move(unit)),
        printer_(style(json), os::system_clock(), [](const std::string& text) {
          std::fwrite(text.data(), 1, text.size(), stderr);
          std::fflush(stderr);
        }) {}

  void show(uint64_t done, uint64_t total) {
    if (!meter_ || done < last_ || total != total_)
      meter_.emplace(os::system_clock(), phase_, total, unit_);
    last_ = done;
    total_ = total;
    printer_.show(meter_->update(done));
  }
  void finish() {
    if (meter_) printer_.finish(meter_->finish(last_));
  }

 private:
  static report::ProgressStyle style(bool json) {
    if (json) return report::ProgressStyle::json;
    return ::isatty(STDERR_FILENO) != 0 ? report::ProgressStyle::terminal
                                        : report::ProgressStyle::plain;
  }
  std::string phase_;
  std::string unit_;
  report::ProgressPrinter printer_;
  std::optional<report::ProgressMeter> meter_;
  uint64_t last_ = 0;
  uint64_t total_ = 0;
};

}  // namespace cb::host
