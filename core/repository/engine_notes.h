// SPDX-License-Identifier: Apache-2.0
//
// The server's own notes of a repository as the catalog says they should be
// (docs/repository-format.md, "Account" and "Retention"). Functions read the catalog and keep
// nothing.
#pragma once

#include "core/catalog/catalog.h"
#include "core/repository/records.h"

namespace cb::repository {

// Code::not_found when there is no such account.
Result<AccountRecord> account_note(catalog::Catalog& catalog, int64_t account);

// Freezes that are over at `now_ns` are left out.
Result<RetentionRecord> retention_note(catalog::Catalog& catalog, int64_t repository,
                                       int64_t now_ns);

}  // namespace cb::repository
