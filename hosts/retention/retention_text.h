// SPDX-License-Identifier: Apache-2.0
//
// Answers about retention as tables for people: those of core/server's admin commands, which the
// client builds of its own answers, too.
#pragma once

#include <string>

#include "core/report/json.h"

namespace cb::host {

// Of retention.show: rules, sources and pins.
std::string retention_text(const report::Json& shown);
// Of a dry run's detail: each snapshot with what becomes of it and why.
std::string retention_plan_text(const report::Json& detail);
// Of retention.set, and of the client's.
std::string rules_set_text(const report::Json& done);
// Of job.requests.
std::string requests_text(const report::Json& requests);

}  // namespace cb::host
