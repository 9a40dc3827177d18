// SPDX-License-Identifier: Apache-2.0
#include "core/server/v3_spool.h"

#include <algorithm>
#include <array>

namespace cb::server {
namespace {

// The file begins with a slot for each packet number; never written ones are holes.
constexpr uint64_t kSlotSize = 16;
constexpr uint64_t kDataBegin = 65536 * kSlotSize;
constexpr size_t kPiece = 65536;

}  // namespace

V3Spool::V3Spool(os::FileSystem& files, os::Path folder, uint64_t budget)
    : files_(files), folder_(std::move(folder)), budget_(budget), end_(kDataBegin) {}

Status V3Spool::begin(uint16_t number) {
  if (!file_) {
    CB_ASSIGN(file_, files_.open_unnamed(folder_));
  }
  number_ = number;
  begin_ = end_;
  return {};
}

Status V3Spool::append(ByteView content) {
  if (end_ - kDataBegin + content.size() > budget_)
    return failed(Code::limit, "upload", "has too many packets out of order");
  CB_TRY(file_->write_at(content, end_));
  end_ += content.size();
  return {};
}

Status V3Spool::end() { return set_slot(number_, Slot{begin_, end_ - begin_ + 1}); }

Result<bool> V3Spool::take(uint16_t number, const std::function<Status(ByteView)>& sink) {
  if (!file_) return false;
  CB_ASSIGN(const Slot slot, slot_of(number));
  if (slot.length == 0) return false;
  Bytes piece(kPiece);
  uint64_t at = slot.offset;
  const uint64_t stop = slot.offset + slot.length - 1;
  while (at < stop) {
    const ByteSpan room = ByteSpan(piece).first(std::min<uint64_t>(kPiece, stop - at));
    CB_ASSIGN(const size_t got, file_->read_at(room, at));
    if (got == 0) return failed(Code::io, folder_.string(), "a spooled packet cannot be read back");
    CB_TRY(sink(room.first(got)));
    at += got;
  }
  CB_TRY(set_slot(number, Slot{}));
  return true;
}

Result<V3Spool::Slot> V3Spool::slot_of(uint16_t number) {
  std::array<std::byte, kSlotSize> raw{};
  CB_ASSIGN(const size_t got, file_->read_at(raw, number * kSlotSize));
  if (got < raw.size()) return Slot{};
  return Slot{load_le<uint64_t>(raw.data()), load_le<uint64_t>(raw.data() + 8)};
}

Status V3Spool::set_slot(uint16_t number, Slot slot) {
  std::array<std::byte, kSlotSize> raw{};
  store_le(raw.data(), slot.offset);
  store_le(raw.data() + 8, slot.length);
  return file_->write_at(raw, number * kSlotSize);
}

}  // namespace cb::server
