// SPDX-License-Identifier: Apache-2.0
//
// The report for scripts.
#include "core/server/legacy_report.h"

namespace cb::server {
namespace {

using catalog::OaepHash;
using report::Json;

Json json_of(OaepHash hash) {
  switch (hash) {
    case OaepHash::sha256:
      return "sha256";
    case OaepHash::sha1:
      return "sha1";
    case OaepHash::unknown:
      break;
  }
  return nullptr;
}

// Text, or null when there is none.
Json json_of(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json json_of(const LegacyClientReport& one) {
  return {{"name", one.name},
          {"id", one.id.hex()},
          {"state", name_of(one.state)},
          {"served", one.served},
          {"refusal", json_of(one.refusal)},
          {"first_seen_ns", one.first_seen_ns},
          {"last_seen_ns", one.last_seen_ns},
          {"logins", one.logins},
          {"uploads", one.uploads},
          {"bytes", one.bytes},
          {"listeners", one.listeners},
          {"addresses", one.addresses},
          {"oaep", json_of(one.oaep)},
          {"key_bits", one.key_bits ? Json(*one.key_bits) : Json(nullptr)},
          {"key_replaced", one.key_replaced},
          {"imported_ns", one.imported_ns},
          {"migrated_ns", one.migrated_ns},
          {"blocking", !one.reason.empty()},
          {"reason", json_of(one.reason)}};
}

Json json_of(const LegacyListenerReport& one) {
  return {{"name", one.name}, {"safe", one.blocking.empty()}, {"blocking", one.blocking}};
}

Json json_of(const LegacyExposure& of) {
  const Json data = {{"uploads", of.uploads}, {"bytes", of.bytes}};
  const Json logins = {{"logins", of.logins}};
  return {{"clients", of.clients},
          {"data_unauthenticated", data},
          {"zero_iv", data},
          {"no_identity_of_client", logins},
          {"no_identity_of_server", logins}};
}

template <typename Value>
Json list_of(const std::vector<Value>& values) {
  Json all = Json::array();
  for (const Value& value : values) all.push_back(json_of(value));
  return all;
}

}  // namespace

Json legacy_report_json(const LegacyReport& report) {
  const std::vector<std::string> blocking = report.blocking();
  return {{"safe", blocking.empty()},
          {"blocking", blocking},
          {"now_ns", report.now_ns},
          {"since_ns", report.since.count()},
          {"listeners", list_of(report.listeners)},
          {"exposure", json_of(report.exposure)},
          {"clients", list_of(report.clients)}};
}

}  // namespace cb::server
