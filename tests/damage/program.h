// SPDX-License-Identifier: Apache-2.0
//
// The real programs, run with arguments and some environment. One thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace cb::damage {

struct Ended {
  int exit_code = -1;  // 128 + N when signal N ended it
  std::string output;  // stdout and stderr
  bool hung = false;   // it took too long and was killed

  // Was it ended by a signal, or told by a sanitizer?
  [[nodiscard]] bool crashed() const;
};

using Words = std::vector<std::string>;

// Runs a program to its end, without input; kills it after `patience`.
Ended run(const Words& command, const Words& environment = {},
          std::chrono::seconds patience = std::chrono::seconds(120));

// A program that runs until it is told to end; its output goes to a file.
class Running {
 public:
  Running() = default;
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running();

  // Starts it; throws std::runtime_error when there is no such program.
  void start(const Words& command, const Words& environment, std::string log);
  // Waits until its output has this text. False when it ended before that, or takes too long.
  bool wait_for(const std::string& text);
  // SIGTERM, and what came of it; SIGKILL when that does not help.
  Ended stop();
  // As a crash ends it.
  void kill();
  [[nodiscard]] bool is_there() const { return pid_ > 0; }
  // What it wrote so far.
  [[nodiscard]] std::string output() const;

 private:
  bool has_ended(int& status);

  pid_t pid_ = -1;
  std::string log_;
};

// A whole file; empty when there is none.
std::string content_of(const std::string& file);
// Replaces a file, which keeps its place and mode; makes it when it is missing.
void write_file(const std::string& file, const std::string& content);

}  // namespace cb::damage
