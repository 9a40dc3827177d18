// SPDX-License-Identifier: Apache-2.0
#include "core/server/account_notes.h"

#include "core/repository/engine_notes.h"

namespace cb::server {

Status AccountNotes::keep(int64_t number) {
  const auto lock = locks_.lock(number);
  CB_ASSIGN(const repository::AccountRecord note, repository::account_note(catalog_, number));
  CB_ASSIGN(const auto repository, engine_.of_account(note.name));
  if (!repository) return {};
  return engine_.put_account(*repository, note);
}

}  // namespace cb::server
