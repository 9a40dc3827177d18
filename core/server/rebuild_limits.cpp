// SPDX-License-Identifier: Apache-2.0
#include "core/server/rebuild_limits.h"

namespace cb::server {

Status copy_limits(catalog::Catalog& old, catalog::Catalog& fresh) {
  CB_ASSIGN(const auto accounts, fresh.accounts().accounts());
  for (const catalog::Account& account : accounts) {
    CB_ASSIGN(const auto before, old.accounts().account_by_name(account.name));
    if (!before) continue;
    CB_ASSIGN(const auto limits, old.limits().limits(before->number));
    CB_TRY(fresh.limits().set_limits(account.number, limits));
    CB_ASSIGN(const auto over, old.limits().over_soft(before->number));
    for (const catalog::OverSoftRow& row : over)
      CB_TRY(fresh.limits().set_over_soft(account.number, row));
  }
  return {};
}

}  // namespace cb::server
