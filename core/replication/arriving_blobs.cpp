// SPDX-License-Identifier: Apache-2.0
#include "core/replication/arriving_blobs.h"

#include <algorithm>

#include "core/repository/pack_checks.h"
#include "core/repository/replicas.h"
#include "core/repository/signatures.h"

namespace cb::replication {

using repository::BlobHead;
using repository::BlobId;
using repository::BlobKind;
using repository::Intake;
using repository::StoredBlob;
using repository::Viewer;

namespace {

// The pack of the source says what its bytes sum up to.
Status check_arrival(const StoredBlob& blob) {
  repository::Checksum checksum;
  checksum.update(blob.stored);
  if (blob.head.checksum == checksum.value()) return {};
  return failed(
      Code::corrupt, "blob " + blob.head.id.hex(),
      blob.head.checksum ? "did not arrive as the source has it" : "came without its checksum");
}

Status put_whole(Intake& intake, StoredBlob blob) {
  blob.head.checksum.reset();
  CB_TRY(intake.begin(blob.head));
  CB_TRY(intake.content(blob.stored));
  return intake.end();
}

}  // namespace

Error was_stopped() { return fail(Code::cancelled, "replication", "was told to stop"); }

bool is_owners(const Viewer& viewer) {
  return viewer.device.is_zero() || viewer.role == repository::Role::owner;
}

Result<Intake*> ArrivingBlobs::intake(const Viewer& viewer) {
  const bool open = is_owners(viewer);
  auto& found = intakes_[open ? repository::DeviceId{} : viewer.device];
  if (!found) {
    CB_ASSIGN(found, parts_.engine->replicas().intake(repository_, open ? Viewer{} : viewer));
  }
  return found.get();
}

Result<std::vector<BlobId>> ArrivingBlobs::fetch(const Viewer& viewer, std::span<const BlobId> ids,
                                                 const Came& came, const Takes& takes) {
  CB_ASSIGN(std::vector<BlobId> missing, fetch_from(Viewer{}, ids, came, takes));
  if (missing.empty() || is_owners(viewer)) return missing;
  return fetch_from(viewer, missing, came, takes);
}

Result<std::vector<BlobId>> ArrivingBlobs::fetch_from(const Viewer& viewer,
                                                      std::span<const BlobId> ids, const Came& came,
                                                      const Takes& takes) {
  if (!parts_.goes_on()) return failed(was_stopped());
  CB_ASSIGN(Intake* const into, intake(viewer));
  std::vector<BlobId> refused;
  const repository::DeviceId device = is_owners(viewer) ? repository::DeviceId{} : viewer.device;
  const auto sink = [&](StoredBlob blob) -> Status {
    const bool is_asked = std::find(ids.begin(), ids.end(), blob.head.id) != ids.end();
    const BlobHead head = blob.head;
    if (takes && !takes(head, is_owners(viewer))) {
      if (is_asked) refused.push_back(head.id);
      return {};
    }
    CB_TRY(take(*into, std::move(blob), is_asked));
    if (is_asked) came(head);
    return into->close_old();
  };
  CB_ASSIGN(auto missing, parts_.source->get(repository_, device, ids, sink));
  missing.insert(missing.end(), refused.begin(), refused.end());
  return missing;
}

Status ArrivingBlobs::make_room(uint64_t bytes) {
  if (!room_) return {};
  if (bytes > *room_)
    return failed(Code::limit, "what is stored here", "would be more than most_stored",
                  "raise it in [replication], or find out why the source has grown so");
  *room_ -= bytes;
  return {};
}

Status ArrivingBlobs::take(Intake& intake, StoredBlob blob, bool is_asked) {
  if (!parts_.goes_on()) return failed(was_stopped());
  CB_TRY(check_arrival(blob));
  const uint64_t size = blob.stored.size();
  if (blob.head.kind == BlobKind::session) {
    CB_ASSIGN(const bool takes, takes_record(blob, is_asked));
    if (!takes) return {};
  }
  CB_TRY(make_room(size));
  CB_TRY(put_whole(intake, std::move(blob)));
  counts_.blobs += is_asked ? 1 : 0;
  counts_.bytes += size;
  if (parts_.pace->spend(size)) return {};
  return failed(was_stopped());
}

// A session's record comes with the first of its blobs; one that rotation made replaces the older.
Result<bool> ArrivingBlobs::takes_record(const StoredBlob& blob, bool is_asked) {
  const auto session = repository::session_of(blob.head.id);
  if (!session) return failed(Code::corrupt, "blob " + blob.head.id.hex(), "is no session record");
  CB_ASSIGN(const auto row, parts_.catalog->index().repository(repository_.bytes));
  if (!row) return failed(Code::not_found, "repository " + repository_.hex(), "is not here");
  CB_ASSIGN(const auto known, parts_.catalog->index().session(row->number, 0, session->bytes));
  if (!known) return true;
  if (*known == blob.stored) return is_asked;
  CB_TRY(replace_record(*session, blob));
  return false;
}

Status ArrivingBlobs::replace_record(const repository::SessionId& session,
                                     const StoredBlob& blob) const {
  CB_ASSIGN(const auto record, repository::decode_session(blob.stored));
  CB_ASSIGN(const auto owner, parts_.engine->record(repository_));
  const bool is_rotated =
      record.device.is_zero() && !record.wrapped.empty() &&
      repository::verify_session_record(record, repository_, session, {{}, owner.root});
  if (!is_rotated) return {};
  const repository::SessionEntry entry{session, blob.stored};
  const Status put = parts_.engine->put_sessions(repository_, std::span(&entry, 1));
  // What is here is newer.
  return put || put.error().code != Code::state ? put : Status();
}

Result<std::vector<bool>> ArrivingBlobs::have(const Viewer& viewer, std::span<const BlobId> ids) {
  CB_ASSIGN(Intake* const open, intake(Viewer{}));
  CB_ASSIGN(std::vector<bool> there, open->have(ids));
  if (is_owners(viewer)) return there;
  CB_ASSIGN(Intake* const own, intake(viewer));
  CB_ASSIGN(const std::vector<bool> mine, own->have(ids));
  for (size_t i = 0; i < there.size(); ++i) there[i] = there[i] || mine[i];
  return there;
}

Status ArrivingBlobs::flush() {
  for (const auto& [device, intake] : intakes_) CB_TRY(intake->flush());
  return {};
}

}  // namespace cb::replication
