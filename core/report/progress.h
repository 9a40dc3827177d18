// SPDX-License-Identifier: Apache-2.0
//
// How far a long operation is: one record, measured by a meter, shown as a terminal line, a JSON
// line or a plain line. A Meter and a Printer are used by one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/os/clock.h"

namespace cb::report {

struct Progress {
  std::string phase = {};      // "send", "check"
  uint64_t done = 0;           // in units
  uint64_t total = 0;          // 0 = unknown
  std::string unit = "bytes";  // "bytes" is shown as KiB, MiB ...; others as they are
  double rate = 0;             // units per second, smoothed
  std::optional<std::chrono::nanoseconds> eta = {};
  std::string current = {};  // what is at hand: a file name
};

// Turns counts into rates. The rate is an average that forgets with a half-life of three seconds.
class ProgressMeter {
 public:
  ProgressMeter(const os::Clock& clock, std::string phase, uint64_t total,
                std::string unit = "bytes");

  void set_current(std::string current) { record_.current = std::move(current); }
  // `done` counts from the start and does not go back.
  const Progress& update(uint64_t done);
  // The rate over the whole operation, for the last line.
  const Progress& finish(uint64_t done);

 private:
  const os::Clock& clock_;
  std::chrono::nanoseconds began_;
  std::chrono::nanoseconds last_;
  uint64_t last_done_ = 0;
  Progress record_;
};

// "send  notes.txt  34%  12.5 MiB / 36.0 MiB  8.1 MiB/s  ETA 3.0s", cut to `width` columns.
std::string progress_line(const Progress& progress, size_t width);

// {"phase":...,"done":...,"total":...,"unit":...,"rate":...,"eta":...,"current":...}; eta in
// seconds, total and eta are null when unknown.
std::string progress_json(const Progress& progress);

enum class ProgressStyle { none, terminal, json, plain };

// Shows progress, not more often than is useful: ten times a second on a terminal, else once.
class ProgressPrinter {
 public:
  using Write = std::function<void(const std::string&)>;
  ProgressPrinter(ProgressStyle style, const os::Clock& clock, Write write, size_t width = 80);

  void show(const Progress& progress);
  // Shows the last state whatever the time, and ends the line.
  void finish(const Progress& progress);

 private:
  void draw(const Progress& progress);

  const ProgressStyle style_;
  const os::Clock& clock_;
  const Write write_;
  const size_t width_;
  std::optional<std::chrono::nanoseconds> last_;
};

}  // namespace cb::report
