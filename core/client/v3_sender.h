// SPDX-License-Identifier: Apache-2.0
//
// The engine of `cyberbackup send`: files to a v3 server, one after the other, over as many
// connections as it takes. Everything runs on the thread that calls run(); stop() is for any
// thread.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "core/client/v3_keys.h"
#include "core/client/v3_settings.h"
#include "core/os/clock.h"
#include "core/os/random.h"
#include "core/stream/stack.h"

namespace cb::client {

class V3Sender {
 public:
  // What the engine works with; all outlive it.
  struct Parts {
    const stream::Stack* stack = nullptr;
    const V3Suites* suites = nullptr;
    os::FileSystem* files = nullptr;
    const os::Clock* clock = nullptr;
    os::Random* random = nullptr;  // for the jitter of pauses
    os::Path identity_folder;      // holds me.info and priv.key
  };

  V3Sender(Parts parts, V3SendSettings settings, V3SendObserver observer);
  ~V3Sender();

  // Sends the files in their order and reports on each; blocks. SIGINT and SIGTERM end it early
  // when `on_signals`; the server then drops what was not confirmed. Call once. An error is one of
  // the identity or of the suites; whatever happens to a file is in its report.
  Result<V3SendReport> run(const std::vector<os::Path>& files, bool on_signals);

  // Makes run() return soon, with `interrupted`.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Wrong use that would lose data: two of the files have the same last component, under which an old
// server keeps only the later one. Code::invalid names both.
Status check_distinct_names(const std::vector<os::Path>& files);

}  // namespace cb::client
