// SPDX-License-Identifier: Apache-2.0
#include "core/client/backup_entries.h"

#include <algorithm>
#include <utility>

namespace cb::client {
namespace {

using repository::BlobId;
using repository::BlobKind;
using repository::EncodedNode;
using repository::Entry;
using repository::EntryKind;
using repository::Extent;

constexpr size_t kMostWaiting = 12 * 1024 * 1024;  // bytes of memory, about
constexpr size_t kStretchWeight = sizeof(Stretch) + sizeof(Piece) + 32;
constexpr size_t kRecent = 16;             // noted blobs that are looked at for the same
constexpr size_t kMostNodes = 256 * 1024;  // that are remembered for the next backup

// What has to be placed before the stretch is settled; none when it is.
const Piece* open_piece(const Stretch& stretch) {
  if (!stretch.piece) return nullptr;
  if (!stretch.piece->placed) return stretch.piece.get();
  for (const Stretch& part : stretch.piece->parts)
    if (!part.piece->placed) return part.piece.get();
  return nullptr;
}

// What `whole` has of a part that begins at `at` of its piece.
Stretch common_stretch(const Stretch& whole, const Stretch& part, uint64_t at) {
  const uint64_t begin = std::max(whole.offset, at);
  const uint64_t end = std::min(whole.offset + whole.length, at + part.length);
  return {end > begin ? end - begin : 0, part.piece, part.offset + (begin - at)};
}

size_t weight_of(const WaitingEntry& waiting) {
  const Entry& entry = waiting.cached.entry;
  size_t weight = sizeof(WaitingEntry) + entry.path.size() + entry.target.size() + 64 +
                  entry.extents.size() * sizeof(Extent) +
                  waiting.cached.blobs.size() * sizeof(BlobId) +
                  waiting.stretches.size() * kStretchWeight;
  for (const auto& xattr : entry.xattrs) weight += 64 + xattr.name.size() + xattr.value.size();
  return weight;
}

}  // namespace

EntryQueue::EntryQueue(Parts parts) : parts_(std::move(parts)), tree_(parts_.seed, sink()) {}

repository::NodeSink EntryQueue::sink() {
  return [this](const EncodedNode& node) -> Result<BlobId> {
    CB_ASSIGN(const BlobId id, parts_.line->blob(BlobKind::node, node.children, node.plain));
    note_node(id);
    return id;
  };
}

void EntryQueue::note_node(const BlobId& id) {
  if (nodes_.size() < kMostNodes) nodes_.push_back(short_id(id));
}

WaitingEntry& EntryQueue::push(WaitingEntry entry) {
  waiting_.push_back(std::move(entry));
  WaitingEntry& back = waiting_.back();
  back.weight = weight_of(back);
  weight_ += back.weight;
  return back;
}

void EntryQueue::close(WaitingEntry& entry) {
  entry.open = false;
  weight_ -= std::exchange(entry.weight, weight_of(entry));
  weight_ += entry.weight;
}

bool EntryQueue::full() const {
  if (waiting_.empty()) return false;
  const WaitingEntry& back = waiting_.back();
  const size_t growing = back.open ? back.stretches.size() * kStretchWeight : 0;
  return weight_ + growing > kMostWaiting;
}

Status EntryQueue::drain() {
  while (!waiting_.empty()) {
    CB_ASSIGN(const bool ready, settle(waiting_.front()));
    if (!ready) return {};
    CB_TRY(emit(waiting_.front()));
    weight_ -= waiting_.front().weight;
    waiting_.pop_front();
  }
  return {};
}

Result<bool> EntryQueue::wait() {
  if (waiting_.empty()) return false;
  const WaitingEntry& front = waiting_.front();
  // The last piece of an open one is not handed over.
  const size_t sure = front.stretches.size() - (front.open && !front.stretches.empty() ? 1 : 0);
  for (size_t i = 0; i < sure; ++i) {
    const Piece* piece = open_piece(front.stretches[i]);
    if (piece == nullptr) continue;
    CB_TRY(parts_.line->wait_until_placed(*piece));
    return true;
  }
  return false;
}

Result<BlobId> EntryQueue::finish() {
  CB_TRY(drain());
  while (!waiting_.empty()) {
    CB_TRY(wait());
    CB_TRY(drain());
  }
  return tree_.finish();
}

// Moves stretches over to the extents as their pieces get names.
Result<bool> EntryQueue::settle(WaitingEntry& front) {
  auto& stretches = front.stretches;
  // The last one of an open file may still grow.
  const size_t sure = stretches.size() - (front.open && !stretches.empty() ? 1 : 0);
  size_t moved = 0;
  while (moved < sure) {
    CB_ASSIGN(const bool is_settled, settle_stretch(front, stretches[moved]));
    if (!is_settled) break;
    if (front.begun) front.begun->add(stretches[moved]);
    ++moved;
  }
  stretches.erase(stretches.begin(), stretches.begin() + static_cast<std::ptrdiff_t>(moved));
  return !front.open && stretches.empty();
}

// False when it has to wait.
Result<bool> EntryQueue::settle_stretch(WaitingEntry& front, const Stretch& stretch) {
  if (stretch.piece && !stretch.piece->placed) return false;
  if (!stretch.piece || stretch.piece->parts.empty()) {
    CB_TRY(add_extent(front, stretch));
    return true;
  }
  const std::vector<Stretch>& parts = stretch.piece->parts;
  uint64_t at = 0;  // in the piece
  for (size_t i = 0; i < parts.size(); at += parts[i++].length) {
    if (i < front.parts_done) continue;
    if (!parts[i].piece->placed) return false;
    CB_TRY(add_extent(front, common_stretch(stretch, parts[i], at)));
    front.parts_done = i + 1;
  }
  front.parts_done = 0;
  return true;
}

Status EntryQueue::add_extent(WaitingEntry& front, const Stretch& stretch) {
  if (stretch.length == 0) return {};
  Extent extent;
  extent.length = stretch.length;
  extent.hole = !stretch.piece;
  if (stretch.piece) {
    extent.blob = stretch.piece->id;
    extent.offset = stretch.offset;
    if (front.small && parts_.bundles != nullptr)
      parts_.bundles->use(extent.blob, extent.length, stretch.piece->size);
  }
  auto& extents = front.cached.entry.extents;
  if (!extents_ && extents.size() < repository::kInlineExtents) {
    extents.push_back(extent);
    return {};
  }
  if (!extents_) CB_TRY(begin_tree(front));
  return add_to_tree(front, extent);
}

// They are too many for the entry: from here on they go into a tree.
Status EntryQueue::begin_tree(WaitingEntry& front) {
  extents_ = std::make_unique<repository::ExtentBuilder>(
      parts_.seed, [this](const EncodedNode& node) -> Result<BlobId> {
        CB_ASSIGN(const BlobId id, parts_.line->blob(BlobKind::node, node.children, node.plain));
        note_node(id);
        extent_nodes_.push_back(id);
        return id;
      });
  noting_ = true;
  for (const Extent& early : std::exchange(front.cached.entry.extents, {}))
    CB_TRY(add_to_tree(front, early));
  return {};
}

Status EntryQueue::add_to_tree(WaitingEntry& front, const Extent& extent) {
  auto& blobs = front.cached.blobs;
  noting_ = noting_ && blobs.size() + extent_nodes_.size() < kMaxNotedBlobs;
  // A region lies in a few blobs, now in one and then in another.
  const auto recent = blobs.end() - static_cast<std::ptrdiff_t>(std::min(blobs.size(), kRecent));
  if (!extent.hole && noting_ && std::find(recent, blobs.end(), extent.blob) == blobs.end())
    blobs.push_back(extent.blob);
  return extents_->add(extent);
}

Status EntryQueue::end_extents(WaitingEntry& front) {
  if (!extents_) return {};
  CB_TRY(extents_->finish(front.cached.entry));
  extents_.reset();
  auto& blobs = front.cached.blobs;
  blobs.insert(blobs.end(), extent_nodes_.begin(), extent_nodes_.end());
  extent_nodes_ = {};
  if (!noting_) blobs = {};
  return {};
}

Status EntryQueue::emit(WaitingEntry& front) {
  CB_TRY(end_extents(front));
  CachedEntry& cached = front.cached;
  Entry& entry = cached.entry;
  if (front.takes) {
    entry.size = front.takes->size;
    entry.flags |= front.takes->flags;
    entry.extents = front.takes->extents;
    entry.extent_root = front.takes->extent_root;
    cached.blobs = front.takes->blobs;
  }
  if (front.gives)
    *front.gives = {entry.size, entry.flags, entry.extents, entry.extent_root, cached.blobs};
  const uint64_t before = counts_.files + counts_.folders + counts_.others;
  CB_TRY(plant(entry));
  const bool planted = counts_.files + counts_.folders + counts_.others > before;
  if (planted && parts_.journal != nullptr) parts_.journal->add(cached);
  return {};
}

// One entry that cannot stand in a tree does not stop the backup.
Status EntryQueue::plant(Entry& entry) {
  Status added = tree_.add(entry);
  if (!added && added.error().code == Code::limit && !entry.xattrs.empty()) {
    parts_.problem(entry.path, std::move(added).error());
    entry.xattrs.clear();
    added = tree_.add(entry);
  }
  if (added) {
    count(entry);
    return {};
  }
  if (added.error().code != Code::invalid && added.error().code != Code::limit) return added;
  parts_.problem(entry.path, std::move(added).error());
  return {};
}

void EntryQueue::count(const Entry& entry) {
  if (entry.kind == EntryKind::file) {
    ++counts_.files;
    counts_.bytes += entry.size;
  } else {
    ++(entry.kind == EntryKind::folder ? counts_.folders : counts_.others);
  }
}

}  // namespace cb::client
