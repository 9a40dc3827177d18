// SPDX-License-Identifier: Apache-2.0
//
// See engine_records.h.
#include "core/repository/engine_records.h"

#include <algorithm>

#include "core/base/trial.h"
#include "core/repository/pack.h"
#include "core/repository/signatures.h"

namespace cb::repository {
namespace {

Result<Bytes> current_record(EngineParts& engine, const CommitChain& chain) {
  CB_ASSIGN(auto row, engine.index().repository(chain.id().bytes));
  if (row) return std::move(row->record);
  return failed(Code::not_found, "repository " + chain.id().hex(), "is not in the catalog");
}

// Removes an object that may be gone already.
Status remove_object(plugin::Store& store, const std::string& object) {
  const Status gone = store.remove(object);
  return !gone && gone.error().code == Code::not_found ? Status() : gone;
}

enum class Stale { slot, unread, no_slot };

// What a rebuild of the catalog could not read it does not know, and it may be the last key.
Stale look_at(plugin::Store& store, const std::string& object) {
  const auto encoded = read_object(store, object, kMostRecordBytes);
  if (encoded) return decode_slot(*encoded) ? Stale::slot : Stale::no_slot;
  const Code code = encoded.error().code;
  return code == Code::limit || code == Code::corrupt || code == Code::not_found ? Stale::no_slot
                                                                                 : Stale::unread;
}

// Removes slots that the catalog does not have. False when one could not be read, and stays.
Result<bool> write_slots(EngineParts& engine, const CommitChain& chain) {
  plugin::Store& store = *engine.parts.store;
  CB_ASSIGN(const auto slots, engine.index().slots(chain.number()));
  std::vector<std::string> known;
  for (const Bytes& encoded : slots) {
    CB_ASSIGN(const KeySlot slot, decode_slot(encoded));
    known.push_back(slot_object(chain.id(), slot.id));
    CB_TRY(write_object(store, known.back(), encoded, false));
  }
  std::vector<std::string> stale;
  bool all_read = true;
  {
    CB_ASSIGN(plugin::List list, store.list_open(slot_prefix(chain.id())));
    for (;;) {
      CB_ASSIGN(const auto object, list.next());
      if (!object) break;
      if (std::find(known.begin(), known.end(), object->name) != known.end()) continue;
      const Stale what = look_at(store, object->name);
      if (what == Stale::slot) stale.push_back(object->name);
      if (what == Stale::unread) all_read = false;
    }
  }
  for (const std::string& object : stale) CB_TRY(remove_object(store, object));
  return all_read;
}

// Lets the store say what the catalog says; then no change is under way, unless a slot that may be
// stale could not be read: the next start looks again.
Status write_as_catalog(EngineParts& engine, const CommitChain& chain) {
  plugin::Store& store = *engine.parts.store;
  CB_ASSIGN(const Bytes record, current_record(engine, chain));
  CB_TRY(write_object(store, record_object(chain.id()), record, false));
  CB_ASSIGN(const bool all_read, write_slots(engine, chain));
  return all_read ? remove_object(store, change_object(chain.id())) : Status();
}

// A record that this program cannot read names no epoch; who needs it is told so.
Status learn_epoch(EngineParts& engine, CommitChain& chain) {
  CB_ASSIGN(const Bytes encoded, current_record(engine, chain));
  const auto record = decode_repository(encoded);
  chain.newest_epoch = record ? record->epochs.back().number : 0;
  return {};
}

// The step that makes all new: one transaction.
Status replace_rows(EngineParts& engine, CommitChain& chain, const RepositoryRecord& record,
                    const std::optional<std::vector<KeySlot>>& slots) {
  std::vector<std::pair<catalog::Bytes16, Bytes>> rows;
  if (slots)
    for (const KeySlot& slot : *slots) rows.emplace_back(slot.id.bytes, encode(slot));
  const std::lock_guard lock(chain.epoch_mutex);
  CB_TRY(engine.index().set_record(chain.number(), encode(record), slots ? &rows : nullptr));
  chain.newest_epoch = record.epochs.back().number;
  return {};
}

Status check_revision(const Bytes& current, const RepositoryRecord& record) {
  CB_ASSIGN(const RepositoryRecord old, decode_repository(current));
  if (record.revision == old.revision + 1) return {};
  return failed(Code::state, "repository " + record.id.hex(),
                "has revision " + std::to_string(old.revision) + ", which revision " +
                    std::to_string(record.revision) + " does not follow",
                "another owner changed it; read its record anew and try again");
}

// A device is revoked from the next commit on: with an earlier one, clients would refuse what there
// is already.
Status check_revocations(EngineParts& engine, const CommitChain& chain, const Bytes& current,
                         const RepositoryRecord& record) {
  if (record.revoked.empty()) return {};
  CB_ASSIGN(const RepositoryRecord old, decode_repository(current));
  CB_ASSIGN(const auto row, engine.index().repository(chain.id().bytes));
  if (!row) return {};
  CB_ASSIGN(const auto devices, engine.parts.catalog->accounts().devices(row->account));
  for (const catalog::Device& device : devices) {
    CB_ASSIGN(const Certificate certificate, decode_certificate(device.certificate));
    const auto since = revoked_since(record, certificate);
    if (!since || revoked_since(old, certificate) || *since > chain.head().sequence) continue;
    return failed(Code::state, "device " + DeviceId{device.id}.hex(),
                  "was to be revoked from commit " + std::to_string(*since) + " on, but commit " +
                      std::to_string(chain.head().sequence) + " was made meanwhile",
                  "do it again");
  }
  return {};
}

// The row that replaces a session's, or nothing when it is there.
Result<std::optional<catalog::SessionRow>> check_session(EngineParts& engine,
                                                         const CommitChain& chain,
                                                         const SessionEntry& entry) {
  const std::string object = "session " + entry.session.hex();
  CB_ASSIGN(const SessionRecord record, decode_session(entry.record));
  CB_ASSIGN(const auto known, engine.index().session(chain.number(), 0, entry.session.bytes));
  if (!known) return failed(Code::not_found, object, "is not in the catalog");
  if (*known == entry.record) return std::nullopt;
  CB_ASSIGN(const SessionRecord old, decode_session(*known));
  if (record.epoch <= old.epoch)
    return failed(Code::state, object,
                  "has a record of epoch " + std::to_string(old.epoch) + " already",
                  "read the sessions anew and go on with those that are left");
  return catalog::SessionRow{entry.session.bytes, entry.record};
}

}  // namespace

std::string record_object(const RepositoryId& repository) {
  return repository_prefix(repository) + "repository";
}

std::string slot_prefix(const RepositoryId& repository) {
  return repository_prefix(repository) + "slot/";
}

std::string slot_object(const RepositoryId& repository, const SlotId& slot) {
  return slot_prefix(repository) + slot.hex();
}

std::string device_object(const RepositoryId& repository, const DeviceId& device) {
  return repository_prefix(repository) + "device/" + device.hex();
}

std::string session_object(const RepositoryId& repository, const SessionId& session) {
  return repository_prefix(repository) + "session/" + session.hex();
}

std::string change_object(const RepositoryId& repository) {
  return repository_prefix(repository) + "change";
}

Status settle_change(EngineParts& engine, CommitChain& chain) {
  CB_TRY(learn_epoch(engine, chain));
  if (engine.parts.is_read_only) return {};
  const auto under_way = engine.parts.store->stat(change_object(chain.id()));
  if (under_way) return write_as_catalog(engine, chain);
  if (under_way.error().code == Code::not_found) return {};
  return failed(under_way.error());
}

Status put_record(EngineParts& engine, CommitChain& chain, const RepositoryRecord& record,
                  const std::optional<std::vector<KeySlot>>& slots) {
  const std::lock_guard lock(chain.mutex);
  if (slots && slots->empty())
    return failed(Code::invalid, "repository " + record.id.hex(), "would have no key slot",
                  "without one nobody can read the backups");
  CB_TRY(settle_change(engine, chain));
  CB_ASSIGN(const Bytes current, current_record(engine, chain));
  if (current == encode(record)) return {};
  CB_TRY(check_revision(current, record));
  CB_TRY(check_revocations(engine, chain, current, record));
  const Bytes change = encode(RecordChange{record, slots.value_or(std::vector<KeySlot>())});
  CB_TRY(write_object(*engine.parts.store, change_object(chain.id()), change, false));
  trial::passed("keys.announced");
  CB_TRY(replace_rows(engine, chain, record, slots));
  trial::passed("keys.listed");
  // It is done: what this cannot do, the next change or start does.
  static_cast<void>(write_as_catalog(engine, chain));
  trial::passed("keys.written");
  return {};
}

Status replace_record(EngineParts& engine, CommitChain& chain, const RepositoryRecord& record,
                      const std::vector<KeySlot>& slots) {
  const std::lock_guard lock(chain.mutex);
  if (slots.empty())
    return failed(Code::invalid, "repository " + record.id.hex(), "would have no key slot",
                  "without one nobody can read the backups");
  CB_TRY(settle_change(engine, chain));
  CB_ASSIGN(const Bytes current, current_record(engine, chain));
  CB_ASSIGN(const auto there, engine.index().slots(chain.number()));
  std::vector<Bytes> wanted;
  for (const KeySlot& slot : slots) wanted.push_back(encode(slot));
  const bool is_same = there.size() == wanted.size() &&
                       std::is_permutation(there.begin(), there.end(), wanted.begin());
  if (is_same && current == encode(record)) return {};
  const Bytes change = encode(RecordChange{record, slots});
  CB_TRY(write_object(*engine.parts.store, change_object(chain.id()), change, false));
  CB_TRY(replace_rows(engine, chain, record, slots));
  static_cast<void>(write_as_catalog(engine, chain));
  return {};
}

// Whoever may add a slot must not be able to destroy one.
Status check_place(EngineParts& engine, const CommitChain& chain, const KeySlot& slot) {
  CB_ASSIGN(const auto all, engine.index().slots(chain.number()));
  for (const Bytes& encoded : all) {
    CB_ASSIGN(const KeySlot there, decode_slot(encoded));
    if (there.id == slot.id && there != slot)
      return failed(Code::exists, "key slot " + slot.id.hex(), "is there already, with other keys");
  }
  return {};
}

Status add_slot(EngineParts& engine, CommitChain& chain, const KeySlot& slot) {
  const std::lock_guard lock(chain.mutex);
  CB_TRY(settle_change(engine, chain));
  CB_TRY(check_place(engine, chain, slot));
  const Bytes encoded = encode(slot);
  CB_TRY(write_object(*engine.parts.store, slot_object(chain.id(), slot.id), encoded, false));
  return engine.index().set_slot(chain.number(), slot.id.bytes, encoded);
}

Status remove_slot(EngineParts& engine, CommitChain& chain, const SlotId& slot) {
  const std::lock_guard lock(chain.mutex);
  CB_TRY(settle_change(engine, chain));
  CB_TRY(engine.index().remove_slot(chain.number(), slot.bytes));
  return remove_object(*engine.parts.store, slot_object(chain.id(), slot));
}

Result<std::vector<SessionEntry>> list_sessions(EngineParts& engine, const CommitChain& chain,
                                                uint32_t epoch, const SessionId& after,
                                                size_t most) {
  constexpr size_t kBatch = 256;
  std::vector<SessionEntry> found;
  catalog::Bytes16 last = after.bytes;
  for (;;) {
    CB_ASSIGN(auto rows, engine.index().sessions(chain.number(), last, kBatch));
    for (catalog::SessionRow& row : rows) {
      if (found.size() == most) return found;
      last = row.id;
      CB_ASSIGN(const SessionRecord record, decode_session(row.record));
      if (record.epoch < epoch) found.push_back({SessionId{row.id}, std::move(row.record)});
    }
    if (rows.size() < kBatch) return found;
  }
}

// A crash between store and catalog leaves a record in the store that is as good as the row: both
// hold the same key, each under its own epoch, and the old epoch's half is kept until no row needs
// it.
Status put_sessions(EngineParts& engine, CommitChain& chain,
                    std::span<const SessionEntry> sessions) {
  const std::lock_guard lock(chain.mutex);
  std::vector<catalog::SessionRow> rows;
  for (const SessionEntry& entry : sessions) {
    CB_ASSIGN(auto row, check_session(engine, chain, entry));
    if (row) rows.push_back(std::move(*row));
  }
  for (const catalog::SessionRow& row : rows)
    CB_TRY(write_object(*engine.parts.store, session_object(chain.id(), SessionId{row.id}),
                        row.record, false));
  return rows.empty() ? Status() : engine.index().set_sessions(chain.number(), rows);
}

}  // namespace cb::repository
