// SPDX-License-Identifier: Apache-2.0
#include "core/client/fine_grain.h"

#include <algorithm>

namespace cb::client {

using repository::BlobId;
using repository::BlobKind;
using repository::BlobSignature;
using repository::StoredBlob;

namespace {

// So many ids of signatures are asked for at once; they have some KiB each.
constexpr size_t kAtOnce = 64;
constexpr size_t kMostFetched = 100'000;  // of 100 GiB and more; what is older is found no more

// Is it the remote that failed, and not the index?
bool is_of_remote(const Error& error) {
  return error.code == Code::closed || error.code == Code::cancelled || error.code == Code::timeout;
}

}  // namespace

FineGrain::Anchors FineGrain::anchors(ByteView region) const {
  return repository::find_anchors(parts_.keys->gear(), region);
}

// False when there is trouble with the index.
Result<bool> FineGrain::is_ready() {
  if (!works()) return false;
  const Status done = prepare();
  if (done) return true;
  if (is_of_remote(done.error())) return failed(done.error());
  give_up(done.error());
  return false;
}

Result<bool> FineGrain::lacks(const BlobId& blob) {
  CB_ASSIGN(const bool ready, is_ready());
  if (!ready) return false;
  const auto known = parts_.index->contains(blob);
  if (!known) give_up(known.error());
  return known && !*known;
}

// What is damaged heals by being sent as it was.
Result<std::vector<RegionPart>> FineGrain::match(const BlobId& id, ByteView region,
                                                 const Anchors& anchors) {
  if (parts_.damaged.contains(id)) return std::vector<RegionPart>();
  CB_ASSIGN(const bool ready, is_ready());
  if (!ready) return std::vector<RegionPart>();
  const BlobUse use{[this](const BlobId& blob) { return !parts_.damaged.contains(blob); },
                    [this](const FineIndex::Described& patch, const repository::PieceHash& hash,
                           ByteView piece) { mending_.take(patch, hash, piece); }};
  auto parts = match_region(*parts_.keys, *parts_.index, use, region, anchors);
  if (parts || is_of_remote(parts.error())) return parts;
  give_up(parts.error());
  return std::vector<RegionPart>();
}

// The first that needs the index sees to it that it can be used.
Status FineGrain::prepare() {
  const std::lock_guard lock(preparing_);
  if (prepared_) return {};
  CB_ASSIGN(const bool is_empty, parts_.index->is_empty());
  if (is_empty) CB_TRY(fetch());
  if (is_empty || parts_.distrust)
    CB_TRY(parts_.index->forget_missing([this](std::span<const BlobId> ids) { return have(ids); }));
  prepared_ = true;
  return {};
}

// What is damaged counts as there: its signature says how it is made again.
Result<std::vector<bool>> FineGrain::have(std::span<const BlobId> ids) {
  CB_ASSIGN(std::vector<bool> there, parts_.remote->have(ids));
  for (size_t i = 0; i < std::min(ids.size(), there.size()); ++i)
    there[i] = there[i] || parts_.damaged.contains(ids[i]);
  return there;
}

Result<StoredBlob> FineGrain::describe(const BlobId& blob, ByteView plain, uint64_t offset,
                                       Anchors anchors) {
  CB_ASSIGN(BlobSignature signature, repository::describe_blob(*parts_.keys, plain, offset));
  signature.anchors = std::move(anchors);
  return describe(blob, std::move(signature));
}

Result<StoredBlob> FineGrain::describe(const BlobId& blob, BlobSignature signature) {
  signature.device = parts_.device;
  CB_TRY(repository::sign_blob_signature(signature, parts_.keys->repository(), blob, parts_.sign));
  if (works())
    if (const Status noted = parts_.index->add(blob, signature, FineIndex::Age::newest); !noted)
      give_up(noted.error());
  return repository::seal_shared(parts_.suite, *parts_.keys, BlobKind::signature, {blob},
                                 repository::encode(signature));
}

void FineGrain::settle() {
  const std::lock_guard lock(preparing_);
  // Nobody needed it, so what was doubtful still is.
  if (!works() || (parts_.distrust && !prepared_)) return;
  if (const Status settled = parts_.index->settle(); !settled) give_up(settled.error());
}

void FineGrain::give_up(const Error& error) {
  works_ = false;
  const std::lock_guard lock(mutex_);
  if (!trouble_) trouble_ = error;
}

std::optional<Error> FineGrain::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

// --- after the index was lost --------------------------------------------------------------------

Status FineGrain::fetch() {
  uint64_t before = 0;
  for (size_t count = 0; count < kMostFetched;) {
    CB_ASSIGN(const repository::SignaturePage page, parts_.remote->signatures(before));
    CB_TRY(fetch_page(page.ids));
    count += page.ids.size();
    if (page.last || page.ids.empty()) break;
    before = page.next;
  }
  return {};
}

Status FineGrain::fetch_page(const std::vector<BlobId>& ids) {
  for (size_t at = 0; at < ids.size(); at += kAtOnce) {
    const auto some = std::span(ids).subspan(at, std::min(kAtOnce, ids.size() - at));
    // One that is damaged ends the answer, and is missed by nobody; the others are asked for one by
    // one.
    CB_ASSIGN(const std::vector<BlobId> left, fetch_some(some));
    if (some.size() > 1)
      for (const BlobId& id : left) CB_TRY(fetch_some({&id, 1}));
  }
  return {};
}

// What did not come, where the answer ended before its end.
Result<std::vector<BlobId>> FineGrain::fetch_some(std::span<const BlobId> ids) {
  Status adopted;
  std::unordered_set<BlobId, repository::IdHash> left(ids.begin(), ids.end());
  const Status got = parts_.remote->get(ids, {parts_.device, false}, [&](StoredBlob blob) {
    left.erase(blob.head.id);
    if (adopted) adopted = adopt(blob);
    return Status();
  });
  CB_TRY(adopted);
  if (got) return std::vector<BlobId>();
  if (is_of_remote(got.error())) return failed(got.error());
  return std::vector<BlobId>(left.begin(), left.end());
}

// Only what this device made itself is believed, and only if nobody altered it. The newest came
// first.
Status FineGrain::adopt(const StoredBlob& blob) {
  if (blob.head.kind != BlobKind::signature || blob.head.children.size() != 1) return {};
  const BlobId& described = blob.head.children.front();
  const auto plain = repository::open_shared(parts_.suite, *parts_.keys, blob);
  if (!plain) return {};
  const auto signature = repository::decode_blob_signature(*plain);
  if (!signature || !repository::verify_blob_signature(*signature, parts_.keys->repository(),
                                                       described, parts_.device_key))
    return {};
  return parts_.index->add(described, *signature, FineIndex::Age::older);
}

}  // namespace cb::client
