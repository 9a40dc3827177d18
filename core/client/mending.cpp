// SPDX-License-Identifier: Apache-2.0
#include "core/client/mending.h"

#include <algorithm>

namespace cb::client {
namespace {

using repository::BlobId;
using repository::kIdHeadroom;

constexpr size_t kMostWantedBlobs = 1'000'000;
constexpr size_t kMostHeld = 64 * 1024 * 1024;  // bytes of blobs that are being made

}  // namespace

Status Mending::ask(repository::Remote& remote) {
  wanted_.clear();
  wanted_short_.clear();
  for (BlobId after;;) {
    CB_ASSIGN(const repository::WantedPage page, remote.wanted(after));
    for (const repository::WantedBlob& blob : page.blobs) {
      wanted_.insert(blob.id);
      wanted_short_.insert(short_id(blob.id));
      after = blob.id;
    }
    if (page.last || page.blobs.empty()) return {};
    if (wanted_.size() > kMostWantedBlobs)
      return failed(Code::limit, "server", "wants more than a million blobs again");
  }
}

// Only a blob all of whose bytes the last snapshot used can be made of its files.
void Mending::begin(const CacheSummary* last, const repository::WriteKeys& keys, BlobLine& line) {
  keys_ = &keys;
  line_ = &line;
  sizes_.clear();
  making_.clear();
  held_ = 0;
  has_failed_ = false;
  if (last == nullptr || is_idle()) return;
  for (const BundleUse& use : last->bundles)
    if (wanted_short_.contains(use.blob) && use.used == use.size) sizes_[use.blob] = use.size;
}

std::vector<ShortId> Mending::whole(const std::vector<ShortId>& nodes) const {
  std::vector<ShortId> some;
  std::copy_if(nodes.begin(), nodes.end(), std::back_inserter(some),
               [this](const ShortId& id) { return !wanted_short_.contains(id); });
  return some;
}

bool Mending::can_make(const BlobId& id) const {
  if (hopeless_.contains(id)) return false;
  const auto size = sizes_.find(short_id(id));
  return size != sizes_.end() && (making_.contains(id) || held_ + size->second <= kMostHeld);
}

Mending::Need Mending::need(const CachedEntry& cached, bool is_small) const {
  if (is_idle()) return Need::nothing;
  const repository::Entry& entry = cached.entry;
  const bool has_tree = !entry.extent_root.is_zero();
  // Too many blobs to note: perhaps one of them.
  if (has_tree && (cached.blobs.empty() || wanted_.contains(entry.extent_root)))
    return Need::reading;
  for (const BlobId& id : cached.blobs)
    if (wanted_.contains(id)) return Need::reading;
  Need answer = Need::nothing;
  for (const repository::Extent& extent : entry.extents) {
    if (extent.hole || !wanted_.contains(extent.blob)) continue;
    if (!is_small || !can_make(extent.blob)) return Need::reading;
    answer = Need::content;
  }
  return answer;
}

Status Mending::take(const CachedEntry& cached, ByteView content) {
  uint64_t at = 0;  // in the file
  for (const repository::Extent& extent : cached.entry.extents) {
    const uint64_t begin = at;
    at += extent.length;
    if (extent.hole || !wanted_.contains(extent.blob) || !can_make(extent.blob)) continue;
    if (at > content.size()) return {};
    const uint32_t size = sizes_.at(short_id(extent.blob));
    const auto [making, is_new] = making_.try_emplace(extent.blob);
    if (is_new) {
      making->second.buffer.resize(kIdHeadroom + size);
      held_ += size;
    }
    put(making->second, extent.offset, content.subspan(begin, extent.length));
    const auto& there = making->second.there;
    if (there.size() == 1 && there.begin()->first == 0 && there.begin()->second == size)
      CB_TRY(finish(extent.blob, making->second));
  }
  return {};
}

// Notes which bytes came; files may share some of them.
void Mending::put(Making& making, uint64_t offset, ByteView bytes) {
  const uint64_t size = making.buffer.size() - kIdHeadroom;
  if (bytes.empty() || offset > size || bytes.size() > size - offset) return;
  std::copy(bytes.begin(), bytes.end(),
            making.buffer.begin() + static_cast<ptrdiff_t>(kIdHeadroom + offset));
  auto begin = static_cast<uint32_t>(offset);
  auto end = static_cast<uint32_t>(offset + bytes.size());
  auto next = making.there.upper_bound(begin);
  if (next != making.there.begin() && std::prev(next)->second >= begin) --next;
  while (next != making.there.end() && next->first <= end) {
    begin = std::min(begin, next->first);
    end = std::max(end, next->second);
    next = making.there.erase(next);
  }
  making.there[begin] = end;
}

// Its id tells whether these are the bytes that it had.
Status Mending::finish(const BlobId& id, Making& making) {
  Bytes buffer = std::move(making.buffer);
  held_ -= buffer.size() - kIdHeadroom;
  making_.erase(id);
  const ByteView plain = ByteView(buffer).subspan(kIdHeadroom);
  CB_ASSIGN(const BlobId now, keys_->id_of(repository::BlobKind::data, {}, plain));
  if (now != id) {
    hopeless_.insert(id);
    has_failed_ = true;
    return {};
  }
  ++made_;
  wanted_.erase(id);
  return line_->data(std::make_shared<Piece>(), std::move(buffer));
}

bool Mending::has_failed() {
  for (const auto& [id, making] : making_) hopeless_.insert(id);
  has_failed_ = has_failed_ || !making_.empty();
  making_.clear();
  held_ = 0;
  return has_failed_;
}

}  // namespace cb::client
