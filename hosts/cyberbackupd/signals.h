// SPDX-License-Identifier: Apache-2.0
//
// Signals as something to wait for, beside one event of our own. Made before any thread is, waited
// on by the main thread; `ring` is for any thread.
#pragma once

#include "core/base/result.h"

namespace cb::host {

class Signals {
 public:
  enum class What { end, reload, bell };

  // Blocks SIGTERM, SIGINT and SIGHUP for this thread and those it starts, and ignores SIGPIPE.
  static Result<Signals> take_over();
  Signals(Signals&& other) noexcept;
  Signals& operator=(Signals&&) = delete;
  ~Signals();

  // The next signal or bell.
  What wait();
  // Makes wait return `bell`.
  void ring() const;

 private:
  Signals(int signal_fd, int bell_fd) : signal_fd_(signal_fd), bell_fd_(bell_fd) {}
  int signal_fd_;
  int bell_fd_;
};

}  // namespace cb::host
