// SPDX-License-Identifier: Apache-2.0
//
// Policies and uses of v3 clients in the SQLite catalog. Thread-safe; both connections outlive it.
#pragma once

#include <functional>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/catalog/guarded.h"

namespace cb::catalog {

// As the functions of Catalog of the same names.
class SqliteLegacy {
 public:
  SqliteLegacy(Guarded& writer, Guarded& reader) : writer_(writer), reader_(reader) {}

  Result<LegacyPolicy> policy(const ClientId& client);
  Status change_policy(const ClientId& client, const std::function<void(LegacyPolicy&)>& change);
  Status note_use(const ClientId& client, const LegacyUse& more);
  Result<std::vector<LegacyUse>> uses(const ClientId& client);
  Status take_over(const ClientId& client, int64_t now_ns);

 private:
  Guarded& writer_;
  Guarded& reader_;
};

}  // namespace cb::catalog
