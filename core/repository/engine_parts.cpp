// SPDX-License-Identifier: Apache-2.0
//
// Commits, forgets and undeletes.
#include "core/repository/engine_parts.h"

#include "core/base/trial.h"
#include "core/repository/engine_closure.h"
#include "core/repository/engine_records.h"

namespace cb::repository {
namespace {

Error not_a_snapshot(const BlobId& id) {
  return fail(Code::not_found, "snapshot " + id.hex(), "is not in this repository");
}

CommitRecord draft_of(const CommitRequest& request, const DeviceId& device) {
  CommitRecord draft;
  draft.snapshot = request.snapshot;
  draft.root = request.root;
  draft.device = device;
  draft.device_signature = request.device_signature;
  draft.source = request.source;
  draft.tags = request.tags;
  draft.flags = request.flags;
  draft.files = request.files;
  draft.bytes = request.bytes;
  draft.commit_id = request.commit_id;
  draft.time_ns = request.made_ns;
  return draft;
}

// Is the snapshot blob, when it is there, one with exactly this root?
Status check_snapshot(catalog::Index& index, int64_t repository, const catalog::View& view,
                      const CommitRequest& request) {
  const std::array<catalog::Bytes32, 2> ids = {request.snapshot.bytes, request.root.bytes};
  CB_ASSIGN(const auto links, index.links(repository, view, ids));
  const auto is = [](const auto& link, BlobKind kind) {
    return !link || link->kind == static_cast<uint8_t>(kind);
  };
  if (!is(links[0], BlobKind::snapshot) || !is(links[1], BlobKind::node))
    return failed(Code::invalid, "snapshot " + request.snapshot.hex(),
                  "or its root is a blob of another kind");
  if (links[0] && links[0]->children != to_bytes(request.root.view()))
    return failed(Code::invalid, "snapshot " + request.snapshot.hex(), "has another root");
  return {};
}

// The answer that was given before, to this commit id or for this snapshot.
Result<std::optional<CommitAnswer>> earlier_answer(catalog::Index& index, int64_t repository,
                                                   const CommitRequest& request) {
  CB_ASSIGN(auto row, index.commit_by_id(repository, request.commit_id.bytes));
  if (row && row->snapshot != request.snapshot.bytes)
    return failed(Code::invalid, "commit " + request.commit_id.hex(),
                  "was made before, of another snapshot", "draw a new commit id");
  if (!row) {
    CB_ASSIGN(const auto there, index.snapshot(repository, request.snapshot.bytes));
    if (!there) return std::nullopt;
    return CommitAnswer{{}, there->record};
  }
  return CommitAnswer{{}, std::move(row->record)};
}

// The record of the same wish, when no opposite one came after it: repeating it changes nothing.
Result<std::optional<Bytes>> earlier_wish(catalog::Index& index, int64_t repository,
                                          CommitType type, const BlobId& snapshot) {
  const bool to_trash = type == CommitType::forget;
  const auto opposite = to_trash ? CommitType::undelete : CommitType::forget;
  CB_ASSIGN(auto same, index.commit_of(repository, snapshot.bytes, static_cast<uint8_t>(type)));
  CB_ASSIGN(const auto other,
            index.commit_of(repository, snapshot.bytes, static_cast<uint8_t>(opposite)));
  if (!same || (other && other->sequence > same->sequence)) return std::nullopt;
  return std::move(same->record);
}

}  // namespace

Result<int64_t> number_of(catalog::Index& index, const RepositoryId& repository) {
  CB_ASSIGN(const auto row, index.repository(repository.bytes));
  if (row) return row->number;
  return failed(Code::not_found, "repository " + repository.hex(), "is not in the catalog");
}

catalog::BlobRow row_of(const PackedBlob& blob) {
  catalog::BlobRow row;
  row.id = blob.head.id.bytes;
  row.kind = static_cast<uint8_t>(blob.head.kind);
  row.session = blob.head.session.bytes;
  row.offset = blob.offset;
  row.size = blob.head.stored_size;
  row.children.reserve(blob.head.children.size() * BlobId::kSize);
  for (const BlobId& child : blob.head.children)
    row.children.insert(row.children.end(), child.bytes.begin(), child.bytes.end());
  return row;
}

std::vector<catalog::Bytes32> bytes_of(std::span<const BlobId> ids) {
  std::vector<catalog::Bytes32> bytes;
  bytes.reserve(ids.size());
  for (const BlobId& id : ids) bytes.push_back(id.bytes);
  return bytes;
}

Result<std::shared_ptr<CommitChain>> EngineParts::chain(const RepositoryId& repository) {
  const std::lock_guard lock(mutex_);
  if (const auto known = chains_.find(repository); known != chains_.end()) return known->second;
  CB_ASSIGN(const int64_t number, number_of(index(), repository));
  auto chain = std::make_shared<CommitChain>(parts, number, repository);
  const std::lock_guard chain_lock(chain->mutex);
  CB_TRY(chain->load());
  CB_TRY(settle_change(*this, *chain));
  chains_.emplace(repository, chain);
  return chain;
}

Result<int64_t> EngineParts::domain_of(const CommitChain& chain, const Viewer& viewer) const {
  if (viewer.role == Role::owner || viewer.device.is_zero()) return catalog::kOpenDomain;
  if (viewer.shares_dedup) return catalog::kSharedDomain;
  return index().domain_of(chain.number(), viewer.device.bytes);
}

Result<Viewer> EngineParts::viewer_of(const DeviceId& device) const {
  CB_ASSIGN(const auto found, parts.catalog->accounts().device_by_id(device.bytes));
  if (!found) return Viewer{};
  Viewer viewer{device, static_cast<Role>(found->role), false};
  const auto certificate = decode_certificate(found->certificate);
  viewer.shares_dedup = certificate && (certificate->flags & kDeviceSharesDedup) != 0;
  return viewer;
}

std::shared_ptr<InFlight> EngineParts::in_flight(const RepositoryId& repository) {
  const std::lock_guard lock(mutex_);
  auto& found = in_flight_[repository];
  if (!found) found = std::make_shared<InFlight>();
  return found;
}

Result<CommitAnswer> EngineParts::commit(CommitChain& chain, const CommitRequest& request,
                                         const DeviceId& device, int64_t domain, uint64_t growth) {
  const std::lock_guard lock(chain.mutex);
  const int64_t repository = chain.number();
  const bool is_private = domain > catalog::kOpenDomain;
  for (bool again = false;; again = true) {
    CB_ASSIGN(auto earlier, earlier_answer(index(), repository, request));
    if (earlier) return std::move(*earlier);
    CB_TRY(check_snapshot(index(), repository, {domain}, request));
    ClosureWalk walk(index(), repository, {domain}, ClosureWalk::Trust::closed);
    CB_TRY(walk.walk(request.snapshot));
    CB_TRY(walk.walk(request.root));
    if (!walk.missing().empty() && !trial::is_broken("closure"))
      return CommitAnswer{walk.missing(), {}};
    trial::passed("commit.verified");
    if (is_private) CB_TRY(index().mark_intake(domain, request.commit_id.bytes));
    catalog::CommitEffect effect;
    effect.walked = walk.walked();
    // The record in the store is durable, and whoever sends in private adds a row of its own.
    effect.waits = !is_private;
    effect.growth = growth;
    auto record = chain.append(draft_of(request, device), effect);
    if (record) return CommitAnswer{{}, encode(*record)};
    if (again || record.error().code != Code::exists) return failed(std::move(record).error());
    CB_TRY(chain.load());
  }
}

bool EngineParts::may_have_record(CommitChain& chain) {
  const std::lock_guard lock(chain.mutex);
  const auto next = parts.store->stat(commit_object(chain.id(), chain.head().sequence + 1));
  return next || next.error().code != Code::not_found;
}

Result<CommitRecord> EngineParts::wish(CommitChain& chain, CommitType type, const BlobId& snapshot,
                                       const DeviceId& device) {
  const std::lock_guard lock(chain.mutex);
  const int64_t repository = chain.number();
  const bool to_trash = type == CommitType::forget;
  for (bool again = false;; again = true) {
    CB_ASSIGN(const auto there, index().snapshot(repository, snapshot.bytes));
    if (!there) return failed(not_a_snapshot(snapshot));
    CB_ASSIGN(const bool moves, may_move_to_trash(parts.catalog->accounts(), device));
    if (there->in_trash == to_trash || !moves) {
      CB_ASSIGN(const auto earlier, earlier_wish(index(), repository, type, snapshot));
      if (earlier) return decode_commit(*earlier);
    }
    CB_ASSIGN(const CommitRecord committed, decode_commit(there->record));
    CommitRecord draft;
    draft.type = type;
    draft.snapshot = snapshot;
    draft.root = committed.root;
    draft.source = committed.source;
    draft.device = device;
    CB_TRY(parts.random->fill(draft.commit_id.bytes));
    catalog::CommitEffect effect;
    effect.changes_snapshot = moves;
    auto record = chain.append(draft, effect);
    if (record && parts.quota != nullptr)
      parts.quota->settle({repository, device}, 0, encode(*record).size());
    if (record || again || record.error().code != Code::exists) return record;
    CB_TRY(chain.load());
  }
}

}  // namespace cb::repository
