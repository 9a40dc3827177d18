// SPDX-License-Identifier: Apache-2.0
#include "core/server/legacy_ratchet.h"

#include "core/server/v3_keys.h"
#include "core/server/v3_policy.h"

namespace cb::server {
namespace {

using catalog::LegacyClient;
using catalog::LegacyPolicy;
using report::Json;

const char* name_of(RatchetState state) {
  switch (state) {
    case RatchetState::off:
      return "off";
    case RatchetState::armed:
      return "armed";
    case RatchetState::closed:
      return "closed";
    case RatchetState::lifted:
      return "lifted";
  }
  return "unknown";
}

}  // namespace

RatchetState ratchet_state(const LegacyPolicy& policy, const V3Settings& settings, int64_t now_ns) {
  if (policy.ended_ns != 0)
    return now_ns < policy.lifted_until_ns ? RatchetState::lifted : RatchetState::closed;
  return policy.ratchet.value_or(settings.ratchet) ? RatchetState::armed : RatchetState::off;
}

Json ratchet_json(const LegacyClient& client, const LegacyPolicy& policy,
                  const V3Settings& settings, int64_t now_ns) {
  const auto refusal = v3_refusal(policy, settings, now_ns);
  return {{"client", client.name},
          {"account", V3Keys::account_of(client.id)},
          {"ratchet", name_of(ratchet_state(policy, settings, now_ns))},
          {"ended_ns", policy.ended_ns},
          {"lifted_until_ns", policy.lifted_until_ns},
          {"served", !refusal},
          {"refusal", refusal ? Json(*refusal) : Json(nullptr)}};
}

Result<Json> list_ratchets(catalog::Catalog& catalog, const V3Settings& settings, int64_t now_ns,
                           const std::string& name) {
  std::vector<LegacyClient> clients;
  if (name.empty()) {
    CB_ASSIGN(clients, catalog.clients());
  } else {
    CB_ASSIGN(LegacyClient one, find_v3_client(catalog, name));
    clients.push_back(std::move(one));
  }
  Json all = Json::array();
  for (const LegacyClient& client : clients) {
    CB_ASSIGN(const LegacyPolicy policy, catalog.legacy_policy(client.id));
    all.push_back(ratchet_json(client, policy, settings, now_ns));
  }
  return all;
}

}  // namespace cb::server
