// SPDX-License-Identifier: Apache-2.0
//
// How V3Keys keeps the store's notes of v3 clients.
#include <algorithm>

#include "core/repository/engine_chain.h"
#include "core/server/v3_keys.h"

namespace cb::server {

using repository::RepositoryId;

namespace {

constexpr uint64_t kLongestNote = 64 * 1024;  // bytes

}  // namespace

std::mutex& V3Keys::note_lock_of(const ClientId& client) const {
  return note_locks_[load_le<uint32_t>(client.bytes.data()) % note_locks_.size()];
}

Result<std::optional<V3Note>> V3Keys::note_of(const ClientId& client) const {
  CB_ASSIGN(auto row, parts_.catalog->client_by_id(client));
  if (!row) return std::nullopt;
  CB_ASSIGN(const catalog::LegacyPolicy policy, parts_.catalog->legacy_policy(client));
  return V3Note{std::move(*row), policy};
}

Status V3Keys::write_note(const V3Note& note, const RepositoryId& repository) const {
  CB_ASSIGN(const Bytes sealed,
            seal_v3_note(note, repository, *parts_.suite.crypto, *parts_.server_key));
  return repository::write_object(*parts_.store, v3_note_object(repository), sealed, false);
}

bool V3Keys::says(const V3Note& note, const RepositoryId& repository) const {
  const auto sealed =
      repository::read_object(*parts_.store, v3_note_object(repository), kLongestNote);
  if (!sealed) return false;
  const auto there = open_v3_note(*sealed, repository, *parts_.suite.crypto, *parts_.server_key);
  return there && encode_v3_note(*there) == encode_v3_note(note);
}

// The one that its uploads go to, and the one that got an owner.
Result<std::vector<RepositoryId>> V3Keys::repositories_of(const ClientId& client) const {
  std::vector<RepositoryId> found;
  CB_ASSIGN(const auto kept, parts_.catalog->legacy_repository(client));
  if (kept) {
    CB_ASSIGN(const repository::RepositoryRecord record,
              repository::decode_repository(kept->record));
    found.push_back(record.id);
  }
  CB_ASSIGN(const auto first, parts_.engine->of_account(account_of(client)));
  if (first && std::find(found.begin(), found.end(), *first) == found.end())
    found.push_back(*first);
  return found;
}

Status V3Keys::keep_note(const ClientId& client) const {
  const std::lock_guard lock(note_lock_of(client));
  CB_ASSIGN(const std::optional<V3Note> note, note_of(client));
  if (!note) return {};
  CB_ASSIGN(const auto repositories, repositories_of(client));
  for (const RepositoryId& repository : repositories) CB_TRY(write_note(*note, repository));
  return {};
}

Result<bool> V3Keys::complete_note(const ClientId& client) const {
  const std::lock_guard lock(note_lock_of(client));
  CB_ASSIGN(const std::optional<V3Note> note, note_of(client));
  if (!note) return false;
  CB_ASSIGN(const auto repositories, repositories_of(client));
  bool written = false;
  for (const RepositoryId& repository : repositories) {
    if (says(*note, repository)) continue;
    CB_TRY(write_note(*note, repository));
    written = true;
  }
  return written;
}

Status V3Keys::refresh_note(const ClientId& client, const RepositoryId& repository) const {
  const std::lock_guard lock(note_lock_of(client));
  CB_ASSIGN(const std::optional<V3Note> note, note_of(client));
  if (!note) return {};
  const catalog::Bytes32 hash = identity::sha256(encode_v3_note(*note));
  {
    const std::lock_guard guard(mutex_);
    const auto known = notes_.find(client);
    if (known != notes_.end() && known->second == hash) return {};
  }
  CB_TRY(write_note(*note, repository));
  const std::lock_guard guard(mutex_);
  notes_[client] = hash;
  return {};
}

}  // namespace cb::server
