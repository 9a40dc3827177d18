// SPDX-License-Identifier: Apache-2.0
//
// The repositories of v3 clients: one for each, made with its first upload. Their keys lie in the
// catalog and as a key slot in the store, sealed to the server's own key (docs/protocol-v3.md).
// Thread-safe; functions block.
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/identity/signing.h"
#include "core/os/clock.h"
#include "core/repository/engine.h"
#include "core/repository/keys.h"
#include "core/server/v3_note.h"

namespace cb::server {

// What the server holds of a v3 client's repository. Nobody changes it.
struct V3Repository {
  repository::RepositoryRecord record;
  repository::Keyring keyring;
  identity::SigningKey root;
  repository::WriteKeys write;
};

class V3Keys {
 public:
  struct Parts {
    repository::Engine* engine = nullptr;
    plugin::Store* store = nullptr;
    catalog::Catalog* catalog = nullptr;
    repository::Suite suite;
    const plugin::KeyPair* server_key = nullptr;
    const os::Clock* clock = nullptr;
    os::Random* random = nullptr;
  };
  explicit V3Keys(const Parts& parts) : parts_(parts) {}

  // The client's repository. Code::not_found when nothing was ever uploaded, Code::denied when it
  // has an owner now, Code::auth when it was sealed to another server's key.
  Result<std::unique_ptr<V3Repository>> open(const ClientId& client) const;
  // The same, and makes it when there is none: a further one when the client has migrated. What a
  // crash cut short is completed. The store's note of the client is brought up to date (v3_note.h).
  Result<std::unique_ptr<V3Repository>> ensure(const ClientId& client) const;

  // The same of records that are in no catalog.
  Result<std::unique_ptr<V3Repository>> load(const catalog::LegacyRepository& kept) const;

  // The account that a client's repository belongs to; that of a further one has "/2" behind it.
  static std::string account_of(const ClientId& client);
  // The way back; nothing for any other name.
  static std::optional<ClientId> client_of(const std::string& account);

  // Writes the store's note of a client again, in each of its repositories; nothing while it has
  // none.
  Status keep_note(const ClientId& client) const;
  // The same where the note says something else than the catalog, or there is none. Was one
  // written?
  Result<bool> complete_note(const ClientId& client) const;

  // Why nobody but its owner reads what a client uploaded before it migrated.
  static Error migrated(const ClientId& client);

 private:
  Result<catalog::LegacyRepository> make(const ClientId& client) const;
  Result<std::string> free_account(const ClientId& client) const;
  Status register_with_engine(const ClientId& client, const repository::RepositoryRecord& record,
                              const repository::KeySlot& slot) const;
  Result<repository::KeySlot> seal(const repository::RepositoryId& repository,
                                   const repository::Keyring& keyring) const;
  Result<repository::Keyring> unseal(const repository::RepositoryId& repository,
                                     const repository::KeySlot& slot) const;
  Result<std::optional<V3Note>> note_of(const ClientId& client) const;
  Status write_note(const V3Note& note, const repository::RepositoryId& repository) const;
  [[nodiscard]] bool says(const V3Note& note, const repository::RepositoryId& repository) const;
  Result<std::vector<repository::RepositoryId>> repositories_of(const ClientId& client) const;
  // As keep_note, in one repository, unless this object has written the same there before.
  Status refresh_note(const ClientId& client, const repository::RepositoryId& repository) const;
  std::mutex& note_lock_of(const ClientId& client) const;

  Parts parts_;
  // Held from reading what a note is to say until it says it.
  mutable std::array<std::mutex, 16> note_locks_;
  mutable std::mutex mutex_;
  mutable std::map<ClientId, catalog::Bytes32> notes_;  // in the store, hashed; guarded by mutex_
};

}  // namespace cb::server
