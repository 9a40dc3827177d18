// SPDX-License-Identifier: Apache-2.0
#include "core/server/kept_notes.h"

#include "core/repository/catalog_rebuild.h"
#include "core/repository/engine_chain.h"
#include "core/repository/engine_records.h"
#include "core/server/v3_keys.h"

namespace cb::server {
namespace {

// The keys of what an old client sent: nobody has a passphrase for them, so whether the catalog's
// copy is the right one, the server's own key tells.
Status keep_v3_slot(Backend& backend, const catalog::Account& account,
                    const repository::RepositoryId& repository) {
  const auto client = V3Keys::client_of(account.name);
  if (!client) return {};
  CB_ASSIGN(const auto kept, backend.catalog().legacy_repository(*client));
  if (!kept) return {};  // it has an owner
  const auto record = repository::decode_repository(kept->record);
  const auto slot = repository::decode_slot(kept->slot);
  if (!record || !slot || record->id != repository) return {};
  const std::string object = repository::slot_object(repository, slot->id);
  const auto stored =
      repository::read_object(backend.store(), object, repository::kMostRecordBytes);
  if (stored && *stored == kept->slot) return {};
  if (!stored && !repository::is_damage(stored.error().code)) return failed(stored.error());
  const auto opened = V3Keys(backend.v3_parts()).load(*kept);
  return opened ? repository::write_object(backend.store(), object, kept->slot, false) : Status();
}

}  // namespace

Status keep_notes(Backend& backend, const catalog::Account& account) {
  CB_TRY(backend.notes().keep(account.number));
  CB_ASSIGN(const auto repository, backend.engine().of_account(account.name));
  if (!repository) return {};
  CB_TRY(backend.retention().keep(*repository));
  return keep_v3_slot(backend, account, *repository);
}

}  // namespace cb::server
