// SPDX-License-Identifier: Apache-2.0
//
// SIGINT and SIGTERM for commands that end in an orderly way: taken by a thread of its own, so that
// the reaction may lock and allocate. Made before other threads, which inherit its signal mask.
#pragma once

#include <functional>
#include <mutex>
#include <thread>

namespace cb {

class Interruption {
 public:
  Interruption();
  // Waits for a reaction that runs.
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // What the first signal does, from now on; at once when one came already. A second signal ends
  // the program with 130.
  void react(std::function<void()> reaction);
  // Nothing is done any more.
  void ignore();
  [[nodiscard]] bool came() const;

 private:
  void watch();

  mutable std::mutex mutex_;
  std::function<void()> reaction_;  // guarded by mutex_
  bool came_ = false;               // guarded by mutex_
  int ending_ = -1;                 // an eventfd
  int signals_ = -1;                // a signalfd
  std::thread thread_;
};

}  // namespace cb
