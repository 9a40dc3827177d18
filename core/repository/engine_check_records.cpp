// SPDX-License-Identifier: Apache-2.0
//
// The check of what a catalog would be rebuilt from beside packs and commits: the repository's
// record, its slots, and session records that rotation replaced.
#include <algorithm>

#include "core/repository/engine_check_run.h"
#include "core/repository/engine_notes.h"
#include "core/repository/engine_records.h"
#include "core/repository/opened_blobs.h"

namespace cb::repository {
namespace {

// Packs and commits have checks of their own; of the others the catalog has no copy.
bool is_looked_at_elsewhere(std::string_view name) {
  constexpr std::array<std::string_view, 3> kFolders = {"pack/", "commit/", "set-aside/"};
  constexpr std::array<std::string_view, 4> kNotes = {"change", "replica", "retention",
                                                      "v3-client"};
  return std::any_of(kFolders.begin(), kFolders.end(),
                     [&](std::string_view folder) { return name.starts_with(folder); }) ||
         std::find(kNotes.begin(), kNotes.end(), name) != kNotes.end();
}

}  // namespace

// Is the object what the catalog has?
Status Check::check_object(const std::string& object, const Bytes& wanted) {
  known_.insert(object);
  const auto stored = read_object(*engine_.parts.store, object, kMostRecordBytes);
  CB_ASSIGN(const bool there, whole(object, stored));
  if (there && *stored != wanted) find(object, "is another record than the catalog's");
  return {};
}

// Nobody replaces them meanwhile.
Status Check::check_repository_records() {
  const std::lock_guard lock(chain_.mutex);
  const auto under_way = engine_.parts.store->stat(change_object(id_));
  if (under_way) {
    note(change_object(id_), "is a change that was broken off; the next start ends it");
    is_changing_ = true;
    return {};
  }
  if (under_way.error().code != Code::not_found) return failed(under_way.error());
  CB_ASSIGN(const auto row, engine_.index().repository(id_.bytes));
  if (!row) return {};
  CB_TRY(check_object(record_object(id_), row->record));
  CB_TRY(check_slots());
  CB_TRY(check_certificates(row->account));
  CB_TRY(check_account_note(row->account));
  return check_retention_note();
}

// Which of two is the true one only the passphrase tells.
Status Check::check_slots() {
  CB_ASSIGN(const auto slots, engine_.index().slots(repository_));
  for (const Bytes& encoded : slots) {
    const auto slot = decode_slot(encoded);
    CB_ASSIGN(const bool readable, whole("a key slot of the catalog", slot));
    if (!readable) continue;
    const std::string object = slot_object(id_, slot->id);
    known_.insert(object);
    const auto stored = read_object(*engine_.parts.store, object, kMostRecordBytes);
    CB_ASSIGN(const bool there, whole(object, stored));
    if (there && *stored != encoded)
      find(object, slot->kind == SlotKind::server
                       ? "is another record than the catalog's: the next start of the daemon "
                         "writes it anew"
                       : "is another record than the catalog's: if the passphrase still opens the "
                         "backups, `cyberbackup key rotate` writes it anew");
  }
  return {};
}

Status Check::check_certificates(int64_t account) {
  CB_ASSIGN(const auto devices, engine_.parts.catalog->accounts().devices(account));
  for (const catalog::Device& device : devices)
    if (!device.certificate.empty())
      CB_TRY(check_object(device_object(id_, DeviceId{device.id}), device.certificate));
  return {};
}

// Written after the catalog: what differs may just be changing.
Status Check::check_account_note(int64_t account) {
  const std::string object = repository_prefix(id_) + "account";
  known_.insert(object);
  for (int tries = 1;; ++tries) {
    CB_ASSIGN(const AccountRecord wanted, account_note(*engine_.parts.catalog, account));
    const auto stored = read_object(*engine_.parts.store, object, kMostRecordBytes);
    if (stored && *stored == encode(wanted)) return {};
    if (tries < kMostTries) continue;
    CB_ASSIGN(const bool there, whole(object, stored));
    if (there) find(object, "is another record than the catalog's");
    return {};
  }
}

// What ends by itself is not compared.
Status Check::check_retention_note() {
  const int64_t now = engine_.parts.clock->wall().count();
  CB_ASSIGN(const RetentionRecord wanted, retention_note(*engine_.parts.catalog, repository_, now));
  const std::string object = repository_prefix(id_) + "retention";
  const auto stored = read_object(*engine_.parts.store, object, kMostRecordBytes);
  if (!stored && stored.error().code == Code::not_found && wanted == RetentionRecord{}) return {};
  CB_ASSIGN(const bool there, whole(object, stored));
  if (!there) return {};
  const auto note = decode_retention(*stored);
  CB_ASSIGN(const bool readable, whole(object, note));
  if (readable && (note->rules != wanted.rules || note->pins != wanted.pins))
    find(object, "says other rules than the catalog");
  return {};
}

// Beside packs and commits.
Result<std::vector<std::string>> Check::other_objects() {
  const std::string prefix = repository_prefix(id_);
  std::vector<std::string> others;
  CB_ASSIGN(plugin::List list, engine_.parts.store->list_open(prefix));
  for (;;) {
    CB_ASSIGN(const auto object, list.next());
    if (!object) return others;
    if (!is_looked_at_elsewhere(std::string_view(object->name).substr(prefix.size())))
      others.push_back(object->name);
  }
}

// What the catalog does not have is of no use, or a note of which it has no copy.
Status Check::check_others(std::span<const std::string> objects) {
  const std::string notes = repository_prefix(id_) + "opened/";
  for (const std::string& object : objects) {
    if (known_.contains(object)) continue;
    const auto bytes = read_object(*engine_.parts.store, object, kMostRecordBytes);
    if (!bytes && bytes.error().code == Code::not_found) continue;  // it was just removed
    if (!object.starts_with(notes)) {
      note(object, "is not in the catalog: nothing uses it");
      continue;
    }
    const auto copies = bytes ? decode_opened(*bytes) : failed(bytes.error());
    CB_ASSIGN([[maybe_unused]] const bool readable, whole(object, copies));
  }
  return {};
}

// The packs have the record from before rotation, whose epoch's key may be gone.
Status Check::check_replaced_sessions() {
  catalog::Bytes16 last{};
  for (;;) {
    CB_ASSIGN(const auto rows, engine_.index().sessions(repository_, last, kBatch));
    for (const catalog::SessionRow& row : rows) {
      last = row.id;
      const SessionId session{row.id};
      const auto record = decode_session(row.record);
      CB_ASSIGN(const bool readable,
                whole("the catalog's row of session " + session.hex(), record));
      if (readable && !record->wrapped.empty())
        CB_TRY(check_replaced(session, *record, row.record));
    }
    if (rows.size() < kBatch) return {};
  }
}

// A kill between store and catalog leaves one of a higher epoch in the store, which is as good.
Status Check::check_replaced(const SessionId& session, const SessionRecord& record,
                             const Bytes& encoded) {
  const std::string object = session_object(id_, session);
  known_.insert(object);
  const auto stored = read_object(*engine_.parts.store, object, kMostSessionRecord);
  CB_ASSIGN(const bool there, whole(object, stored));
  if (!there || *stored == encoded) return {};
  const auto other = decode_session(*stored);
  if (!other || other->epoch <= record.epoch) find(object, "is another record than the catalog's");
  return {};
}

}  // namespace cb::repository
