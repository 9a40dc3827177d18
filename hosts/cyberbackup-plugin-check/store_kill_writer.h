// SPDX-License-Identifier: Apache-2.0
//
// The process that is killed while it writes into a store: it opens the store, compares what is
// there with what may be there, and then puts and removes until it dies, telling each step through
// a pipe. Runs on one thread of a process of its own.
#pragma once

#include <array>
#include <map>
#include <set>

#include "core/plugin/store.h"
#include "hosts/cyberbackup-plugin-check/check.h"

namespace cb::check {

// Which versions each object may have; 0: it is absent.
using Possible = std::map<uint32_t, std::set<uint32_t>>;

constexpr uint32_t kKillObjects = 10;

// What the writer tells. Text follows on `wrong`, up to the end of the pipe.
struct Step {
  enum Kind : uint32_t { found, ready, begins, done, wrong };
  uint32_t kind = found;
  uint32_t object = 0;
  uint32_t version = 0;
};

class KillWriter {
 public:
  // `possible` is what may be there; versions from `version` on are free.
  KillWriter(Subject& subject, int pipe, Possible possible, uint32_t version)
      : subject_(subject), pipe_(pipe), possible_(std::move(possible)), version_(version) {}

  // Goes on until the process is killed, the pipe has no reader or something is wrong.
  void run();

 private:
  Status verify(plugin::Store& store);
  Status change_for_ever(plugin::Store& store);
  Status put(plugin::Store& store, uint32_t object);
  void tell(Step::Kind kind, uint32_t object = 0, uint32_t version = 0) const;

  Subject& subject_;
  const int pipe_;
  const Possible possible_;
  uint32_t version_;
  std::array<uint32_t, kKillObjects> now_{};
};

}  // namespace cb::check
