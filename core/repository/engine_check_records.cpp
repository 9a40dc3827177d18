// SPDX-License-Identifier: Apache-2.0
//
// The check of what a catalog would be rebuilt from beside packs and commits: the repository's
// record, its slots, and session records that rotation replaced.
#include "core/repository/engine_check_run.h"
#include "core/repository/engine_records.h"

namespace cb::repository {

// Is the object what the catalog has?
Status Check::check_object(const std::string& object, const Bytes& wanted) {
  const auto stored = read_object(*engine_.parts.store, object, wanted.size());
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
    return {};
  }
  if (under_way.error().code != Code::not_found) return failed(under_way.error());
  CB_ASSIGN(const auto row, engine_.index().repository(id_.bytes));
  if (row) CB_TRY(check_object(record_object(id_), row->record));
  CB_ASSIGN(const auto slots, engine_.index().slots(repository_));
  for (const Bytes& encoded : slots) {
    const auto slot = decode_slot(encoded);
    CB_ASSIGN(const bool readable, whole("a key slot of the catalog", slot));
    if (readable) CB_TRY(check_object(slot_object(id_, slot->id), encoded));
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
  const auto stored = read_object(*engine_.parts.store, object, kMostSessionRecord);
  CB_ASSIGN(const bool there, whole(object, stored));
  if (!there || *stored == encoded) return {};
  const auto other = decode_session(*stored);
  if (!other || other->epoch <= record.epoch) find(object, "is another record than the catalog's");
  return {};
}

}  // namespace cb::repository
