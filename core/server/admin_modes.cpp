// SPDX-License-Identifier: Apache-2.0
//
// What an operator decides about one client of protocol 3.
#include "core/server/admin_commands.h"

namespace cb::server {
namespace {

using catalog::LegacyPolicy;
using report::Json;

// What a request asks for; what it does not name stays.
struct Wish {
  std::optional<int> min_version;
  std::optional<bool> ratchet;

  [[nodiscard]] bool is_empty() const { return !min_version && !ratchet; }
};

Status read_mode(const std::string& mode, Wish& wish) {
  if (mode != "legacy" && mode != "compat" && mode != "secure")
    return failed(Code::invalid, "mode '" + mode + "'", "is not known",
                  "use legacy, compat or secure");
  wish.min_version = mode == "secure" ? 4 : 3;
  if (mode != "secure") wish.ratchet = mode == "compat";
  return {};
}

Result<Wish> wish_of(const Json& request) {
  Wish wish;
  if (request.contains("mode")) CB_TRY(read_mode(report::text_of(request, "mode"), wish));
  if (request.contains("min_version")) {
    const Json& version = request["min_version"];
    if (version != 3 && version != 4) return failed(Code::invalid, "min_version", "must be 3 or 4");
    wish.min_version = version.get<int>();
  }
  if (request.contains("ratchet")) {
    const std::string ratchet = report::text_of(request, "ratchet");
    if (ratchet != "on" && ratchet != "off")
      return failed(Code::invalid, "ratchet", "must be on or off");
    wish.ratchet = ratchet == "on";
  }
  return wish;
}

Json json_of(const catalog::LegacyClient& client, const LegacyPolicy& policy, bool usual) {
  const bool ratchet = policy.ratchet.value_or(usual);
  return {{"name", client.name},
          {"client", client.id.hex()},
          {"account", V3Keys::account_of(client.id)},
          {"mode", policy.min_version > 3 ? "secure"
                   : ratchet              ? "compat"
                                          : "legacy"},
          {"min_version", policy.min_version},
          {"ratchet", ratchet ? "on" : "off"},
          {"ratchet_as_set", !policy.ratchet.has_value()},
          {"ended_ns", policy.ended_ns},
          {"lifted_until_ns", policy.lifted_until_ns}};
}

}  // namespace

Result<Json> AdminCommands::set_mode(const Json& request) const {
  CB_ASSIGN(const Wish wish, wish_of(request));
  CB_ASSIGN(const catalog::LegacyClient client,
            find_v3_client(*parts_.catalog, report::text_of(request, "account")));
  if (!wish.is_empty())
    CB_TRY(parts_.v3_policy->change(client.id, [&](LegacyPolicy& policy) {
      if (wish.min_version) policy.min_version = *wish.min_version;
      if (wish.ratchet) policy.ratchet = wish.ratchet;
    }));
  CB_ASSIGN(const LegacyPolicy policy, parts_.catalog->legacy_policy(client.id));
  if (!wish.is_empty())
    parts_.log->info("v3.mode.set", {{"client", client.id.hex()},
                                     {"name", client.name},
                                     {"min_version", policy.min_version},
                                     {"ratchet", !policy.ratchet   ? "as set"
                                                 : *policy.ratchet ? "on"
                                                                   : "off"}});
  return json_of(client, policy, parts_.v3_policy->settings().ratchet);
}

}  // namespace cb::server
