// SPDX-License-Identifier: Apache-2.0
//
// What an operator does about clients of protocol 3 on their way to protocol 4.
#include <limits>

#include "core/report/shown_text.h"
#include "core/server/admin_commands.h"
#include "core/server/legacy_ratchet.h"

namespace cb::server {
namespace {

using catalog::LegacyClient;
using catalog::LegacyPolicy;
using report::Json;

constexpr int64_t kAllowedFor = 7 * 24 * 3600 * int64_t{1'000'000'000};

std::string named(const LegacyClient& client) {
  return "client " + report::shown_text(client.name);
}

Error migrated(const LegacyClient& client) {
  return fail(Code::exists, named(client), "has migrated already: its account has an owner",
              "let the owner invite further devices: cyberbackup device invite");
}

// Why the client can migrate by no way at all.
Status check_can_migrate(const LegacyClient& client, const LegacyPolicy& policy) {
  if (policy.migrated_ns != 0) return failed(migrated(client));
  if (!client.public_key.empty()) return {};
  return failed(Code::denied, named(client),
                "never sent a public key, so nothing can tell it from others",
                "enroll it under an account of its own: cyberbackupd account add NAME");
}

// Why it could not migrate without a token, whatever is decided about it.
Status check_can_be_allowed(const LegacyClient& client, const LegacyPolicy& policy,
                            const V3Settings& settings) {
  CB_TRY(check_can_migrate(client, policy));
  const std::string token = "give a token: cyberbackupd token create --legacy NAME";
  if (policy.key_replaced)
    return failed(Code::denied, named(client), "has sent another public key than before",
                  "find out who did, then " + token);
  if (settings.migrate == V3Migration::token)
    return failed(Code::state, named(client),
                  "could not migrate all the same: legacy.migrate is \"token\"", token);
  return {};
}

// The moment so many nanoseconds from now. Code::invalid when it is over, or out of reach.
Result<int64_t> moment_after(int64_t now_ns, int64_t life_ns) {
  if (life_ns > 0 && life_ns <= std::numeric_limits<int64_t>::max() - now_ns)
    return now_ns + life_ns;
  return failed(Code::invalid, "duration", "is over at once, or never", "for instance: 7d");
}

}  // namespace

Result<LegacyClient> AdminCommands::legacy_client_of(const Json& request) const {
  return find_v3_client(*parts_.catalog, report::text_of(request, "account"));
}

Status AdminCommands::lift_ratchet(const LegacyClient& client, int64_t until_ns) const {
  bool closed = false;
  CB_TRY(parts_.v3_policy->change(client.id, [&](LegacyPolicy& policy) {
    closed = policy.ended_ns != 0;
    if (closed) policy.lifted_until_ns = until_ns;
  }));
  if (closed) return {};
  return failed(Code::state, named(client), "has no closed ratchet",
                "there is nothing to lift: cyberbackupd legacy ratchet shows what is closed");
}

Status AdminCommands::close_ratchet(const LegacyClient& client) const {
  return parts_.v3_policy->change(client.id, [&](LegacyPolicy& policy) {
    if (policy.ended_ns == 0) policy.ended_ns = now();
    policy.lifted_until_ns = 0;
  });
}

Result<Json> AdminCommands::set_ratchet(const Json& request) const {
  const std::string action = report::text_of(request, "action");
  CB_ASSIGN(const LegacyClient client, legacy_client_of(request));
  if (action == "lift") {
    CB_ASSIGN(const int64_t until,
              moment_after(now(), report::number_of(request, "for_ns", kAllowedFor)));
    CB_TRY(lift_ratchet(client, until));
  } else if (action == "close") {
    CB_TRY(close_ratchet(client));
  } else {
    return failed(Code::invalid, "action '" + action + "'", "is neither lift nor close");
  }
  CB_ASSIGN(const LegacyPolicy policy, parts_.catalog->legacy_policy(client.id));
  return ratchet_json(client, policy, parts_.v3_policy->settings(), now());
}

Result<Json> AdminCommands::allow_migration(const Json& request) const {
  CB_ASSIGN(const LegacyClient client, legacy_client_of(request));
  int64_t until = 0;
  if (report::text_of(request, "action") != "revoke") {
    CB_ASSIGN(const LegacyPolicy policy, parts_.catalog->legacy_policy(client.id));
    CB_TRY(check_can_be_allowed(client, policy, parts_.v3_policy->settings()));
    CB_ASSIGN(until, moment_after(now(), report::number_of(request, "expires_ns", kAllowedFor)));
  }
  CB_TRY(parts_.v3_policy->change(client.id,
                                  [&](LegacyPolicy& policy) { policy.allowed_until_ns = until; }));
  return Json{{"client", client.name},
              {"account", V3Keys::account_of(client.id)},
              {"allowed_until_ns", until}};
}

// The account of a client that can migrate with a token; made when it never uploaded.
Result<catalog::Account> AdminCommands::legacy_account_of(const Json& request) const {
  CB_ASSIGN(const LegacyClient client, legacy_client_of(request));
  CB_ASSIGN(const LegacyPolicy policy, parts_.catalog->legacy_policy(client.id));
  CB_TRY(check_can_migrate(client, policy));
  CB_ASSIGN(const auto repository, parts_.v3_keys->ensure(client.id));
  const std::string name = V3Keys::account_of(client.id);
  CB_ASSIGN(const auto account, parts_.accounts->account_by_name(name));
  if (!account) return failed(Code::internal, "account " + name, "is not there");
  CB_ASSIGN(const auto devices, parts_.accounts->devices(account->number));
  if (!devices.empty()) return failed(migrated(client));
  return *account;
}

}  // namespace cb::server
