// SPDX-License-Identifier: Apache-2.0
//
// Who still speaks protocol 3, what that exposes, and whether a listener can stop serving it.
// Collecting blocks; the result is a plain value, and the functions that write it are pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/report/json.h"
#include "core/report/metrics.h"
#include "core/server/settings.h"

namespace cb::server {

enum class LegacyState {
  speaks_v3,   // it is served, and came
  migrated,    // its repository has an owner
  refused,     // protocol 3 is refused to it
  never_seen,  // it is served, and never came to this server
};
constexpr int kLegacyStates = 4;

// "speaks v3", "migrated", "refused", "never seen here".
const char* name_of(LegacyState state);

// Times are nanoseconds since 1970 UTC; 0: never.
struct LegacyClientReport {
  ClientId id;
  std::string name;  // as sent: for a terminal only through report::shown_text
  LegacyState state = LegacyState::never_seen;
  bool served = false;  // protocol 3, now
  std::string refusal;  // why it is not served
  int64_t first_seen_ns = 0;
  int64_t last_seen_ns = 0;  // of an imported client that never came here: by the server before
  uint64_t logins = 0;
  uint64_t uploads = 0;                // confirmed
  uint64_t bytes = 0;                  // plain, of those
  std::vector<std::string> listeners;  // by name
  std::vector<std::string> addresses;  // the latest first; older ones may not be told apart
  catalog::OaepHash oaep = catalog::OaepHash::unknown;
  std::optional<size_t> key_bits;  // nothing without a key
  bool key_replaced = false;
  int64_t imported_ns = 0;
  int64_t migrated_ns = 0;
  std::string reason;  // why a listener cannot stop serving protocol 3; empty: no reason
};

// A listener that serves protocol 3.
struct LegacyListenerReport {
  std::string name;
  std::vector<std::string> blocking;  // names of clients; empty: safe to serve protocol 4 alone
};

// Of the clients that came and are still served.
struct LegacyExposure {
  uint64_t clients = 0;
  uint64_t logins = 0;
  uint64_t uploads = 0;
  uint64_t bytes = 0;
};

struct LegacyReport {
  int64_t now_ns = 0;
  std::chrono::nanoseconds since{};             // who came within this time blocks
  std::vector<LegacyClientReport> clients;      // by name
  std::vector<LegacyListenerReport> listeners;  // in the order of the settings
  LegacyExposure exposure;

  // Names of all clients that block some listener.
  [[nodiscard]] std::vector<std::string> blocking() const;
};

// A client blocks a listener that serves protocol 3 when it is served, has not migrated, and was
// seen there within `since`, or was never seen at any listener here. When it is not known where it
// was seen (before use was recorded, or at a listener that is in the settings no more), it blocks
// every listener.
Result<LegacyReport> collect_legacy_report(catalog::Catalog& catalog, const Settings& settings,
                                           int64_t now_ns, std::chrono::nanoseconds since);

// A table, what is exposed, a line for each listener, and the last line "safe" or "not safe: NAME,
// NAME", all without control characters. Lines end with a newline but for the last.
std::string legacy_report_text(const LegacyReport& report);

// {"safe", "blocking", "since_ns", "listeners", "exposure", "clients"}; names as they were sent.
report::Json legacy_report_json(const LegacyReport& report);

// In the text format of Prometheus.
std::string legacy_report_metrics(const LegacyReport& report);
// The same before it is text.
std::vector<report::Metric> legacy_metrics(const LegacyReport& report);

}  // namespace cb::server
