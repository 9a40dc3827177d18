// SPDX-License-Identifier: Apache-2.0
//
// Starting the probe program, reading what it says, and ending it. Thread-safe.
#pragma once

#include <chrono>
#include <string>

#include "core/base/result.h"
#include "core/os/file_system.h"

namespace cb::plugin {

// How the probe's process ended.
struct ProbeEnd {
  enum class Kind { exited, signalled, timed_out } kind = Kind::exited;
  int number = 0;    // exit status or signal
  std::string said;  // what came through the verdict pipe
};

// Runs `program` with the open file at kProbeFileFd and the verdict pipe at kProbeVerdictFd, and
// waits at most `timeout`; then it and whatever it started are killed. `path` names the file.
Result<ProbeEnd> run_probe(const os::Path& program, int file_fd, const os::Path& path,
                           std::chrono::nanoseconds timeout);

// "Aborted"; for numbers without a name "unknown".
std::string signal_name(int signal_number);

}  // namespace cb::plugin
