// SPDX-License-Identifier: Apache-2.0
//
// Starting the probe program, reading what it says, and ending it. Thread-safe.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/os/file_system.h"

namespace cb::plugin {

// How the probe's process ended.
struct ProbeEnd {
  enum class Kind { exited, signalled, timed_out } kind = Kind::exited;
  int number = 0;    // exit status or signal
  std::string said;  // what came through the verdict pipe
};

// What is to be run. Descriptors are the caller's; -1 is /dev/null.
struct ProbePlan {
  os::Path program;
  std::vector<std::string> arguments;  // after the program's name
  int file_fd = -1;                    // found at kProbeFileFd
  int output_fd = -1;                  // takes stdout and stderr
  std::chrono::nanoseconds timeout{0};
};

// Runs the program, with the verdict pipe at kProbeVerdictFd, and waits for at most the timeout;
// then it and whatever it started are killed.
Result<ProbeEnd> run_probe(const ProbePlan& plan);

// "Aborted"; for numbers without a name "unknown".
std::string signal_name(int signal_number);

}  // namespace cb::plugin
