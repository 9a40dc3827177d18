// SPDX-License-Identifier: Apache-2.0
#include "core/server/alarms.h"

namespace cb::server {

void Alarms::raise(const std::string& name, Event event) {
  const auto fresh = parts_.told->raise(name, parts_.clock->wall().count());
  {
    const std::lock_guard lock(mutex_);
    // Told while the catalog could not be written.
    const bool was_told = unwritten_.contains(name);
    if (fresh) unwritten_.erase(name);
    if (!fresh) unwritten_.insert(name);
    if (was_told || (fresh && !*fresh)) return;
  }
  if (!fresh)
    parts_.log->error("alarm.not-kept", {{"alarm", name}, {"error", fresh.error().text()}});
  post(std::move(event));
}

bool Alarms::clear(const std::string& name) {
  const auto was = parts_.told->clear(name);
  const std::lock_guard lock(mutex_);
  const bool was_unwritten = unwritten_.erase(name) > 0;
  return was_unwritten || (was && *was);
}

void Alarms::post(Event event) {
  if (event.when_ns == 0) event.when_ns = parts_.clock->wall().count();
  parts_.log->info("event", {{"kind", event.kind},
                             {"account", event.account},
                             {"source", event.source},
                             {"severity", name_of(event.severity)},
                             {"subject", event.subject}});
  if (parts_.sink != nullptr) parts_.sink->post(std::move(event));
}

}  // namespace cb::server
