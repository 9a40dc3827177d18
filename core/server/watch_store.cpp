// SPDX-License-Identifier: Apache-2.0
#include "core/server/watch_store.h"

#include "core/base/units.h"

namespace cb::server {
namespace {

Event event_of_store(const char* kind, Severity severity, const std::string& subject,
                     const std::string& text) {
  Event event;
  event.kind = kind;
  event.severity = severity;
  event.subject = subject;
  event.text = text;
  return event;
}

void tell_full(Alarms& alarms, const std::string& left) {
  alarms.raise(event::kStoreFull,
               event_of_store(event::kStoreFull, Severity::alarm, "the store is full",
                              "It has " + left +
                                  ", and new uploads are refused. Add space, or let rules of "
                                  "retention remove more, and run collect and compact."));
}

void tell_low(Alarms& alarms, const std::string& left) {
  alarms.clear(event::kStoreFull);
  alarms.raise(event::kStoreLow,
               event_of_store(event::kStoreLow, Severity::warning, "the store has little room left",
                              "It has " + left + ". When it is full, uploads are refused."));
}

void tell_well(Alarms& alarms, const std::string& left) {
  const bool was_full = alarms.clear(event::kStoreFull);
  const bool was_low = alarms.clear(event::kStoreLow);
  if (was_full || was_low)
    alarms.post(event_of_store(event::kStoreWell, Severity::info, "the store has room again",
                               "It has " + left + "."));
}

void tell_room(Alarms& alarms, RoomState room, const std::string& left) {
  if (room == RoomState::full) tell_full(alarms, left);
  if (room == RoomState::low) tell_low(alarms, left);
  if (room == RoomState::well) tell_well(alarms, left);
}

void tell_fault(Alarms& alarms, const PluginFault& fault) {
  const std::string name = std::string(event::kStoreFault) + " " + fault.plugin;
  if (fault.reason.empty()) {
    alarms.clear(name);
    return;
  }
  alarms.raise(name, event_of_store(event::kStoreFault, Severity::alarm,
                                    "plugin " + fault.plugin + " is not used any more",
                                    fault.reason + ". Restart the daemon once the cause is gone; "
                                                   "cyberbackupd status shows more."));
}

}  // namespace

RoomState room_of(uint64_t total, uint64_t free, uint64_t reserve, uint32_t low_percent) {
  if (free < reserve) return RoomState::full;
  const double share = total == 0 ? 1 : static_cast<double>(free) / static_cast<double>(total);
  if (low_percent > 0 && share * 100 < low_percent) return RoomState::low;
  return RoomState::well;
}

void watch_store(const JobParts& parts) {
  if (parts.room) {
    if (const auto room = parts.room()) {
      const std::string left = format_size(room->free) + " left of " + format_size(room->total);
      tell_room(*parts.alarms,
                room_of(room->total, room->free, room->reserve, parts.watch->settings().low_space),
                left);
    }
  }
  if (!parts.faults) return;
  for (const PluginFault& fault : parts.faults()) tell_fault(*parts.alarms, fault);
}

}  // namespace cb::server
