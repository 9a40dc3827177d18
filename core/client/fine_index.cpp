// SPDX-License-Identifier: Apache-2.0
#include "core/client/fine_index.h"

#include <algorithm>
#include <map>

namespace cb::client {
namespace {

using repository::Anchor;
using repository::BlobSignature;
using repository::PieceHash;

// So many anchors of a blob lead to it. The lowest marks: which they are follows from the content.
constexpr size_t kHooks = 8;

constexpr size_t kAsked = 4096;  // ids in one question

std::vector<uint64_t> lowest_marks(const std::vector<Anchor>& anchors) {
  std::vector<uint64_t> marks;
  marks.reserve(anchors.size());
  for (const Anchor& anchor : anchors) marks.push_back(anchor.mark);
  std::sort(marks.begin(), marks.end());
  marks.erase(std::unique(marks.begin(), marks.end()), marks.end());
  marks.resize(std::min(marks.size(), kHooks));
  return marks;
}

uint64_t hook_of(const PieceHash& piece) { return load_le<uint64_t>(piece.bytes.data()); }

std::vector<uint64_t> hooks_of(const BlobSignature& signature) {
  if (!signature.anchors.empty()) return lowest_marks(signature.anchors);
  std::vector<uint64_t> hooks;
  hooks.reserve(signature.pieces.size());
  for (const PieceHash& piece : signature.pieces) hooks.push_back(hook_of(piece));
  return hooks;
}

}  // namespace

Result<std::unique_ptr<FineIndex>> FineIndex::open(const os::Path& file) {
  CB_ASSIGN(auto hooks, catalog::HookIndex::open(file.string()));
  return std::unique_ptr<FineIndex>(new FineIndex(std::move(hooks)));
}

Result<bool> FineIndex::is_empty() {
  const std::lock_guard lock(mutex_);
  return hooks_->is_empty();
}

Status FineIndex::add(const repository::BlobId& blob, const BlobSignature& signature, Age age) {
  const Bytes record = repository::encode(signature);
  const auto hooks = hooks_of(signature);
  const std::lock_guard lock(mutex_);
  return hooks_->add(blob.bytes, record, hooks, age);
}

Status FineIndex::forget_missing(const Have& have) {
  const std::lock_guard lock(mutex_);
  for (catalog::HookIndex::Key after{};;) {
    CB_ASSIGN(const auto keys, hooks_->keys(after, kAsked));
    if (keys.empty()) return {};
    std::vector<repository::BlobId> ids;
    for (const auto& key : keys) ids.push_back({key});
    CB_ASSIGN(const std::vector<bool> there, have(ids));
    if (there.size() != ids.size())
      return failed(Code::corrupt, "server", "answered for another number of blobs");
    for (size_t i = 0; i < ids.size(); ++i)
      if (!there[i]) CB_TRY(hooks_->remove(keys[i]));
    after = keys.back();
  }
}

bool FineIndex::was_settled() {
  const std::lock_guard lock(mutex_);
  return hooks_->was_settled();
}

Status FineIndex::settle() {
  const std::lock_guard lock(mutex_);
  return hooks_->settle();
}

Result<bool> FineIndex::contains(const repository::BlobId& blob) {
  const std::lock_guard lock(mutex_);
  return hooks_->contains(blob.bytes);
}

// With the mutex held. Nothing for a hook that leads to what was forgotten.
Result<std::optional<FineIndex::Described>> FineIndex::load(int64_t number) {
  CB_ASSIGN(const auto record, hooks_->record(number));
  if (!record) return std::optional<Described>();
  Described found{{record->key}, {}};
  auto signature = repository::decode_blob_signature(record->bytes);
  if (!signature) return std::optional<Described>();
  found.signature = std::move(*signature);
  return std::optional(std::move(found));
}

Result<std::vector<FineIndex::Described>> FineIndex::like(const std::vector<Anchor>& anchors,
                                                          size_t most) {
  std::map<int64_t, size_t> votes;
  const std::lock_guard lock(mutex_);
  for (const Anchor& anchor : anchors) {
    CB_ASSIGN(const auto number, hooks_->find(anchor.mark));
    if (number) ++votes[*number];
  }
  std::vector<std::pair<size_t, int64_t>> order;
  for (const auto& [number, count] : votes) order.emplace_back(count, number);
  std::sort(order.rbegin(), order.rend());
  std::vector<Described> found;
  for (const auto& [count, number] : order) {
    if (found.size() >= most) break;
    CB_ASSIGN(auto one, load(number));
    if (one && !one->signature.anchors.empty()) found.push_back(std::move(*one));
  }
  return found;
}

Result<std::optional<FineIndex::Described>> FineIndex::with(const PieceHash& piece) {
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(const auto number, hooks_->find(hook_of(piece)));
  if (!number) return std::optional<Described>();
  return load(*number);
}

}  // namespace cb::client
