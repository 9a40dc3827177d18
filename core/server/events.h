// SPDX-License-Identifier: Apache-2.0
//
// What a person should hear of without looking: an event for each, told once, to whoever passes it
// on. It carries names, ids and numbers; never keys, names of files or content.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cb::server {

enum class Severity : uint8_t {
  info,     // something is well again
  warning,  // somebody should look within days
  alarm,    // somebody should look now
};
// "warning".
const char* name_of(Severity severity);

// The kinds there are, for filters and templates; docs/watch.md lists them with their meaning.
namespace event {
inline constexpr const char* kOverdue = "source.overdue";
inline constexpr const char* kBack = "source.back";
inline constexpr const char* kAnomaly = "source.anomaly";
inline constexpr const char* kMany = "source.many";
inline constexpr const char* kJobFailed = "job.failed";
inline constexpr const char* kJobWell = "job.well";
inline constexpr const char* kDamage = "verification.damage";
inline constexpr const char* kAsks = "retention.asks";
inline constexpr const char* kStoreLow = "store.low";
inline constexpr const char* kStoreFull = "store.full";
inline constexpr const char* kStoreWell = "store.well";
inline constexpr const char* kStoreFault = "store.fault";
inline constexpr const char* kDrillFailed = "drill.failed";
inline constexpr const char* kDrillMissing = "drill.missing";
inline constexpr const char* kDrillWell = "drill.well";
}  // namespace event

struct Event {
  std::string kind;     // "source.overdue"
  std::string account;  // its name; empty: it is about the server
  std::string source;   // device and path set in hex, "DEVICE/HASH"; empty: of no source
  std::string device;   // in hex; empty: of no device
  std::string subject;  // one line, without a line break
  std::string text;     // what happened and what to do, some sentences
  Severity severity = Severity::warning;
  int64_t when_ns = 0;  // since 1970 UTC, by the server's clock

  friend bool operator==(const Event&, const Event&) = default;
};

// Events are about people's attention, so who posts one posts it once: the same trouble is told
// again only after it was gone.
class EventSink {
 public:
  virtual ~EventSink() = default;

  // Takes an event over, so that a crash does not lose it any more. Does not fail: what cannot be
  // passed on is the sink's trouble. Blocks for small files and belongs on a worker.
  virtual void post(Event event) = 0;
};

// The kinds, in the order in which they are told about.
const std::vector<const char*>& event_kinds();

}  // namespace cb::server
