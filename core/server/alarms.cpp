// SPDX-License-Identifier: Apache-2.0
#include "core/server/alarms.h"

namespace cb::server {

bool Alarms::raise(const std::string& name, Event event) {
  const std::lock_guard lock(mutex_);
  const auto known = parts_.told->is_raised(name);
  if (known && *known) return false;
  // Told while the catalog could not be written.
  const bool is_new = unwritten_.insert(name).second;
  if (is_new) post(std::move(event));
  const auto kept = parts_.told->raise(name, parts_.clock->wall().count());
  if (kept) unwritten_.erase(name);
  if (!kept && is_new)
    parts_.log->error("alarm.not-kept", {{"alarm", name}, {"error", kept.error().text()}});
  return is_new;
}

bool Alarms::clear(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto was = parts_.told->clear(name);
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
