// SPDX-License-Identifier: Apache-2.0
//
// See pack_scanner.h.
#include "core/repository/pack_scanner.h"

#include <algorithm>

namespace cb::repository {
namespace {

constexpr size_t kPiece = 64 * 1024;
// What a scan reads of damaged blobs, in sizes of the pack: a hostile one could have each of a
// million records claim the megabytes that follow.
constexpr uint64_t kMostRereads = 16;

Error damaged(std::string why) { return fail(Code::corrupt, "pack", std::move(why)); }

// The record at `offset`; nothing when there is none that is whole.
Result<std::optional<BlobHead>> record_at(PackBytes& pack, uint64_t offset, uint64_t end) {
  if (end - offset < kRecordFixedSize) return std::nullopt;
  Bytes bytes(kRecordFixedSize);
  CB_TRY(pack.read(offset, bytes));
  const std::optional<size_t> size = record_size_at(bytes);
  if (!size || *size > end - offset) return std::nullopt;
  bytes.resize(*size);
  CB_TRY(pack.read(offset + kRecordFixedSize, ByteSpan(bytes).subspan(kRecordFixedSize)));
  auto head = decode_record(bytes);
  if (!head) return std::nullopt;
  return std::move(*head);
}

// Are the stored bytes at `offset` those of their checksum?
Result<bool> content_is_right(PackBytes& pack, uint64_t offset, uint32_t stored, uint64_t end) {
  if (end - offset < uint64_t{stored} + kChecksumSize) return false;
  Checksum checksum;
  Bytes piece(std::min<size_t>(kPiece, stored));
  for (uint64_t left = stored; left > 0;) {
    const ByteSpan part = ByteSpan(piece).first(std::min<size_t>(piece.size(), left));
    CB_TRY(pack.read(offset, part));
    checksum.update(part);
    offset += part.size();
    left -= part.size();
  }
  ChecksumBytes expected{};
  CB_TRY(pack.read(offset, expected));
  return expected == checksum.value();
}

// The next place from `offset` on where a whole record begins; `end` when there is none.
Result<uint64_t> next_record(PackBytes& pack, uint64_t offset, uint64_t end) {
  constexpr std::string_view kMagic = "CBbl";
  while (end - offset >= kRecordFixedSize) {
    Bytes piece(std::min<uint64_t>(kPiece, end - offset));
    CB_TRY(pack.read(offset, piece));
    const std::string_view text = as_text(piece);
    for (size_t at = text.find(kMagic); at != std::string_view::npos;
         at = text.find(kMagic, at + 1)) {
      CB_ASSIGN(const auto head, record_at(pack, offset + at, end));
      if (head) return offset + at;
    }
    if (piece.size() < kPiece) return end;
    offset += piece.size() - (kMagic.size() - 1);
  }
  return end;
}

}  // namespace

Result<StoredPack> StoredPack::open(plugin::Store& store, std::string object) {
  CB_ASSIGN(const plugin::StoredObject found, store.stat(object));
  return StoredPack(store, std::move(object), found.length);
}

Status StoredPack::read(uint64_t offset, ByteSpan into) {
  if (!get_ || position_ != offset) {
    get_.reset();
    CB_ASSIGN(get_, store_->get_open(object_, offset));
    position_ = offset;
  }
  while (!into.empty()) {
    CB_ASSIGN(const size_t got, get_->read(into));
    if (got == 0) return failed(Code::corrupt, object_, "is shorter than the store said");
    position_ += got;
    into = into.subspan(got);
  }
  return {};
}

Result<PackHeader> read_header(PackBytes& pack) {
  if (pack.size() < kPackHeaderSize) return failed(damaged("is too short to be a pack"));
  Bytes bytes(kPackHeaderSize);
  CB_TRY(pack.read(0, bytes));
  return decode_pack_header(bytes);
}

Result<PackFooter> read_footer(PackBytes& pack) {
  if (pack.size() < kPackHeaderSize + kPackEndSize)
    return failed(damaged("is too short to be a pack"));
  PackFooter footer;
  CB_ASSIGN(footer.header, read_header(pack));
  const uint64_t end_at = pack.size() - kPackEndSize;
  Bytes bytes(kPackEndSize);
  CB_TRY(pack.read(end_at, bytes));
  CB_ASSIGN(const PackEnd end, decode_end(bytes));
  const uint64_t entries_size = uint64_t{end.entries} * kFooterEntrySize;
  if (entries_size > end_at - kPackHeaderSize)
    return failed(damaged("has a footer that is longer than itself"));
  footer.digest = end.digest;
  footer.offset = end_at - entries_size;
  uint64_t least = kPackHeaderSize;
  bytes.resize(kFooterEntrySize);
  for (uint32_t i = 0; i < end.entries; ++i) {
    CB_TRY(pack.read(footer.offset + uint64_t{i} * kFooterEntrySize, bytes));
    CB_ASSIGN(const FooterEntry entry, decode_entry(bytes));
    const uint64_t size = packed_size(entry.child_count, entry.stored_size);
    if (entry.child_count > kMaxChildren || entry.offset < least || entry.offset > footer.offset ||
        size > footer.offset - entry.offset)
      return failed(damaged("has a footer that names blobs where none can be"));
    least = entry.offset + size;
    footer.entries.push_back(entry);
  }
  return footer;
}

Result<Bytes> read_content(PackBytes& pack, const FooterEntry& entry) {
  const std::string object = "blob " + entry.id.hex();
  const uint64_t size = packed_size(entry.child_count, entry.stored_size);
  if (size > pack.size() || entry.offset > pack.size() - size)
    return failed(Code::corrupt, object, "lies behind the end of its pack");
  const uint64_t at = entry.offset + record_size(entry.child_count);
  Bytes stored(entry.stored_size);
  CB_TRY(pack.read(at, stored));
  ChecksumBytes expected{};
  CB_TRY(pack.read(at + stored.size(), expected));
  Checksum checksum;
  checksum.update(stored);
  if (checksum.value() == expected) return stored;
  return failed(Code::corrupt, object, "does not have the checksum it should");
}

Status verify_digest(PackBytes& pack) {
  if (pack.size() < kPackHeaderSize + kPackEndSize)
    return failed(damaged("is too short to be a pack"));
  const uint64_t end_at = pack.size() - kPackEndSize;
  Checksum checksum;
  Bytes piece(kPiece);
  for (uint64_t offset = 0; offset < end_at;) {
    const ByteSpan part = ByteSpan(piece).first(std::min<uint64_t>(kPiece, end_at - offset));
    CB_TRY(pack.read(offset, part));
    checksum.update(part);
    offset += part.size();
  }
  piece.resize(kPackEndSize);
  CB_TRY(pack.read(end_at, piece));
  CB_ASSIGN(const PackEnd end, decode_end(piece));
  if (end.digest != checksum.value()) return failed(damaged("does not have the digest it should"));
  return {};
}

Result<PackScan> scan_pack(PackBytes& pack, uint64_t end) {
  PackScan scan;
  end = std::min(end, pack.size());
  uint64_t reread = 0;
  for (uint64_t offset = kPackHeaderSize; offset < end;) {
    CB_ASSIGN(auto head, record_at(pack, offset, end));
    if (!head) {
      // Behind a void record this is how a cut blob looks too.
      scan.damaged.push_back({offset, std::nullopt});
      CB_ASSIGN(offset, next_record(pack, offset + 1, end));
      continue;
    }
    const uint64_t content = offset + record_size(head->children.size());
    CB_ASSIGN(const bool right, content_is_right(pack, content, head->stored_size, end));
    if (right) {
      const uint64_t next = content + head->stored_size + kChecksumSize;
      scan.blobs.push_back({offset, std::move(*head)});
      offset = next;
      continue;
    }
    if (end - content >= head->stored_size) reread += head->stored_size;
    scan.damaged.push_back({offset, std::move(head)});
    if (reread > kMostRereads * pack.size()) return scan;
    CB_ASSIGN(offset, next_record(pack, content, end));
  }
  return scan;
}

}  // namespace cb::repository
