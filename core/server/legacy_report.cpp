// SPDX-License-Identifier: Apache-2.0
#include "core/server/legacy_report.h"

#include <algorithm>

#include "core/protocol/v3/public_key.h"
#include "core/report/utc_text.h"
#include "core/server/v3_policy.h"

namespace cb::server {
namespace {

using catalog::LegacyClient;
using catalog::LegacyPolicy;
using catalog::LegacyUse;

// What the catalog has of one client, and what is asked about it.
struct Subject {
  const LegacyClient& client;
  const LegacyPolicy& policy;
  const std::vector<LegacyUse>& uses;
  const Settings& settings;
  int64_t since_ns;  // the earliest moment that counts
};

void add_once(std::vector<std::string>& to, const std::string& text) {
  if (std::find(to.begin(), to.end(), text) == to.end()) to.push_back(text);
}

bool was_seen(const Subject& of) {
  return !of.uses.empty() || (of.policy.imported_ns == 0 && of.client.last_seen_ns != 0);
}

LegacyState state_of(const Subject& of, bool served) {
  if (of.policy.migrated_ns != 0) return LegacyState::migrated;
  if (!served) return LegacyState::refused;
  return was_seen(of) ? LegacyState::speaks_v3 : LegacyState::never_seen;
}

void add_uses(const Subject& of, LegacyClientReport& to) {
  to.first_seen_ns = of.client.created_ns;
  to.last_seen_ns = of.client.last_seen_ns;
  std::vector<LegacyUse> uses = of.uses;
  std::stable_sort(uses.begin(), uses.end(),
                   [](const LegacyUse& a, const LegacyUse& b) { return a.last_ns > b.last_ns; });
  for (const LegacyUse& use : uses) {
    if (to.first_seen_ns == 0 || use.first_ns < to.first_seen_ns) to.first_seen_ns = use.first_ns;
    to.last_seen_ns = std::max(to.last_seen_ns, use.last_ns);
    to.logins += use.logins;
    to.uploads += use.uploads;
    to.bytes += use.bytes;
    add_once(to.listeners, use.listener);
    if (!use.address.empty()) add_once(to.addresses, use.address);
  }
  std::sort(to.listeners.begin(), to.listeners.end());
}

LegacyClientReport report_of(const Subject& of, int64_t now_ns) {
  LegacyClientReport one;
  one.id = of.client.id;
  one.name = of.client.name;
  if (const auto refusal = v3_refusal(of.policy, of.settings.v3, now_ns)) one.refusal = *refusal;
  one.served = one.refusal.empty();
  one.state = state_of(of, one.served);
  add_uses(of, one);
  one.oaep = of.client.oaep;
  one.key_bits = v3::rsa_bits(of.client.public_key);
  one.key_replaced = of.policy.key_replaced;
  one.imported_ns = of.policy.imported_ns;
  one.migrated_ns = of.policy.migrated_ns;
  return one;
}

bool is_listener(const Settings& settings, const std::string& name) {
  return std::any_of(settings.listen.begin(), settings.listen.end(),
                     [&](const ListenSettings& listen) { return listen.name == name; });
}

// Why it would miss protocol 3 wherever that is served; empty: for no reason that is known.
std::string reason_everywhere(const Subject& of) {
  if (!was_seen(of)) {
    if (of.policy.imported_ns != 0) return "came by import and was never seen here";
    return "was never seen here";
  }
  if (of.uses.empty() && of.client.last_seen_ns >= of.since_ns)
    return "was seen at " + report::utc_text(of.client.last_seen_ns) +
           ", at which listener is not known";
  for (const LegacyUse& use : of.uses)
    if (use.last_ns >= of.since_ns && !is_listener(of.settings, use.listener))
      return "was seen at " + report::utc_text(use.last_ns) + " at listener " + use.listener +
             ", which is there no more";
  return {};
}

// Why it would miss protocol 3 at this listener.
std::string reason_at(const Subject& of, const std::string& listener) {
  int64_t last_ns = 0;
  for (const LegacyUse& use : of.uses)
    if (use.listener == listener) last_ns = std::max(last_ns, use.last_ns);
  if (last_ns == 0 || last_ns < of.since_ns) return {};
  return "was seen at " + report::utc_text(last_ns) + " at listener " + listener;
}

// Enters the client at each listener that it blocks, and why in the client.
void judge(const Subject& of, LegacyClientReport& one,
           std::vector<LegacyListenerReport>& listeners) {
  if (!one.served || one.state == LegacyState::migrated) return;
  const std::string everywhere = reason_everywhere(of);
  for (LegacyListenerReport& listener : listeners) {
    const std::string reason = everywhere.empty() ? reason_at(of, listener.name) : everywhere;
    if (reason.empty()) continue;
    listener.blocking.push_back(one.name);
    if (one.reason.empty()) one.reason = reason;
  }
}

void expose(const LegacyClientReport& one, LegacyExposure& exposure) {
  const bool speaks = one.state == LegacyState::speaks_v3 || one.state == LegacyState::migrated;
  if (!one.served || !speaks) return;
  ++exposure.clients;
  exposure.logins += one.logins;
  exposure.uploads += one.uploads;
  exposure.bytes += one.bytes;
}

}  // namespace

const char* name_of(LegacyState state) {
  switch (state) {
    case LegacyState::speaks_v3:
      return "speaks v3";
    case LegacyState::migrated:
      return "migrated";
    case LegacyState::refused:
      return "refused";
    case LegacyState::never_seen:
      return "never seen here";
  }
  return "unknown";
}

std::vector<std::string> LegacyReport::blocking() const {
  std::vector<std::string> names;
  for (const LegacyClientReport& one : clients)
    if (!one.reason.empty()) names.push_back(one.name);
  return names;
}

Result<LegacyReport> collect_legacy_report(catalog::Catalog& catalog, const Settings& settings,
                                           int64_t now_ns, std::chrono::nanoseconds since) {
  LegacyReport report;
  report.now_ns = now_ns;
  report.since = since;
  for (const ListenSettings& listen : settings.listen)
    if (listen.serves(3)) report.listeners.push_back({listen.name, {}});
  CB_ASSIGN(const std::vector<LegacyClient> clients, catalog.clients());
  for (const LegacyClient& client : clients) {
    CB_ASSIGN(const LegacyPolicy policy, catalog.legacy_policy(client.id));
    CB_ASSIGN(const std::vector<LegacyUse> uses, catalog.legacy_uses(client.id));
    const Subject subject{client, policy, uses, settings, now_ns - since.count()};
    LegacyClientReport one = report_of(subject, now_ns);
    judge(subject, one, report.listeners);
    expose(one, report.exposure);
    report.clients.push_back(std::move(one));
  }
  return report;
}

}  // namespace cb::server
