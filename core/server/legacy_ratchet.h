// SPDX-License-Identifier: Apache-2.0
//
// Whether a client's first login of protocol 4 ends protocol 3 for it, or has done so. Plain
// values.
#pragma once

#include "core/catalog/catalog.h"
#include "core/report/json.h"
#include "core/server/v3_settings.h"

namespace cb::server {

enum class RatchetState {
  off,     // a login of protocol 4 changes nothing
  armed,   // the first one ends protocol 3
  closed,  // it came
  lifted,  // it came, and an operator lets protocol 3 in again for a while
};

RatchetState ratchet_state(const catalog::LegacyPolicy& policy, const V3Settings& settings,
                           int64_t now_ns);

// {"client", "account", "ratchet": "armed", "ended_ns", "lifted_until_ns", "served", "refusal"};
// "refusal" says why protocol 3 is not served to it, and is null when it is.
report::Json ratchet_json(const catalog::LegacyClient& client, const catalog::LegacyPolicy& policy,
                          const V3Settings& settings, int64_t now_ns);

// Of all clients by name, or of the one that is named (find_v3_client). Blocks.
Result<report::Json> list_ratchets(catalog::Catalog& catalog, const V3Settings& settings,
                                   int64_t now_ns, const std::string& name);

}  // namespace cb::server
