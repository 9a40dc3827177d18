// SPDX-License-Identifier: Apache-2.0
#include "core/client/fine_grain.h"

namespace cb::client {

using repository::BlobId;
using repository::BlobKind;
using repository::BlobSignature;
using repository::StoredBlob;

namespace {

// So many ids of signatures are asked for at once; they have some KiB each.
constexpr size_t kAtOnce = 64;
constexpr size_t kMostFetched = 100'000;  // of 100 GiB and more; what is older is found no more
constexpr size_t kMostAskedBlobs = 100'000;

// Is it the remote that failed, and not the index?
bool is_of_remote(const Error& error) {
  return error.code == Code::closed || error.code == Code::cancelled || error.code == Code::timeout;
}

}  // namespace

FineGrain::Anchors FineGrain::anchors(ByteView region) const {
  return repository::find_anchors(parts_.keys->gear(), region);
}

Result<std::vector<RegionPart>> FineGrain::match(ByteView region, const Anchors& anchors) {
  if (!works()) return std::vector<RegionPart>();
  if (const Status done = fetch(); !done) {
    if (is_of_remote(done.error())) return failed(done.error());
    give_up(done.error());
    return std::vector<RegionPart>();
  }
  auto parts = match_region(
      *parts_.keys, *parts_.index, [this](const BlobId& id) { return is_usable(id); }, region,
      anchors);
  if (parts || is_of_remote(parts.error())) return parts;
  give_up(parts.error());
  return std::vector<RegionPart>();
}

Result<bool> FineGrain::is_usable(const BlobId& blob) {
  if (parts_.damaged.contains(blob)) return false;
  if (!parts_.distrust) return true;
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = asked_.find(blob); known != asked_.end()) return known->second;
  }
  CB_ASSIGN(const auto there, parts_.remote->have({&blob, 1}));
  const bool is_there = there.size() == 1 && there.front();
  if (!is_there) CB_TRY(parts_.index->forget(blob));
  const std::lock_guard lock(mutex_);
  if (asked_.size() < kMostAskedBlobs) asked_[blob] = is_there;
  return is_there;
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

void FineGrain::keep() {
  if (!works()) return;
  if (const Status kept = parts_.index->commit(); !kept) give_up(kept.error());
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

// The first that needs the index fills it, if there is nothing in it, with what the repository has.
Status FineGrain::fetch() {
  const std::lock_guard lock(fetching_);
  if (fetched_) return {};
  CB_ASSIGN(const bool is_empty, parts_.index->is_empty());
  uint64_t before = 0;
  for (size_t count = 0; is_empty && count < kMostFetched;) {
    CB_ASSIGN(const repository::SignaturePage page, parts_.remote->signatures(before));
    CB_TRY(fetch_page(page.ids));
    count += page.ids.size();
    if (page.last || page.ids.empty()) break;
    before = page.next;
  }
  fetched_ = true;
  return {};
}

Status FineGrain::fetch_page(const std::vector<BlobId>& ids) {
  for (size_t at = 0; at < ids.size(); at += kAtOnce) {
    const auto some = std::span(ids).subspan(at, std::min(kAtOnce, ids.size() - at));
    Status adopted;
    const Status got = parts_.remote->get(some, {parts_.device, false}, [&](StoredBlob blob) {
      if (adopted) adopted = adopt(blob);
      return Status();
    });
    CB_TRY(adopted);
    // One that has gone meanwhile, or is damaged, is not missed.
    if (!got && is_of_remote(got.error())) return got;
  }
  return {};
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
