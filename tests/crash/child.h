// SPDX-License-Identifier: Apache-2.0
//
// A store_driver started by a test, with pipes to its standard input and output. Used by one
// thread.
#pragma once

#include <chrono>
#include <string>

#include "core/os/file_system.h"

namespace cb::test {

class Child {
 public:
  Child(const std::string& plugin, const os::Path& folder, const std::string& mode, uint64_t seed);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();  // kills it if it still runs

  // The next whole line it wrote; false at the end, or when none comes for `patience`.
  bool read_line(std::string& line,
                 std::chrono::milliseconds patience = std::chrono::milliseconds(60'000));
  // Writes an empty line to it.
  void poke();
  // Stops it where it is and returns when it stands still.
  void stop();
  // Kills it without warning. Lines it wrote before can still be read.
  void kill();
  // Waits for its end without taking notice of it: it stays a zombie.
  void wait_until_dead();
  // Waits for its end and returns its exit code, or minus the signal.
  int wait();

 private:
  int pid_ = -1;
  int to_child_ = -1;
  int from_child_ = -1;
  std::string unread_;
};

}  // namespace cb::test
