// SPDX-License-Identifier: Apache-2.0
#include "core/server/v3_keys.h"

#include <algorithm>

#include "core/repository/engine_chain.h"
#include "core/repository/record_writer.h"
#include "core/repository/sealed_stream.h"

namespace cb::server {
namespace {

using repository::Keyring;
using repository::KeySlot;
using repository::RepositoryId;
using repository::RepositoryRecord;

// Small pieces: the server cuts as the bytes come and keeps one in memory (docs/protocol-v3.md).
constexpr repository::Cutting kCutting{32 * 1024, 64 * 1024, 128 * 1024, 0};

Bytes slot_context(const RepositoryId& repository, const KeySlot& slot) {
  repository::RecordWriter to;
  to.fixed(as_bytes("cyberbackup/server-slot/1"));
  to.fixed(repository.view());
  to.fixed(slot.id.view());
  return to.take();
}

// The repository and the slot's record before `sealed`.
Bytes slot_associated_data(const RepositoryId& repository, const KeySlot& slot) {
  KeySlot bare = slot;
  bare.sealed.clear();
  Bytes record = repository::encode(bare);
  record.pop_back();  // the length of nothing
  repository::RecordWriter to;
  to.fixed(as_bytes("cyberbackup/slot/1"));
  to.fixed(repository.view());
  to.fixed(record);
  return to.take();
}

constexpr const char* kAccounts = "v3/";

// Already there is as good as done.
Status unless_there(const Status& status) {
  return !status && status.error().code == Code::exists ? Status{} : status;
}

}  // namespace

std::string V3Keys::account_of(const ClientId& client) { return kAccounts + client.hex(); }

std::optional<ClientId> V3Keys::client_of(const std::string& account) {
  if (account.rfind(kAccounts, 0) != 0) return std::nullopt;
  const auto client = ClientId::from_hex_text(account.substr(std::string_view(kAccounts).size()));
  if (!client || account_of(*client) != account) return std::nullopt;
  return *client;
}

Error V3Keys::migrated(const ClientId& client) {
  return fail(Code::denied, "client " + client.hex(),
              "has migrated: its owner has the keys, and this server none",
              "its owner restores with `cyberbackup restore`");
}

Result<KeySlot> V3Keys::seal(const RepositoryId& repository, const Keyring& keyring) const {
  KeySlot slot;
  slot.kind = repository::SlotKind::server;
  CB_ASSIGN(slot.id, repository::draw_id<repository::SlotId>(*parts_.random));
  CB_ASSIGN(plugin::Encapsulated fresh,
            parts_.server_key->encapsulate(slot_context(repository, slot)));
  slot.salt = std::move(fresh.cipher);
  const Secret plain = repository::encode(keyring);
  CB_ASSIGN(const repository::StreamSizes sizes, repository::stream_sizes(*parts_.suite.crypto));
  CB_ASSIGN(slot.sealed,
            repository::seal_stream(fresh.key, sizes, slot_associated_data(repository, slot),
                                    {{}, plain.view()}));
  return slot;
}

Result<Keyring> V3Keys::unseal(const RepositoryId& repository, const KeySlot& slot) const {
  CB_ASSIGN(const plugin::Key key,
            parts_.server_key->decapsulate(slot_context(repository, slot), slot.salt));
  CB_ASSIGN(const repository::StreamSizes sizes, repository::stream_sizes(*parts_.suite.crypto));
  Secret plain(slot.sealed.size());
  CB_ASSIGN(const size_t size,
            repository::open_stream(key, sizes, slot_associated_data(repository, slot), slot.sealed,
                                    plain.span()));
  plain.truncate(size);
  return repository::decode_keyring(plain.view());
}

Result<catalog::LegacyRepository> V3Keys::make(const ClientId& client) const {
  repository::RepositoryWish wish;
  wish.cutting = kCutting;
  wish.created_ns = parts_.clock->wall().count();
  CB_ASSIGN(const repository::NewRepository fresh,
            repository::make_repository(*parts_.suite.crypto, *parts_.random, wish));
  CB_ASSIGN(const KeySlot slot, seal(fresh.record.id, fresh.keyring));
  catalog::LegacyRepository kept{repository::encode(fresh.record), repository::encode(slot)};
  const Status added = parts_.catalog->add_legacy_repository(client, kept);
  if (added) return kept;
  if (added.error().code != Code::exists) return failed(added.error());
  CB_ASSIGN(std::optional<catalog::LegacyRepository> first,
            parts_.catalog->legacy_repository(client));
  if (!first) return failed(Code::internal, "client " + client.hex(), "has lost its repository");
  return std::move(*first);
}

Result<std::unique_ptr<V3Repository>> V3Keys::load(const catalog::LegacyRepository& kept) const {
  CB_ASSIGN(RepositoryRecord record, repository::decode_repository(kept.record));
  CB_ASSIGN(const KeySlot slot, repository::decode_slot(kept.slot));
  auto keyring = unseal(record.id, slot);
  if (!keyring)
    return failed(Code::auth, "repository " + record.id.hex(),
                  "its keys do not open: " + keyring.error().cause,
                  "bring back the keys/server.key that this folder began with");
  CB_ASSIGN(identity::SigningKey root, identity::SigningKey::from_seed(keyring->root_seed.view()));
  CB_ASSIGN(
      repository::WriteKeys write,
      repository::WriteKeys::make(*parts_.suite.crypto, record.id, keyring->write_key.view()));
  return std::unique_ptr<V3Repository>(
      new V3Repository{std::move(record), std::move(*keyring), std::move(root), std::move(write)});
}

// The first of the client's accounts that has no repository.
Result<std::string> V3Keys::free_account(const ClientId& client) const {
  std::string name = account_of(client);
  for (unsigned number = 2;; ++number) {
    CB_ASSIGN(const auto account, parts_.catalog->accounts().account_by_name(name));
    if (!account) return name;
    CB_ASSIGN(const auto repository, parts_.engine->of_account(name));
    if (!repository) return name;
    name = account_of(client) + "/" + std::to_string(number);
  }
}

Status V3Keys::register_with_engine(const ClientId& client, const RepositoryRecord& record,
                                    const KeySlot& slot) const {
  const auto there = parts_.engine->record(record.id);
  if (!there && there.error().code != Code::not_found) return failed(there.error());
  if (!there) {
    catalog::Account account;
    CB_ASSIGN(account.name, free_account(client));
    account.kind = catalog::AccountKind::v3;
    account.created_ns = parts_.clock->wall().count();
    const auto added = parts_.catalog->accounts().add_account(account);
    if (!added && added.error().code != Code::exists) return failed(added.error());
    CB_TRY(unless_there(parts_.engine->create(record, account.name)));
  }
  CB_ASSIGN(const std::vector<KeySlot> slots, parts_.engine->slots(record.id));
  if (!slots.empty()) return {};
  return unless_there(parts_.engine->add_slot(record.id, slot));
}

Result<std::unique_ptr<V3Repository>> V3Keys::open(const ClientId& client) const {
  CB_ASSIGN(const std::optional<catalog::LegacyRepository> kept,
            parts_.catalog->legacy_repository(client));
  if (kept) return load(*kept);
  CB_ASSIGN(const catalog::LegacyPolicy policy, parts_.catalog->legacy_policy(client));
  if (policy.migrated_ns != 0) return failed(migrated(client));
  return failed(Code::not_found, "client " + client.hex(), "never uploaded anything");
}

Result<std::unique_ptr<V3Repository>> V3Keys::ensure(const ClientId& client) const {
  CB_ASSIGN(std::optional<catalog::LegacyRepository> kept,
            parts_.catalog->legacy_repository(client));
  if (!kept) {
    CB_ASSIGN(kept, make(client));
  }
  CB_ASSIGN(std::unique_ptr<V3Repository> loaded, load(*kept));
  CB_ASSIGN(const KeySlot slot, repository::decode_slot(kept->slot));
  CB_TRY(register_with_engine(client, loaded->record, slot));
  // An upload matters more than a note for the day when the catalog is lost; the next one tries
  // again.
  (void)refresh_note(client, loaded->record.id);
  return loaded;
}

}  // namespace cb::server
