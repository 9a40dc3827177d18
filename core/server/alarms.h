// SPDX-License-Identifier: Apache-2.0
//
// Events that are told once until their trouble is over, also over restarts: the catalog remembers.
// Thread-safe; functions block.
#pragma once

#include <mutex>
#include <set>

#include "core/catalog/sources.h"
#include "core/log/log.h"
#include "core/os/clock.h"
#include "core/server/events.h"

namespace cb::server {

class Alarms {
 public:
  // All outlive it.
  struct Parts {
    catalog::Sources* told = nullptr;
    EventSink* sink = nullptr;  // null: nobody passes events on; they are remembered all the same
    const os::Clock* clock = nullptr;
    log::Log* log = nullptr;
  };
  explicit Alarms(const Parts& parts) : parts_(parts) {}

  // Tells an event unless its trouble, known by `name`, was told before and is not over. When the
  // catalog cannot be written (a full disk is such a trouble), this process remembers. Told first
  // and remembered then: a crash between may tell it twice, and loses nothing. True when it was
  // told now.
  bool raise(const std::string& name, Event event);
  // The trouble is over. Had it been told of?
  bool clear(const std::string& name);
  // Tells it, whatever was told. Sets its time when it has none.
  void post(Event event);

 private:
  const Parts parts_;
  std::mutex mutex_;                 // held while something is raised, so that it is told once
  std::set<std::string> unwritten_;  // told, and not in the catalog; guarded by mutex_
};

}  // namespace cb::server
