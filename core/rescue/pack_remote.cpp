// SPDX-License-Identifier: Apache-2.0
#include "core/rescue/pack_remote.h"

#include <algorithm>

#include "core/repository/pack.h"

namespace cb::rescue {
namespace {

using repository::BlobId;
using repository::SessionId;
using repository::StoredBlob;

auto read_only() {
  return failed(Code::denied, "packs", "are only read here", "restore what you need from them");
}

Error missing(const BlobId& id) {
  return fail(Code::not_found, "blob " + id.hex(), "is in none of the packs");
}

}  // namespace

std::span<const BlobCopy> PackRemote::copies_of(const BlobId& id) const {
  const auto& copies = parts_.found->copies;
  const auto first =
      std::lower_bound(copies.begin(), copies.end(), id,
                       [](const BlobCopy& copy, const BlobId& wanted) { return copy.id < wanted; });
  auto past = first;
  while (past != copies.end() && past->id == id) ++past;
  return {first, past};
}

// One that opened something, or else the likeliest.
const Bytes* PackRemote::session_record(const SessionId& session) const {
  const std::lock_guard lock(mutex_);
  if (const auto proven = proven_.find(session); proven != proven_.end()) return proven->second;
  return has_records(session) ? &parts_.sessions.at(session).front() : nullptr;
}

bool PackRemote::has_records(const SessionId& session) const {
  const auto found = parts_.sessions.find(session);
  return found != parts_.sessions.end() && !found->second.empty();
}

// Is there no choice, or none any more?
bool PackRemote::is_settled(const SessionId& session) const {
  const std::lock_guard lock(mutex_);
  const auto found = parts_.sessions.find(session);
  return found == parts_.sessions.end() || found->second.size() <= 1 || proven_.contains(session);
}

// Until one of a session's records opened a blob each is tried: others may be damaged, or
// somebody's garbage, and give keys that open nothing.
bool PackRemote::opens(const StoredBlob& blob) const {
  const std::lock_guard lock(mutex_);
  const SessionId& session = blob.head.session;
  if (session.is_zero() || proven_.contains(session)) return parts_.opener->open(blob).has_value();
  const auto found = parts_.sessions.find(session);
  if (found == parts_.sessions.end()) return false;
  for (const Bytes& record : found->second) {
    if (!parts_.opener->learn(session, record) || !parts_.opener->open(blob)) continue;
    proven_.emplace(session, &record);
    return true;
  }
  return false;
}

Result<StoredBlob> PackRemote::read(const BlobCopy& copy) const {
  const FoundPack& pack = parts_.hoard->packs()[copy.pack];
  const auto in_pack = [&](Error error) {
    error.object = "blob " + copy.id.hex() + " in " + pack.source->place_of(pack.name);
    return failed(std::move(error));
  };
  CB_ASSIGN(const auto bytes, pack.source->open(pack.name));
  Bytes record(repository::kRecordFixedSize);
  if (copy.offset + record.size() > bytes->size())
    return in_pack(fail(Code::corrupt, "", "lies behind the end of its pack"));
  if (auto done = bytes->read(copy.offset, record); !done) return in_pack(done.error());
  const size_t size = repository::record_size_at(record).value_or(record.size());
  record.resize(std::min<uint64_t>(size, bytes->size() - copy.offset));
  if (auto done = bytes->read(copy.offset, record); !done) return in_pack(done.error());
  auto head = repository::decode_record(record);
  if (!head) return in_pack(head.error());
  StoredBlob blob{std::move(*head), {}};
  if (blob.head.id != copy.id)
    return in_pack(fail(Code::corrupt, "", "is another one than its footer says"));
  auto stored = repository::read_content(*bytes, repository::entry_of({copy.offset, blob.head}));
  if (!stored) return in_pack(stored.error());
  blob.stored = std::move(*stored);
  return blob;
}

// Among several copies one that opens: others may be damaged, or somebody's garbage.
Result<StoredBlob> PackRemote::best_of(const BlobId& id) const {
  const auto copies = copies_of(id);
  std::optional<StoredBlob> spare;
  std::optional<Error> trouble;
  for (const BlobCopy& copy : copies) {
    auto blob = read(copy);
    const bool is_sure = blob && copies.size() == 1 && is_settled(blob->head.session);
    if (blob && (is_sure || opens(*blob))) return blob;
    if (!blob)
      trouble = blob.error();
    else if (!spare)
      spare = std::move(*blob);
  }
  if (spare) return std::move(*spare);
  return failed(trouble ? *trouble : missing(id));
}

Result<StoredBlob> PackRemote::session_blob(const SessionId& session) const {
  const Bytes* record = session_record(session);
  if (record == nullptr) return failed(missing(blob_of(session)));
  StoredBlob blob;
  blob.head.id = blob_of(session);
  blob.head.kind = repository::BlobKind::session;
  blob.head.stored_size = static_cast<uint32_t>(record->size());
  blob.stored = *record;
  return blob;
}

Result<std::vector<bool>> PackRemote::have(std::span<const BlobId> ids) {
  std::vector<bool> there;
  there.reserve(ids.size());
  for (const BlobId& id : ids) {
    const auto session = session_of(id);
    there.push_back(session ? has_records(*session) : !copies_of(id).empty());
  }
  return there;
}

Status PackRemote::get(std::span<const BlobId> ids, const repository::CopyChoice&,
                       const BlobSink& sink) {
  std::vector<BlobId> order(ids.begin(), ids.end());
  const auto place_of = [&](const BlobId& id) {
    const auto copies = copies_of(id);
    return copies.empty() ? std::pair<uint32_t, uint64_t>{}
                          : std::pair{copies.front().pack, copies.front().offset};
  };
  std::sort(order.begin(), order.end(),
            [&](const BlobId& a, const BlobId& b) { return place_of(a) < place_of(b); });
  Status trouble;
  for (const BlobId& id : order) {
    const auto session = session_of(id);
    auto blob = session ? session_blob(*session) : best_of(id);
    if (blob)
      CB_TRY(sink(std::move(*blob)));
    else if (trouble || trouble.error().code == Code::not_found)
      trouble = failed(blob.error());
  }
  return trouble;
}

Result<std::vector<repository::SnapshotInfo>> PackRemote::snapshots(bool with_trash) {
  std::vector<repository::SnapshotInfo> all = snapshots_;
  if (!with_trash) std::erase_if(all, [](const auto& info) { return info.in_trash; });
  return all;
}

Result<repository::RepositoryRecord> PackRemote::record() {
  if (parts_.found->record) return *parts_.found->record;
  return failed(Code::not_found, "repository " + parts_.repository.hex(), "has no record here");
}

Result<repository::RemoteCounts> PackRemote::counts() {
  return repository::RemoteCounts{parts_.found->copies.size(), parts_.found->packs, 0,
                                  snapshots_.size()};
}

Result<std::vector<repository::KeySlot>> PackRemote::slots() {
  return std::vector<repository::KeySlot>();
}

Result<repository::ChainPage> PackRemote::chain(uint64_t) {
  return repository::ChainPage{{}, true};
}

Result<uint64_t> PackRemote::put(StoredBlob) { return read_only(); }
Status PackRemote::flush() { return read_only(); }
Result<repository::CommitAnswer> PackRemote::commit(const repository::CommitRequest&) {
  return read_only();
}
Result<repository::CommitRecord> PackRemote::forget(const BlobId&) { return read_only(); }
Result<repository::CommitRecord> PackRemote::undelete(const BlobId&) { return read_only(); }
Status PackRemote::add_slot(const repository::KeySlot&) { return read_only(); }
Status PackRemote::remove_slot(const repository::SlotId&) { return read_only(); }

}  // namespace cb::rescue
