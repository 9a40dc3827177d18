// SPDX-License-Identifier: Apache-2.0
//
// Encoding and decoding of stored uploads (docs/upload-format.md).
#include "core/repository/object_format.h"

#include <algorithm>
#include <limits>

namespace cb::repository {
namespace {

constexpr std::string_view kMagic = "cbupload";
constexpr uint16_t kVersion = 1;
constexpr std::string_view kPlaceLabel = "cyberbackup upload 1";
constexpr uint32_t kCompressedFlag = 0x8000'0000;
constexpr size_t kMaxPart = std::numeric_limits<uint16_t>::max();

void append(Bytes& to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

void append_sized(Bytes& to, std::string_view text) {
  std::array<std::byte, 2> size{};
  store_le(size.data(), static_cast<uint16_t>(text.size()));
  append(to, size);
  append(to, as_bytes(text));
}

Result<Frame> decode_frame_header(ByteView bytes) {
  Frame frame;
  frame.plain_size = load_le<uint32_t>(bytes.data());
  const auto stored = load_le<uint32_t>(bytes.data() + 4);
  frame.compressed = (stored & kCompressedFlag) != 0;
  const uint32_t size = stored & ~kCompressedFlag;
  const bool fits =
      frame.compressed ? size > 0 && size < frame.plain_size : size == frame.plain_size;
  if (frame.plain_size == 0 || frame.plain_size > kFramePlain || !fits)
    return failed(Code::corrupt, "upload",
                  "holds a frame of " + std::to_string(size) + " bytes for " +
                      std::to_string(frame.plain_size) + " plain ones");
  frame.stored = {bytes.data() + kFrameHeaderSize, size};
  return frame;
}

}  // namespace

std::string object_name(const ClientId& client, ByteView random) {
  return "v3/" + client.hex() + "/" + to_hex(random);
}

Bytes encode_place(const Place& place) {
  Bytes bytes;
  append(bytes, as_bytes(kPlaceLabel));
  append(bytes, place.client.view());
  append_sized(bytes, place.object);
  append_sized(bytes, place.file_name);
  return bytes;
}

Result<Bytes> encode_header(const Header& header) {
  if (header.kem_cipher.size() > kMaxPart)
    return failed(Code::limit, "upload", "the crypto plugin's encapsulated key is too long");
  Bytes bytes(kPrefixSize);
  std::copy(kMagic.begin(), kMagic.end(), reinterpret_cast<char*>(bytes.data()));
  store_le(bytes.data() + 8, kVersion);
  store_le(bytes.data() + 10, uint16_t{0});
  store_le(bytes.data() + 12, header.chunk_plain);
  store_le(bytes.data() + 16, static_cast<uint16_t>(header.kem_cipher.size()));
  store_le(bytes.data() + 18, header.seal_header_size);
  append(bytes, header.kem_cipher);
  return bytes;
}

Result<Prefix> decode_prefix(std::span<const std::byte, kPrefixSize> bytes) {
  if (as_text(bytes.first(kMagic.size())) != kMagic)
    return failed(Code::corrupt, "upload", "does not start like an upload");
  const auto version = load_le<uint16_t>(bytes.data() + 8);
  const auto flags = load_le<uint16_t>(bytes.data() + 10);
  if (version != kVersion || flags != 0)
    return failed(Code::unsupported, "upload",
                  "has format version " + std::to_string(version) + " and flags " +
                      std::to_string(flags) + ", this program reads version 1 without flags",
                  "use the program that wrote it, or a newer one");
  Prefix prefix;
  prefix.chunk_plain = load_le<uint32_t>(bytes.data() + 12);
  prefix.kem_cipher_size = load_le<uint16_t>(bytes.data() + 16);
  prefix.seal_header_size = load_le<uint16_t>(bytes.data() + 18);
  return prefix;
}

Bytes associated_data(const Place& place, ByteView header) {
  Bytes bytes = encode_place(place);
  append(bytes, header);
  return bytes;
}

void encode_frame_header(const Frame& frame, std::span<std::byte, kFrameHeaderSize> out) {
  const auto size = static_cast<uint32_t>(frame.stored.size());
  store_le(out.data(), frame.plain_size);
  store_le(out.data() + 4, size | (frame.compressed ? kCompressedFlag : 0));
}

Status FrameReader::feed(ByteView plaintext, const Sink& sink) {
  append(pending_, plaintext);
  ByteView rest = pending_;
  while (rest.size() >= kFrameHeaderSize) {
    CB_ASSIGN(const Frame frame, decode_frame_header(rest));
    const size_t whole = kFrameHeaderSize + frame.stored.size();
    if (rest.size() < whole) break;
    CB_TRY(sink(frame));
    rest = rest.subspan(whole);
  }
  pending_.erase(pending_.begin(), pending_.end() - static_cast<ptrdiff_t>(rest.size()));
  return {};
}

Status FrameReader::end() const {
  if (pending_.empty()) return {};
  return failed(Code::corrupt, "upload", "ends inside a frame");
}

}  // namespace cb::repository
