// SPDX-License-Identifier: Apache-2.0
//
// Keeps the store's note of an account (docs/repository-format.md, "Account") as the catalog is, so
// that a rebuilt catalog lets nobody in who was out. Thread-safe; functions block.
#pragma once

#include "core/catalog/catalog.h"
#include "core/repository/engine.h"
#include "core/server/account_locks.h"

namespace cb::server {

class AccountNotes {
 public:
  // Both outlive it.
  AccountNotes(catalog::Catalog& catalog, repository::Engine& engine)
      : catalog_(catalog), engine_(engine) {}

  // After every change of an account or of its devices' states. Does nothing while the account has
  // no repository; Code::not_found when there is no such account.
  Status keep(int64_t account);

 private:
  catalog::Catalog& catalog_;
  repository::Engine& engine_;
  AccountLocks locks_;  // held while a note is made and stored, so that the newest is the last
};

}  // namespace cb::server
