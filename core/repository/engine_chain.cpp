// SPDX-License-Identifier: Apache-2.0
//
// See engine_chain.h.
#include "core/repository/engine_chain.h"

#include <algorithm>
#include <cstdio>

#include "core/base/trial.h"
#include "core/identity/signing.h"
#include "core/repository/pack.h"
#include "core/repository/signatures.h"

namespace cb::repository {
namespace {

// Sixteen digits: names sort as numbers do.
std::string sorting_hex(uint64_t number) {
  std::array<std::byte, 8> big_endian;
  store_le(big_endian.data(), number);
  std::reverse(big_endian.begin(), big_endian.end());
  return to_hex(big_endian);
}

}  // namespace

std::string commit_prefix(const RepositoryId& repository) {
  return repository_prefix(repository) + "commit/";
}

std::string commit_object(const RepositoryId& repository, uint64_t sequence) {
  return commit_prefix(repository) + sorting_hex(sequence);
}

std::string opened_object(const RepositoryId& repository, uint64_t time_ns,
                          const std::string& tail) {
  return repository_prefix(repository) + "opened/" + sorting_hex(time_ns) + tail;
}

CommitHash hash_of_record(ByteView record) { return CommitHash{identity::sha256(record)}; }

catalog::CommitRow row_of(const CommitRecord& record, Bytes encoded) {
  catalog::CommitRow row;
  row.sequence = record.sequence;
  row.type = static_cast<uint8_t>(record.type);
  row.snapshot = record.snapshot.bytes;
  row.commit_id = record.commit_id.bytes;
  row.hash = hash_of_record(encoded).bytes;
  row.record = std::move(encoded);
  row.device = record.device.bytes;
  return row;
}

Result<bool> may_move_to_trash(catalog::Accounts& accounts, const DeviceId& device) {
  CB_ASSIGN(const auto found, accounts.device_by_id(device.bytes));
  return !found || found->role == static_cast<uint64_t>(Role::owner);
}

Result<Bytes> read_object(plugin::Store& store, const std::string& object, uint64_t limit) {
  CB_ASSIGN(const plugin::StoredObject found, store.stat(object));
  if (found.length > limit) return failed(Code::limit, object, "is longer than such objects are");
  Bytes content(found.length);
  CB_ASSIGN(plugin::Get get, store.get_open(object));
  for (size_t at = 0; at < content.size();) {
    CB_ASSIGN(const size_t got, get.read(ByteSpan(content).subspan(at)));
    if (got == 0) return failed(Code::corrupt, object, "is shorter than the store said");
    at += got;
  }
  return content;
}

Status write_object(plugin::Store& store, const std::string& object, ByteView content,
                    bool if_absent) {
  CB_ASSIGN(plugin::Put put, store.put_begin(object, content.size(), if_absent));
  CB_TRY(put.write(content));
  return put.commit();
}

Result<std::optional<RepositoryId>> next_repository(
    plugin::Store& store, const std::string& after,
    const std::function<void(const std::string&)>& passed_over) {
  constexpr std::string_view kRoot = "v4/";
  CB_ASSIGN(plugin::List list, store.list_open(std::string(kRoot), after));
  for (;;) {
    CB_ASSIGN(const auto object, list.next());
    if (!object) return std::nullopt;
    const std::string_view name = std::string_view(object->name).substr(kRoot.size());
    const auto id = RepositoryId::from_hex_text(name.substr(0, name.find('/')));
    if (id && object->name.starts_with(repository_prefix(*id))) return *id;
    passed_over(object->name);
  }
}

void CommitChain::advance(const CommitRecord& record, const CommitHash& hash) {
  {
    const std::lock_guard lock(head_mutex_);
    head_ = {record.sequence, hash};
  }
  time_ns_ = record.time_ns;
}

Status CommitChain::learn_origin() {
  CB_ASSIGN(origin_, parts_.catalog->replication().replica(number_));
  is_copy_ = origin_.has_value();
  return {};
}

Status CommitChain::load() {
  catalog::Index& index = parts_.catalog->index();
  CB_TRY(learn_origin());
  CB_ASSIGN(const auto last, index.last_commit(number_));
  if (last) {
    CB_ASSIGN(const CommitRecord record, decode_commit(last->record));
    advance(record, CommitHash{last->hash});
  }
  const std::string after = last ? commit_object(id_, last->sequence) : std::string();
  CB_ASSIGN(plugin::List list, parts_.store->list_open(commit_prefix(id_), after));
  for (;;) {
    CB_ASSIGN(const auto object, list.next());
    if (!object) break;
    CB_TRY(replay(object->name));
  }
  is_behind_ = false;
  return {};
}

Status CommitChain::check_signature(const std::string& object, const CommitRecord& record) const {
  const std::optional<SigningPublic> key = origin_ ? origin_->server_key : parts_.server_key;
  if (!key || verify_commit(record, id_, *key)) return {};
  if (origin_)
    return failed(Code::corrupt, object, "is not signed by the server that it was copied from");
  return failed(Code::corrupt, object, "is not signed by this server",
                "restore the object from a copy of the store, or bring back the keys/signing.key "
                "that the store began with");
}

Status CommitChain::check_follows(const std::string& object, const CommitRecord& record) const {
  if (object == commit_object(id_, head_.sequence + 1) && record.sequence == head_.sequence + 1 &&
      record.previous == head_.hash)
    return {};
  return failed(
      Code::corrupt, object, "does not follow the commit before it",
      "a record is missing or strange, or the catalog is of another repository: the "
      "operator runs cyberbackupd check; cyberbackupd rebuild-catalog goes on without it");
}

// Of a copy: what did not come stays away, and what the source removes may stay.
Result<bool> CommitChain::changes_snapshot(const CommitRecord& record) const {
  if (record.type == CommitType::forget || record.type == CommitType::undelete)
    return may_move_to_trash(parts_.catalog->accounts(), record.device);
  if (!origin_) return true;
  if (record.type == CommitType::removal) return !origin_->keeps_removed;
  CB_ASSIGN(const auto absent,
            parts_.catalog->replication().absent(number_, record.snapshot.bytes));
  return !absent;
}

Status CommitChain::replay(const std::string& object) {
  CB_ASSIGN(Bytes encoded, read_object(*parts_.store, object, kMostRecordBytes));
  auto record = decode_commit(encoded);
  if (!record)
    return failed(std::move(record).error().with_advice(
        "restore the object " + object + " from a copy of the store, then run check"));
  CB_TRY(check_follows(object, *record));
  CB_TRY(check_signature(object, *record));
  catalog::CommitEffect effect;
  CB_ASSIGN(effect.changes_snapshot, changes_snapshot(*record));
  const catalog::CommitRow row = row_of(*record, std::move(encoded));
  const Status added = parts_.catalog->index().add_commit(number_, row, effect);
  // Another process may just have done it.
  if (!added && added.error().code != Code::exists) return added;
  advance(*record, CommitHash{row.hash});
  return {};
}

// A session may not have ended yet when its device is revoked; and clients refuse a chain that goes
// on with such a device.
Status CommitChain::check_device(const DeviceId& device) const {
  if (device.is_zero()) return {};
  CB_ASSIGN(const auto row, parts_.catalog->index().repository(id_.bytes));
  CB_ASSIGN(const auto found, parts_.catalog->accounts().device_by_id(device.bytes));
  if (!row || !found) return {};
  CB_ASSIGN(const RepositoryRecord record, decode_repository(row->record));
  if (record.revoked.empty()) return {};
  CB_ASSIGN(const Certificate certificate, decode_certificate(found->certificate));
  if (!revoked_since(record, certificate)) return {};
  return failed(Code::denied, "device " + device.hex(), "was revoked",
                "an owner can invite this machine anew");
}

Status CommitChain::take(ByteView encoded, const catalog::CommitEffect& effect) {
  CB_ASSIGN(const CommitRecord record, decode_commit(encoded));
  const std::string object = commit_object(id_, record.sequence);
  CB_TRY(check_follows(object, record));
  CB_TRY(check_signature(object, record));
  catalog::CommitEffect all = effect;
  CB_ASSIGN(all.changes_snapshot, changes_snapshot(record));
  const catalog::CommitRow row = row_of(record, to_bytes(encoded));
  // A crash may have left the same record there.
  const Status written = write_object(*parts_.store, object, row.record, true);
  if (!written && written.error().code == Code::exists) return load();
  CB_TRY(written);
  is_behind_ = true;
  CB_TRY(parts_.catalog->index().add_commit(number_, row, all));
  is_behind_ = false;
  advance(record, CommitHash{row.hash});
  return {};
}

Result<CommitRecord> CommitChain::append(CommitRecord draft, const catalog::CommitEffect& effect) {
  if (origin_)
    return failed(Code::denied, "repository " + id_.hex(),
                  "is a copy of that of " + origin_->source + ", and only read here",
                  "change it there; the copy follows");
  CB_TRY(check_device(draft.device));
  draft.sequence = head_.sequence + 1;
  draft.previous = head_.hash;
  const int64_t now = parts_.clock->wall().count();
  if (draft.time_ns == 0 || draft.time_ns > now) draft.time_ns = now;
  // The clock may be set back, and what is brought in be older; the chain's time does not go back.
  draft.time_ns = std::max(draft.time_ns, time_ns_);
  CB_ASSIGN(draft.signature, parts_.sign(signed_part(draft, id_)));
  const catalog::CommitRow row = row_of(draft, encode(draft));
  is_behind_ = true;
  CB_TRY(write_object(*parts_.store, commit_object(id_, draft.sequence), row.record, true));
  trial::passed("chain.recorded");
  CB_TRY(parts_.catalog->index().add_commit(number_, row, effect));
  is_behind_ = false;
  trial::passed("chain.listed");
  advance(draft, CommitHash{row.hash});
  return draft;
}

}  // namespace cb::repository
