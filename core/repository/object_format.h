// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a stored upload, as docs/upload-format.md lays them down: object names, the header,
// what is bound into every chunk, and the frames inside the seal. Functions are pure; a FrameReader
// is used by one thread at a time.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/id.h"

namespace cb::repository {

constexpr size_t kPrefixSize = 20;      // of the header, before its two variable parts
constexpr size_t kFrameHeaderSize = 8;  // plain size, stored size and flag
constexpr size_t kFramePlain = 65536;   // most plain bytes in a frame
constexpr size_t kNameRandomSize = 16;  // bytes of randomness in an object name

// Where an object belongs. Views must outlive it.
struct Place {
  ClientId client;
  std::string_view file_name;
  std::string_view object;
};

// "v3/<client>/<random>" in lower-case hex.
std::string object_name(const ClientId& client, ByteView random);

// The place as bytes: context of the key encapsulation, and first part of the associated data.
Bytes encode_place(const Place& place);

// The header without the seal header's bytes, which the suite writes.
struct Header {
  uint32_t chunk_plain = 0;
  uint16_t seal_header_size = 0;
  Bytes kem_cipher;
};

// The fixed part and the KEM cipher, in wire order. Code::limit when a part is longer than 65,535.
Result<Bytes> encode_header(const Header& header);

// Sizes of what follows the fixed part.
struct Prefix {
  uint32_t chunk_plain = 0;
  uint16_t kem_cipher_size = 0;
  uint16_t seal_header_size = 0;
};

// Reads the fixed part. Code::corrupt when it is none, Code::unsupported for another version.
Result<Prefix> decode_prefix(std::span<const std::byte, kPrefixSize> bytes);

// Associated data of every chunk: the place, then all of encode_header.
Bytes associated_data(const Place& place, ByteView header);

// One frame as it lies in the sealed plaintext.
struct Frame {
  uint32_t plain_size = 0;  // 1..kFramePlain
  bool compressed = false;
  ByteView stored;  // plain_size bytes, or fewer when compressed
};

// Writes the eight bytes before a frame's stored bytes.
void encode_frame_header(const Frame& frame, std::span<std::byte, kFrameHeaderSize> out);

// Cuts opened chunks, in order, into frames. Keeps at most one frame and what is fed.
class FrameReader {
 public:
  using Sink = std::function<Status(const Frame&)>;

  // Gives every frame that is complete with `plaintext`. Code::corrupt on an impossible frame.
  Status feed(ByteView plaintext, const Sink& sink);
  // Code::corrupt when the plaintext ended inside a frame.
  [[nodiscard]] Status end() const;

 private:
  Bytes pending_;
};

}  // namespace cb::repository
