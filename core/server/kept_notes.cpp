// SPDX-License-Identifier: Apache-2.0
#include "core/server/kept_notes.h"

namespace cb::server {

Status keep_notes(Backend& backend, const catalog::Account& account) {
  CB_TRY(backend.notes().keep(account.number));
  CB_ASSIGN(const auto repository, backend.engine().of_account(account.name));
  return repository ? backend.retention().keep(*repository) : Status();
}

}  // namespace cb::server
