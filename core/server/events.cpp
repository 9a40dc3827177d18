// SPDX-License-Identifier: Apache-2.0
#include "core/server/events.h"

namespace cb::server {

const char* name_of(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::warning:
      return "warning";
    case Severity::alarm:
      return "alarm";
  }
  return "alarm";
}

const std::vector<const char*>& event_kinds() {
  static const std::vector<const char*> kinds = {
      event::kOverdue,     event::kBack,         event::kAnomaly,   event::kMany,
      event::kJobFailed,   event::kJobWell,      event::kDamage,    event::kAsks,
      event::kStoreLow,    event::kStoreFull,    event::kStoreWell, event::kStoreFault,
      event::kDrillFailed, event::kDrillMissing, event::kDrillWell};
  return kinds;
}

}  // namespace cb::server
