// SPDX-License-Identifier: Apache-2.0
//
// Packs byte by byte (docs/repository-format.md, "Packs"): names, records, footers. Functions are
// pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/repository/blob.h"
#include "core/repository/pack_checks.h"

namespace cb::repository {

enum class PackClass : uint8_t { data = 1, other = 2 };

constexpr size_t kPackHeaderSize = 48;
constexpr size_t kRecordFixedSize = 64;  // of a record before children and check
constexpr size_t kRecordCheckSize = 4;
constexpr size_t kVoidSize = 20;
constexpr size_t kFooterEntrySize = 68;
constexpr size_t kPackEndSize = 28;

// What of a pack is listed in memory stays small: it is closed with so many.
constexpr size_t kMostPackBlobs = 1024;
constexpr size_t kMostPackChildren = 4096;

// A blob and where its record begins in its pack.
struct PackedBlob {
  uint64_t offset = 0;
  BlobHead head;

  bool operator==(const PackedBlob&) const = default;
};

// Names of objects.
std::string repository_prefix(const RepositoryId& repository);  // "v4/<repository>/"
std::string pack_prefix(const RepositoryId& repository);
std::string pack_object(const RepositoryId& repository, const PackName& pack);

// The id that the name of an object ends with; nothing for any other name.
template <typename IdType>
std::optional<IdType> id_in(std::string_view object) {
  const auto id = IdType::from_hex_text(object.substr(object.rfind('/') + 1));
  if (!id || !object.ends_with(id->hex())) return std::nullopt;
  return *id;
}

PackClass class_of(BlobKind kind);
// Bytes of a record before the stored bytes.
constexpr size_t record_size(size_t children) {
  return kRecordFixedSize + children * BlobId::kSize + kRecordCheckSize;
}
// Bytes that a blob takes in a pack.
constexpr uint64_t packed_size(size_t children, uint64_t stored) {
  return record_size(children) + stored + kChecksumSize;
}

// The same with its place in the footer, and the void record that it leaves when it is cut off.
constexpr uint64_t most_packed_size(size_t children, uint64_t stored) {
  return packed_size(children, stored) + kFooterEntrySize + kVoidSize;
}

// May a blob look like this? Code::invalid says what is wrong: its kind, a size, its children, a
// session where none belongs or none where one does.
Status check_head(const BlobHead& head);

// Who may lean on a pack's blobs, before an owner verified any (docs/trust.md): the server's note,
// for the day when the catalog is lost.
enum class PackDomain : uint8_t { open = 0, shared = 1, device = 2 };
constexpr size_t kDeviceTagSize = 6;
using DeviceTag = std::array<std::byte, kDeviceTagSize>;  // how a device's id begins
DeviceTag tag_of(const DeviceId& device);

struct PackHeader {
  PackClass kind = PackClass::data;
  RepositoryId repository;
  PackName name;
  PackDomain domain = PackDomain::open;
  DeviceTag device{};  // of PackDomain::device; else zero
};
Bytes encode_pack_header(const PackHeader& header);
Result<PackHeader> decode_pack_header(ByteView bytes);

Bytes encode_record(const BlobHead& head);
// How long the record is that begins with these kRecordFixedSize bytes; nothing when none does.
std::optional<size_t> record_size_at(ByteView fixed);
// The record in exactly these bytes; Code::corrupt when its check is wrong or its head impossible.
Result<BlobHead> decode_record(ByteView bytes);

Bytes encode_void(uint64_t offset);

// Footer and end; `digest` is of everything before the end, so it is given the footer first.
Bytes encode_footer(std::span<const PackedBlob> blobs);
Bytes encode_end(uint32_t entries, const ChecksumBytes& digest);

struct PackEnd {
  uint32_t entries = 0;
  ChecksumBytes digest{};
};
Result<PackEnd> decode_end(ByteView bytes);

// One entry of a footer. Children are not in it, only their count.
struct FooterEntry {
  uint64_t offset = 0;
  BlobKind kind = BlobKind::data;
  uint32_t stored_size = 0;
  uint32_t child_count = 0;
  BlobId id;
  SessionId session;

  bool operator==(const FooterEntry&) const = default;
};
FooterEntry entry_of(const PackedBlob& blob);
Result<FooterEntry> decode_entry(ByteView bytes);

}  // namespace cb::repository
