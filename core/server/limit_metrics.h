// SPDX-License-Identifier: Apache-2.0
//
// What metrics tell of limits. Functions block.
#pragma once

#include <vector>

#include "core/report/metrics.h"
#include "core/server/limit_book.h"

namespace cb::server {

// Of accounts that have a limit on what they store: how much that is, and the limit. Reads the
// catalog for each account.
std::vector<report::Metric> quota_metrics(catalog::Accounts& accounts, LimitBook& book);

// Refusals since the start.
report::Metric refusal_metric(const LimitBook& book);

}  // namespace cb::server
