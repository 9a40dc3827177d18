// SPDX-License-Identifier: Apache-2.0
#include "core/client/region_match.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

namespace cb::client {
namespace {

using repository::Anchor;
using repository::BlobId;
using repository::BlobSignature;
using repository::kFinePiece;
using repository::PieceHash;

constexpr size_t kMostAlike = 4;          // blobs that are looked at for one region
constexpr size_t kMostLeantOn = 8;        // blobs that a region may lie in
constexpr size_t kMostStretches = 128;    // stretches, neighbours joined
constexpr uint64_t kWorthLooking = 8192;  // bytes; fewer that are missing need no further blob

// A piece that lies at `offset` of a blob.
struct Found {
  uint32_t length = 0;
  BlobId blob;
  uint32_t offset = 0;
  PieceHash hash;
};

// Anchors in a row that moved by the same distance from a blob to the region.
struct Shift {
  int64_t by = 0;
  uint32_t first = 0, last = 0;  // ends of anchors in the region
};

std::vector<Shift> shifts_of(const std::vector<Anchor>& region, const std::vector<Anchor>& blob) {
  std::unordered_map<uint64_t, uint32_t> ends;
  std::unordered_set<uint64_t> twice;
  for (const Anchor& anchor : blob)
    if (!ends.emplace(anchor.mark, anchor.end).second) twice.insert(anchor.mark);
  std::vector<Shift> shifts;
  for (const Anchor& anchor : region) {
    const auto at = ends.find(anchor.mark);
    if (at == ends.end() || twice.contains(anchor.mark)) continue;
    const int64_t by = int64_t{anchor.end} - at->second;
    if (shifts.empty() || shifts.back().by != by) shifts.push_back({by, anchor.end, anchor.end});
    shifts.back().last = anchor.end;
  }
  return shifts;
}

// Neighbours that are new lie side by side.
size_t stretches_of(const std::vector<RegionPart>& parts) {
  size_t count = 0;
  for (size_t i = 0; i < parts.size(); ++i)
    count += i == 0 || parts[i].blob || parts[i - 1].blob ? 1 : 0;
  return count;
}

class RegionCover {
 public:
  RegionCover(const repository::WriteKeys& keys, ByteView region) : keys_(keys), region_(region) {}

  [[nodiscard]] uint64_t missing() const { return region_.size() - found_bytes_; }

  // Takes what the region has of this blob, where nothing is known of yet.
  Status look_into(const FineIndex::Described& blob, const std::vector<Anchor>& anchors) {
    const auto shifts = shifts_of(anchors, blob.signature.anchors);
    for (size_t i = 0; i < shifts.size(); ++i) {
      const int64_t low = i == 0 ? 0 : shifts[i - 1].last;
      const int64_t high = i + 1 == shifts.size() ? static_cast<int64_t>(region_.size())
                                                  : int64_t{shifts[i + 1].first};
      CB_TRY(compare(blob, shifts[i].by, low, high));
    }
    return {};
  }

  // Looks for the pieces of a gap one by one, among those that were patched in before.
  Status look_up(FineIndex& index, const BlobUse& use) {
    uint64_t at = 0;
    std::vector<std::pair<uint64_t, uint64_t>> gaps;
    for (const auto& [begin, found] : found_) {
      if (begin > at) gaps.emplace_back(at, begin);
      at = begin + found.length;
    }
    if (at < region_.size()) gaps.emplace_back(at, region_.size());
    for (const auto& [begin, end] : gaps) CB_TRY(look_up_gap(index, use, begin, end));
    return {};
  }

  // Lets go what lies in the blobs that give least, until few enough are left.
  void bound_blobs() {
    std::map<BlobId, uint64_t> bytes;
    for (const auto& [begin, found] : found_) bytes[found.blob] += found.length;
    if (bytes.size() <= kMostLeantOn) return;
    std::vector<std::pair<uint64_t, BlobId>> order;
    for (const auto& [blob, count] : bytes) order.emplace_back(count, blob);
    std::sort(order.rbegin(), order.rend());
    std::unordered_set<BlobId, repository::IdHash> dropped;
    for (size_t i = kMostLeantOn; i < order.size(); ++i) dropped.insert(order[i].second);
    for (auto at = found_.begin(); at != found_.end();) {
      if (!dropped.contains(at->second.blob)) {
        ++at;
        continue;
      }
      new_[at->first] = {at->second.length, at->second.hash};
      found_bytes_ -= at->second.length;
      at = found_.erase(at);
    }
  }

  // In order; none when they are too many.
  [[nodiscard]] std::vector<RegionPart> parts() const {
    std::vector<RegionPart> parts;
    auto next_new = new_.begin();
    const auto add_new_before = [&](uint64_t end) {
      for (; next_new != new_.end() && next_new->first < end; ++next_new)
        parts.push_back({next_new->second.first, std::nullopt, 0, next_new->second.second});
    };
    for (const auto& [begin, found] : found_) {
      add_new_before(begin);
      RegionPart* last = parts.empty() ? nullptr : &parts.back();
      const bool goes_on = last != nullptr && last->blob == found.blob &&
                           last->offset + last->length == found.offset;
      if (goes_on)
        last->length += found.length;
      else
        parts.push_back({found.length, found.blob, found.offset, {}});
    }
    add_new_before(region_.size());
    if (stretches_of(parts) > kMostStretches) parts.clear();
    return parts;
  }

 private:
  // Pieces of the blob, moved by `by`, that lie in [low, high).
  Status compare(const FineIndex::Described& blob, int64_t by, int64_t low, int64_t high) {
    uint32_t offset = 0;
    size_t piece = 0;
    for (const BlobSignature::Run& run : blob.signature.runs) {
      for (uint32_t i = 0; i < run.count; ++i, ++piece, offset += run.length) {
        const int64_t at = offset + by;
        if (at < low || at + run.length > high || is_taken(static_cast<uint64_t>(at), run.length))
          continue;
        const auto begin = static_cast<uint64_t>(at);
        CB_ASSIGN(const PieceHash hash, keys_.piece_hash(region_.subspan(begin, run.length)));
        if (hash == blob.signature.pieces[piece])
          take(begin, {run.length, blob.blob, offset, hash});
      }
    }
    return {};
  }

  [[nodiscard]] bool is_taken(uint64_t begin, uint32_t length) const {
    const auto behind = found_.lower_bound(begin + length);
    if (behind == found_.begin()) return false;
    const auto& [at, found] = *std::prev(behind);
    return at + found.length > begin;
  }

  void take(uint64_t begin, const Found& found) {
    found_[begin] = found;
    found_bytes_ += found.length;
  }

  Status look_up_gap(FineIndex& index, const BlobUse& use, uint64_t begin, uint64_t end) {
    while (begin < end) {
      const auto length = static_cast<uint32_t>(std::min<uint64_t>(kFinePiece, end - begin));
      CB_ASSIGN(const PieceHash hash, keys_.piece_hash(region_.subspan(begin, length)));
      CB_ASSIGN(const bool is_found, look_up_piece(index, use, begin, {length, {}, 0, hash}));
      if (!is_found) new_[begin] = {length, hash};
      begin += length;
    }
    return {};
  }

  Result<bool> look_up_piece(FineIndex& index, const BlobUse& use, uint64_t begin, Found wanted) {
    CB_ASSIGN(const auto patch, index.with(wanted.hash));
    if (!patch) return false;
    uint32_t offset = 0;
    size_t piece = 0;
    for (const BlobSignature::Run& run : patch->signature.runs) {
      for (uint32_t i = 0; i < run.count; ++i, ++piece, offset += run.length) {
        if (run.length != wanted.length || patch->signature.pieces[piece] != wanted.hash) continue;
        if (!use.is_usable(patch->blob)) {
          use.is_of_patch(*patch, wanted.hash, region_.subspan(begin, wanted.length));
          return false;
        }
        wanted.blob = patch->blob;
        wanted.offset = offset;
        take(begin, wanted);
        return true;
      }
    }
    return false;
  }

  const repository::WriteKeys& keys_;
  ByteView region_;
  std::map<uint64_t, Found> found_;                         // by where they begin
  std::map<uint64_t, std::pair<uint32_t, PieceHash>> new_;  // the rest, once it was looked up
  uint64_t found_bytes_ = 0;
};

}  // namespace

Result<std::vector<RegionPart>> match_region(const repository::WriteKeys& keys, FineIndex& index,
                                             const BlobUse& use, ByteView region,
                                             const std::vector<Anchor>& anchors) {
  CB_ASSIGN(const auto alike, index.like(anchors, kMostAlike));
  RegionCover cover(keys, region);
  for (const FineIndex::Described& blob : alike) {
    if (cover.missing() < kWorthLooking) break;
    if (use.is_usable(blob.blob)) CB_TRY(cover.look_into(blob, anchors));
  }
  if (cover.missing() * 2 > region.size()) return std::vector<RegionPart>();
  CB_TRY(cover.look_up(index, use));
  cover.bound_blobs();
  if (cover.missing() * 2 > region.size()) return std::vector<RegionPart>();
  return cover.parts();
}

}  // namespace cb::client
