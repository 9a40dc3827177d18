// SPDX-License-Identifier: Apache-2.0
//
// What an intake does with session records: which ones it takes, and that each pack has those that
// its blobs need.
#include <algorithm>

#include "core/repository/intake.h"

namespace cb::repository {
namespace {

bool equal(ByteView a, ByteView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

// A copy takes what its source has, older epochs, too.
Status check_epoch(const CommitChain& chain, const std::string& object, uint32_t epoch) {
  const uint32_t newest = chain.newest_epoch;
  if (epoch >= newest || chain.is_copy()) return {};
  return failed(Code::state, object,
                "is of epoch " + std::to_string(epoch) + ", and the repository's newest is " +
                    std::to_string(newest),
                "its keys were rotated meanwhile; read the repository's record anew and begin "
                "another session");
}

}  // namespace

Status PackIntake::learn_session(const SessionId& session) {
  if (session.is_zero() || sessions_.contains(session)) return {};
  CB_ASSIGN(auto record, engine_->index().session(chain_->number(), owner_, session.bytes));
  if (!record)
    return failed(Code::invalid, "session " + session.hex(), "has no record here",
                  "send the session record before the blobs that name it");
  make_room_for_session();
  sessions_.emplace(session, std::move(*record));
  return {};
}

Status PackIntake::put_session(OpenPack& pack, const SessionId& session) {
  if (session.is_zero() || pack.sessions.contains(session)) return {};
  const Bytes& record = sessions_.at(session);
  BlobHead head;
  head.id = blob_of(session);
  head.kind = BlobKind::session;
  head.stored_size = static_cast<uint32_t>(record.size());
  CB_TRY(pack.writer->begin_blob(head));
  CB_TRY(pack.writer->content(record));
  CB_TRY(pack.writer->end_blob());
  pack.sessions.insert(session);
  in_flight_->claim(head.id, pack.place);
  return {};
}

// Blobs may name any session that there is, one after the other; what no open pack needs is in the
// index.
void PackIntake::make_room_for_session() {
  if (sessions_.size() < kMostSessions) return;
  std::erase_if(sessions_, [this](const auto& known) {
    return !packs_[0].sessions.contains(known.first) && !packs_[1].sessions.contains(known.first);
  });
}

void PackIntake::keep_session(OpenBlob& blob) {
  const SessionId session = *session_of(blob.head.id);
  blob.pack->sessions.insert(session);
  make_room_for_session();
  sessions_.emplace(session, std::move(blob.record));
}

Result<std::optional<Bytes>> PackIntake::known_record(const SessionId& session) const {
  if (const auto at = sessions_.find(session); at != sessions_.end()) return at->second;
  return engine_->index().session(chain_->number(), owner_, session.bytes);
}

// A session's id is its own, whoever brings it; and what began under an epoch that was replaced
// goes on, but nothing new does.
Status PackIntake::check_session(const BlobId& id, ByteView record) {
  const std::string object = "session record " + id.hex();
  if (record.size() > kLongestSessionRecord) return failed(Code::invalid, object, "is too long");
  const auto decoded = decode_session(record);
  if (!decoded) return failed(Code::invalid, object, decoded.error().cause);
  const SessionId session = *session_of(id);
  CB_ASSIGN(const auto known, known_record(session));
  if (!known) return check_epoch(*chain_, object, decoded->epoch);
  if (equal(*known, record)) return {};
  CB_ASSIGN(const SessionRecord row, decode_session(*known));
  // Rotation replaced it, and its device does not know.
  if (!row.wrapped.empty() && decoded->wrapped.empty() && decoded->epoch < row.epoch) return {};
  return failed(Code::invalid, object, "is another's");
}

// Rotation lists the sessions that are known; what it cannot see must not come after it.
Status PackIntake::check_epochs(const OpenPack& pack) {
  for (const SessionId& session : pack.sessions) {
    CB_ASSIGN(const SessionRecord record, decode_session(sessions_.at(session)));
    const Status is_new = check_epoch(*chain_, "session " + session.hex(), record.epoch);
    if (is_new) continue;
    CB_ASSIGN(const auto known, engine_->index().session(chain_->number(), owner_, session.bytes));
    if (!known) return is_new;
  }
  return {};
}

}  // namespace cb::repository
