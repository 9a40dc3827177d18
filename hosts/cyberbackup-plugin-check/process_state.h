// SPDX-License-Identifier: Apache-2.0
//
// What belongs to the whole process and therefore to the host: a plugin that changes it changes it
// for everybody. Functions are for a time when no other thread runs.
#pragma once

#include <array>
#include <csignal>
#include <string>
#include <vector>

namespace cb::check {

struct SignalState {
  std::array<struct sigaction, 65> actions{};
  sigset_t mask{};

  static SignalState now();
  // What is different in `later`; empty when nothing is.
  [[nodiscard]] std::string changes(const SignalState& later) const;
};

struct ProcessState {
  std::string locale;
  unsigned umask = 0;
  std::string folder;
  std::vector<std::string> environment;
  unsigned floating_point = 0;  // rounding and denormals

  static ProcessState now();
  [[nodiscard]] std::string changes(const ProcessState& later) const;
};

// Open descriptors of this process.
size_t descriptor_count();

// Takes stdout and stderr, and tells what was written to them.
class Output {
 public:
  // `file` is made; it holds what is written from now on.
  explicit Output(const std::string& file);
  ~Output() { give_back(); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Gives both back and returns what was written.
  std::string take();

 private:
  void give_back();
  int file_ = -1;
  std::array<int, 2> kept_{-1, -1};
};

}  // namespace cb::check
