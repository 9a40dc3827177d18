// SPDX-License-Identifier: Apache-2.0
//
// Runs a program of the operator's and waits for its end: no shell, only the environment that it is
// given, no descriptor but the three usual ones. It runs in a group of its own; what is left of
// that is killed when it ends or its time is up. Functions are thread-safe and block.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "core/os/file_system.h"

namespace cb::os {

struct ProgramCall {
  std::vector<std::string> command;      // an absolute path, then its arguments
  std::vector<std::string> environment;  // "NAME=value"; nothing else is in it
  std::string input;                     // what it reads; it need not read all of it
  std::chrono::nanoseconds timeout{};
  // Asked a few times a second; true kills it. May be empty.
  std::function<bool()> is_cancelled = {};
};

struct ProgramEnd {
  enum class Kind { exited, signalled, timed_out, cancelled };
  Kind kind = Kind::exited;
  int number = 0;    // of the exit code, or of the signal
  std::string said;  // to its output and error output; the first 4 KiB
};

// Fails only when the program cannot be started: Code::not_found, Code::denied and their like.
Result<ProgramEnd> run_program(const ProgramCall& call);

}  // namespace cb::os
