// SPDX-License-Identifier: Apache-2.0
//
// Part after part of the audit log, for an operator's request. Functions block.
#pragma once

#include "core/catalog/audit.h"
#include "core/report/json.h"

namespace cb::server {

// Records after the sequence "after" (0) of `request`, in their order: those from "since_ns" on,
// before "until_ns" and of "action" (also of all actions that begin with it and a dot), as far as
// these are there. {"records": [json_of(row)...], "after": where to go on, "last": that was all}. A
// record that cannot be read is always among them.
Result<report::Json> audit_page(catalog::Audit& audit, const report::Json& request);

}  // namespace cb::server
