// SPDX-License-Identifier: Apache-2.0
#include "core/client/bundle.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace cb::client {
namespace {

// So many blobs are watched; 100,000 hold some 100 GiB of small files.
constexpr size_t kMostWatched = 100'000;

}  // namespace

void PieceStream::open() {
  piece_ = std::make_shared<Piece>();
  piece_began_ = position_;
  buffer_ = Bytes();
  // Most pieces are not longer.
  buffer_.reserve(repository::kIdHeadroom + usual_);
  buffer_.resize(repository::kIdHeadroom);
}

Status PieceStream::append(ByteView data, std::vector<Stretch>& to) {
  while (!data.empty()) {
    if (!piece_) open();
    const uint64_t offset = buffer_.size() - repository::kIdHeadroom;
    bool ended = false;
    const size_t taken = cut_.take(data, ended);
    // Two sizes of buffers leave fewer holes behind than any.
    if (buffer_.size() + taken > buffer_.capacity()) buffer_.reserve(most_);
    const auto begin = data.begin();
    buffer_.insert(buffer_.end(), begin, begin + static_cast<std::ptrdiff_t>(taken));
    const bool goes_on =
        !to.empty() && to.back().piece == piece_ && to.back().offset + to.back().length == offset;
    if (goes_on)
      to.back().length += taken;
    else
      to.push_back({taken, piece_, offset});
    data = data.subspan(taken);
    position_ += taken;
    if (ended) CB_TRY(hand_over());
  }
  return {};
}

void PieceStream::skip(uint64_t length, std::vector<Stretch>& to) {
  position_ += length;
  append_hole(length, to);
}

Status PieceStream::end() {
  cut_.restart();
  return piece_ ? hand_over() : Status();
}

Status PieceStream::hand_over() {
  const auto piece = std::exchange(piece_, nullptr);
  if (content_ == Content::of_one_file)
    return line_.region(piece, std::move(buffer_), piece_began_);
  return line_.data(piece, std::move(buffer_));
}

void append_hole(uint64_t length, std::vector<Stretch>& to) {
  if (length == 0) return;
  if (!to.empty() && !to.back().piece)
    to.back().length += length;
  else
    to.push_back({length, nullptr, 0});
}

BundleTable::BundleTable(const std::vector<BundleUse>& last) {
  for (const BundleUse& use : last)
    table_[use.blob] = {use.size, 0, uint64_t{use.used} * 2 < use.size};
}

bool BundleTable::wasteful(const repository::BlobId& blob) const {
  const auto found = table_.find(short_id(blob));
  return found != table_.end() && found->second.wasteful;
}

void BundleTable::use(const repository::BlobId& blob, uint64_t length, uint32_t size) {
  const ShortId id = short_id(blob);
  auto found = table_.find(id);
  if (found == table_.end()) {
    if (table_.size() >= kMostWatched) return;
    found = table_.emplace(id, Use{}).first;
  }
  Use& use = found->second;
  use.size = std::max(use.size, size);
  use.used = static_cast<uint32_t>(
      std::min<uint64_t>(use.used + length, std::numeric_limits<uint32_t>::max()));
}

std::vector<BundleUse> BundleTable::uses() const {
  std::vector<BundleUse> result;
  for (const auto& [id, use] : table_)
    if (use.used > 0) result.push_back({id, use.size, use.used});
  return result;
}

}  // namespace cb::client
