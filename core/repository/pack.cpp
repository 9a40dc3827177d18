// SPDX-License-Identifier: Apache-2.0
//
// Encoding and decoding of packs.
#include "core/repository/pack.h"

#include <algorithm>

namespace cb::repository {
namespace {

constexpr std::string_view kPackMagic = "CBPACK1\n";
constexpr std::string_view kRecordMagic = "CBbl";
constexpr std::string_view kVoidMagic = "CBvo";
constexpr std::string_view kEndMagic = "CBPACKE\n";

void append(Bytes& to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

template <typename T>
void append_le(Bytes& to, T value) {
  std::array<std::byte, sizeof(T)> bytes;
  store_le(bytes.data(), value);
  append(to, bytes);
}

void append_zero(Bytes& to, size_t count) { to.insert(to.end(), count, std::byte{0}); }

bool starts_with(ByteView bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && as_text(bytes.first(magic.size())) == magic;
}

bool all_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

template <typename Identity>
Identity id_at(ByteView bytes, size_t offset) {
  Identity id;
  std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(offset), Identity::kSize, id.bytes.begin());
  return id;
}

// kind, sizes and ids, as record and footer both have them.
void append_head(Bytes& to, const BlobHead& head) {
  to.push_back(static_cast<std::byte>(head.kind));
  append_zero(to, 3);
  append_le(to, head.stored_size);
  append_le(to, static_cast<uint32_t>(head.children.size()));
  append(to, head.id.view());
  append(to, head.session.view());
}

Error wrong_head(const BlobHead& head, std::string why) {
  return fail(Code::invalid, "blob " + head.id.hex(), std::move(why));
}

size_t most_stored(BlobKind kind) {
  constexpr size_t kEnvelope = kMaxStored - kMaxData;
  switch (kind) {
    case BlobKind::data:
      return kMaxStored;
    case BlobKind::snapshot:
    case BlobKind::session:
      return kMaxSnapshot + kEnvelope;
    default:
      return kMaxNode + kEnvelope;
  }
}

bool sealed_for_session(BlobKind kind) {
  return kind == BlobKind::data || kind == BlobKind::node || kind == BlobKind::snapshot;
}

bool right_child_count(BlobKind kind, size_t count) {
  switch (kind) {
    case BlobKind::data:
    case BlobKind::session:
      return count == 0;
    case BlobKind::signature:
    case BlobKind::snapshot:
      return count == 1;
    case BlobKind::recipe:
      return count >= 1 && count <= kMaxChildren;
    default:
      return count <= kMaxChildren;
  }
}

}  // namespace

std::string repository_prefix(const RepositoryId& repository) {
  return "v4/" + repository.hex() + "/";
}

std::string pack_prefix(const RepositoryId& repository) {
  return repository_prefix(repository) + "pack/";
}

std::string pack_object(const RepositoryId& repository, const PackName& pack) {
  const std::string name = pack.hex();
  return pack_prefix(repository) + name.substr(0, 2) + "/" + name;
}

PackClass class_of(BlobKind kind) {
  return kind == BlobKind::data || kind == BlobKind::signature ? PackClass::data : PackClass::other;
}

Status check_head(const BlobHead& head) {
  const auto kind = static_cast<uint8_t>(head.kind);
  if (kind < 1 || kind > 6) return failed(wrong_head(head, "has an unknown kind"));
  if (head.stored_size == 0) return failed(wrong_head(head, "has no stored bytes"));
  if (head.stored_size > most_stored(head.kind))
    return failed(wrong_head(head, "has more stored bytes than its kind may"));
  if (!right_child_count(head.kind, head.children.size()))
    return failed(wrong_head(head, "has a number of children that its kind may not"));
  if (sealed_for_session(head.kind) == head.session.is_zero())
    return failed(wrong_head(head, "names a session where none belongs, or none"));
  if (head.kind == BlobKind::session &&
      (!all_zero(head.id.view().subspan(SessionId::kSize)) || head.id.is_zero()))
    return failed(wrong_head(head, "is not the id of a session record"));
  return {};
}

DeviceTag tag_of(const DeviceId& device) {
  DeviceTag tag;
  std::copy_n(device.bytes.begin(), tag.size(), tag.begin());
  return tag;
}

Bytes encode_pack_header(const PackHeader& header) {
  Bytes bytes = to_bytes(as_bytes(kPackMagic));
  bytes.push_back(static_cast<std::byte>(header.kind));
  bytes.push_back(static_cast<std::byte>(header.domain));
  append(bytes, header.device);
  append(bytes, header.repository.view());
  append(bytes, header.name.view());
  return bytes;
}

Result<PackHeader> decode_pack_header(ByteView bytes) {
  if (bytes.size() != kPackHeaderSize || !starts_with(bytes, kPackMagic))
    return failed(Code::corrupt, "pack", "does not begin as packs do");
  const auto kind = std::to_integer<uint8_t>(bytes[8]);
  const auto domain = static_cast<PackDomain>(bytes[9]);
  const ByteView tag = bytes.subspan(10, kDeviceTagSize);
  const bool tells = domain == PackDomain::device || all_zero(tag);
  if (kind < 1 || kind > 2 || domain > PackDomain::device || !tells)
    return failed(Code::corrupt, "pack", "is of an unknown class or domain");
  PackHeader header{static_cast<PackClass>(kind),
                    id_at<RepositoryId>(bytes, 16),
                    id_at<PackName>(bytes, 32),
                    domain,
                    {}};
  std::copy(tag.begin(), tag.end(), header.device.begin());
  return header;
}

Bytes encode_record(const BlobHead& head) {
  Bytes bytes;
  bytes.reserve(record_size(head.children.size()));
  append(bytes, as_bytes(kRecordMagic));
  append_head(bytes, head);
  for (const BlobId& child : head.children) append(bytes, child.view());
  append_le(bytes, crc32c(bytes));
  return bytes;
}

std::optional<size_t> record_size_at(ByteView fixed) {
  if (fixed.size() < kRecordFixedSize || !starts_with(fixed, kRecordMagic)) return std::nullopt;
  const auto children = load_le<uint32_t>(fixed.data() + 12);
  if (children > kMaxChildren) return std::nullopt;
  return record_size(children);
}

Result<BlobHead> decode_record(ByteView bytes) {
  const std::optional<size_t> size = record_size_at(bytes);
  if (!size || *size != bytes.size())
    return failed(Code::corrupt, "record of a pack", "does not begin as records do");
  const size_t body = bytes.size() - kRecordCheckSize;
  if (load_le<uint32_t>(bytes.data() + body) != crc32c(bytes.first(body)))
    return failed(Code::corrupt, "record of a pack", "does not have the check that it should");
  BlobHead head;
  head.kind = static_cast<BlobKind>(bytes[4]);
  head.stored_size = load_le<uint32_t>(bytes.data() + 8);
  head.id = id_at<BlobId>(bytes, 16);
  head.session = id_at<SessionId>(bytes, 48);
  for (size_t at = kRecordFixedSize; at < body; at += BlobId::kSize)
    head.children.push_back(id_at<BlobId>(bytes, at));
  if (!all_zero(bytes.subspan(5, 3)) || !check_head(head))
    return failed(Code::corrupt, "record of a pack", "describes a blob that cannot be");
  return head;
}

Bytes encode_void(uint64_t offset) {
  Bytes bytes = to_bytes(as_bytes(kVoidMagic));
  append_zero(bytes, 4);
  append_le(bytes, offset);
  append_le(bytes, crc32c(bytes));
  return bytes;
}

Bytes encode_footer(std::span<const PackedBlob> blobs) {
  Bytes bytes;
  bytes.reserve(blobs.size() * kFooterEntrySize);
  for (const PackedBlob& blob : blobs) {
    append_le(bytes, blob.offset);
    append_head(bytes, blob.head);
  }
  return bytes;
}

Bytes encode_end(uint32_t entries, const ChecksumBytes& digest) {
  Bytes bytes;
  append_le(bytes, entries);
  append(bytes, digest);
  append(bytes, as_bytes(kEndMagic));
  return bytes;
}

Result<PackEnd> decode_end(ByteView bytes) {
  if (bytes.size() != kPackEndSize || !starts_with(bytes.subspan(20), kEndMagic))
    return failed(Code::corrupt, "pack", "does not end as packs do");
  PackEnd end;
  end.entries = load_le<uint32_t>(bytes.data());
  std::copy_n(bytes.begin() + 4, kChecksumSize, end.digest.begin());
  return end;
}

FooterEntry entry_of(const PackedBlob& blob) {
  return {blob.offset,           blob.head.kind,
          blob.head.stored_size, static_cast<uint32_t>(blob.head.children.size()),
          blob.head.id,          blob.head.session};
}

Result<FooterEntry> decode_entry(ByteView bytes) {
  if (bytes.size() != kFooterEntrySize)
    return failed(Code::corrupt, "footer of a pack", "has an entry of a wrong size");
  FooterEntry entry;
  entry.offset = load_le<uint64_t>(bytes.data());
  entry.kind = static_cast<BlobKind>(bytes[8]);
  entry.stored_size = load_le<uint32_t>(bytes.data() + 12);
  entry.child_count = load_le<uint32_t>(bytes.data() + 16);
  entry.id = id_at<BlobId>(bytes, 20);
  entry.session = id_at<SessionId>(bytes, 52);
  const auto kind = std::to_integer<uint8_t>(bytes[8]);
  if (kind < 1 || kind > 6 || !all_zero(bytes.subspan(9, 3)))
    return failed(Code::corrupt, "footer of a pack", "names a blob of an unknown kind");
  return entry;
}

}  // namespace cb::repository
