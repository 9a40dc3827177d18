// SPDX-License-Identifier: Apache-2.0
//
// The report for a monitoring system.
#include <array>
#include <functional>

#include "core/report/metrics.h"
#include "core/server/legacy_report.h"

namespace cb::server {
namespace {

using report::Metric;
using report::Sample;

constexpr int64_t kSecond = 1'000'000'000;

Metric states_of(const LegacyReport& report) {
  std::array<uint64_t, kLegacyStates> counts{};
  for (const LegacyClientReport& one : report.clients) ++counts.at(static_cast<size_t>(one.state));
  Metric metric{
      "cyberbackup_legacy_clients", "Clients of protocol 3 by state.", Metric::Kind::gauge, {}};
  for (int state = 0; state < kLegacyStates; ++state)
    metric.samples.push_back({{{"state", name_of(static_cast<LegacyState>(state))}},
                              static_cast<double>(counts.at(static_cast<size_t>(state)))});
  return metric;
}

// A sample for each client.
Metric of_clients(const LegacyReport& report, const char* name, const char* help, Metric::Kind kind,
                  const std::function<double(const LegacyClientReport&)>& value) {
  Metric metric{name, help, kind, {}};
  for (const LegacyClientReport& one : report.clients)
    metric.samples.push_back({{{"client", one.name}, {"id", one.id.hex()}}, value(one)});
  return metric;
}

Metric listeners_of(const LegacyReport& report) {
  Metric metric{"cyberbackup_legacy_listener_safe",
                "1: no client would miss protocol 3 at this listener.",
                Metric::Kind::gauge,
                {}};
  for (const LegacyListenerReport& one : report.listeners)
    metric.samples.push_back({{{"listener", one.name}}, one.blocking.empty() ? 1.0 : 0.0});
  return metric;
}

Metric verdict_of(const LegacyReport& report) {
  return {"cyberbackup_legacy_safe",
          "1: no client would miss protocol 3.",
          Metric::Kind::gauge,
          {{{}, report.blocking().empty() ? 1.0 : 0.0}}};
}

}  // namespace

std::string legacy_report_metrics(const LegacyReport& report) {
  return report::metrics_text(legacy_metrics(report));
}

std::vector<Metric> legacy_metrics(const LegacyReport& report) {
  constexpr auto kGauge = Metric::Kind::gauge;
  constexpr auto kCounter = Metric::Kind::counter;
  using One = const LegacyClientReport&;
  return {verdict_of(report),
          listeners_of(report),
          states_of(report),
          of_clients(report, "cyberbackup_legacy_client_blocks",
                     "1: a listener cannot stop serving protocol 3 because of this client.", kGauge,
                     [](One one) { return one.reason.empty() ? 0.0 : 1.0; }),
          of_clients(report, "cyberbackup_legacy_client_served", "1: protocol 3 is served to it.",
                     kGauge, [](One one) { return one.served ? 1.0 : 0.0; }),
          of_clients(report, "cyberbackup_legacy_client_key_replaced",
                     "1: another public key came than the one before.", kGauge,
                     [](One one) { return one.key_replaced ? 1.0 : 0.0; }),
          of_clients(report, "cyberbackup_legacy_client_last_seen_timestamp_seconds",
                     "When it spoke protocol 3 last, 0: never.", kGauge,
                     [](One one) { return static_cast<double>(one.last_seen_ns / kSecond); }),
          of_clients(report, "cyberbackup_legacy_logins_total", "Logins of protocol 3.", kCounter,
                     [](One one) { return static_cast<double>(one.logins); }),
          of_clients(report, "cyberbackup_legacy_uploads_total", "Confirmed uploads of protocol 3.",
                     kCounter, [](One one) { return static_cast<double>(one.uploads); }),
          of_clients(report, "cyberbackup_legacy_bytes_total",
                     "Plain bytes of confirmed uploads of protocol 3.", kCounter,
                     [](One one) { return static_cast<double>(one.bytes); })};
}

}  // namespace cb::server
