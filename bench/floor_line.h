// SPDX-License-Identifier: Apache-2.0
//
// A TLS 1.3 connection over the loopback, both ends in this process. Used by one thread.
#pragma once

#include <memory>

#include "bench/floor_stages.h"

namespace cb::bench {

class Line {
 public:
  // Connects, with a certificate made for it; the peer reads on a thread of its own.
  Line();
  ~Line();
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  // Returns when the other end has all of it.
  void send(View content);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cb::bench
