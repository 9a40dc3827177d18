// SPDX-License-Identifier: Apache-2.0
//
// Where events of the daemon go: a line of the log each, and the notifier, which passes them on to
// the targets of [[notify]]. Thread-safe; blocks for small files.
#pragma once

#include "core/log/log.h"
#include "core/notify/notifier.h"
#include "core/report/metrics.h"
#include "core/server/events.h"

namespace cb::server {

class EventPost final : public EventSink {
 public:
  // Both outlive it.
  EventPost(notify::Notifier& notifier, log::Log& log) : notifier_(notifier), log_(log) {}

  void post(Event event) override;

 private:
  notify::Notifier& notifier_;
  log::Log& log_;
};

// The name of this machine, for who gets notifications of several servers.
std::string machine_name();

// How targets fare, as numbers.
std::vector<report::Metric> notify_metrics(const std::vector<notify::TargetReport>& targets);

}  // namespace cb::server
