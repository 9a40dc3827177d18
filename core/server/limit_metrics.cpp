// SPDX-License-Identifier: Apache-2.0
#include "core/server/limit_metrics.h"

namespace cb::server {
namespace {

using report::Metric;
using report::Sample;

Metric quota_gauge(const char* name, const char* help) {
  return {name, help, Metric::Kind::gauge, {}};
}

Sample of_account(const std::string& account, uint64_t value) {
  return {{{"account", account}}, static_cast<double>(value)};
}

}  // namespace

std::vector<Metric> quota_metrics(catalog::Accounts& accounts, LimitBook& book) {
  Metric stored =
      quota_gauge("cyberbackup_quota_stored_bytes", "What an account that is limited stores.");
  Metric limit = quota_gauge("cyberbackup_quota_limit_bytes", "What it may store at most.");
  Metric soft = quota_gauge("cyberbackup_quota_soft_limit_bytes", "What it may store for good.");
  Metric state =
      quota_gauge("cyberbackup_quota_state",
                  "0: below its limits, 1: above the soft one, 2: it can store nothing more.");
  const auto rows = accounts.accounts();
  if (!rows) return {};
  for (const catalog::Account& account : *rows) {
    const auto told = book.describe(account.number);
    if (!told || (told->use.limit == 0 && told->use.soft == 0)) continue;
    const QuotaUse& use = told->use;
    stored.samples.push_back(of_account(account.name, use.stored));
    if (use.limit != 0) limit.samples.push_back(of_account(account.name, use.limit));
    if (use.soft != 0) soft.samples.push_back(of_account(account.name, use.soft));
    state.samples.push_back(
        of_account(account.name, use.is_over ? 2U : (use.until_ns != 0 ? 1U : 0U)));
  }
  return {std::move(stored), std::move(limit), std::move(soft), std::move(state)};
}

Metric refusal_metric(const LimitBook& book) {
  Metric refused{"cyberbackup_limit_refusals_total",
                 "Refusals because of a limit, by its kind.",
                 Metric::Kind::counter,
                 {}};
  for (size_t i = 0; i < kRefusals; ++i) {
    const auto kind = static_cast<Refusal>(i);
    refused.samples.push_back(
        {{{"limit", std::string(name_of(kind))}}, static_cast<double>(book.refused(kind))});
  }
  return refused;
}

}  // namespace cb::server
