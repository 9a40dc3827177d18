// SPDX-License-Identifier: Apache-2.0
//
// The messages of protocol v3: codes, text fields and payload layouts, one codec for both sides.
// Parsers look at a payload and copy what they keep, unless they return a view. Functions are pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/id.h"
#include "core/protocol/header.h"

namespace cb::v3 {

constexpr uint8_t kVersion = 3;
constexpr uint16_t kDefaultPort = 1256;

constexpr size_t kTextFieldSize = 255;
constexpr size_t kPublicKeyFieldSize = 160;
constexpr size_t kWrappedKeySize = 128;  // an AES key under RSA-1024

// Sizes of payloads, or of the fixed part before the content.
constexpr size_t kNamePayloadSize = kTextFieldSize;
constexpr size_t kPublicKeyPayloadSize = kTextFieldSize + kPublicKeyFieldSize;  // at least
constexpr size_t kFileHeadSize = 267;
constexpr size_t kFileHead2023Size = 259;
constexpr size_t kKeyReplySize = ClientId::kSize + kWrappedKeySize;
constexpr size_t kFileReplySize = 279;

// What a client asks.
enum class Request : uint16_t {
  sign_up = 1025,           // name
  send_key = 1026,          // name, public key
  reconnect = 1027,         // name
  send_file = 1028,         // file head, content
  checksum_right = 1029,    // file name
  checksum_retry = 1030,    // file name; the file follows again
  checksum_give_up = 1031,  // file name
};

// What a server answers; the numbers of the usual dialect.
enum class Reply : uint16_t {
  signed_up = 1600,          // id
  sign_up_refused = 1601,    // nothing
  key = 1602,                // id, AES key under RSA
  file_received = 1603,      // id, content size, file name, cksum
  acknowledged = 1604,       // id
  reconnected = 1605,        // as key
  reconnect_refused = 1606,  // id, or nothing
  error = 1607,              // nothing
};

// The dialect of 2023 numbers its replies 2100..2107 and has a shorter file head.
enum class Dialect { usual, of_2023 };

// The request that a code stands for, the aliases 825..828 and 900..902 included; none if unknown.
std::optional<Request> request_of(uint16_t code);

// The reply that a code of either dialect stands for; none if unknown.
std::optional<Reply> reply_of(uint16_t code);

uint16_t code_of(Request request);
uint16_t code_of(Reply reply, Dialect dialect = Dialect::usual);

// "1028 send file", for messages to people.
std::string_view name_of(Request request);
std::string_view name_of(Reply reply);

// 255 bytes: text, then zero bytes; a text of 255 bytes leaves no zero.
using TextField = std::array<std::byte, kTextFieldSize>;

// The bytes before the first zero; valid as long as the field.
std::string_view text_in(ByteView field);

// Code::limit when `text` has more than 255 bytes, Code::invalid when it holds a zero byte.
Result<TextField> text_field(std::string_view text);

// The field at the start of a payload; Code::corrupt when the payload is shorter.
Result<TextField> parse_text_field(ByteView payload);

// 1026. `key` is a view into the payload: the DER of the key by its own length, without what
// follows it in the field.
struct PublicKeyMessage {
  TextField name{};
  ByteView key;
};

// Takes payloads of 415 bytes or more. Code::corrupt when shorter, or when the field does not begin
// with a DER sequence of 160 or 162 bytes that fits.
Result<PublicKeyMessage> parse_public_key(ByteView payload);

// The first 267 bytes of 1028.
struct FileHead {
  uint32_t content_size = 0;   // of this packet, or of the whole ciphertext: senders differ
  uint32_t original_size = 0;  // of the plain file
  uint16_t packet = 0;         // counted from 1; one client counts from 0
  uint16_t total = 0;
  TextField name{};

  bool operator==(const FileHead&) const = default;
};

using FileHeadBytes = std::array<std::byte, kFileHeadSize>;
FileHead decode_file_head(std::span<const std::byte, kFileHeadSize> from);
FileHeadBytes encode(const FileHead& head);

// The first 259 bytes of 1028 in the dialect of 2023, whose header counts only these;
// `content_size` bytes follow outside the counted payload.
struct FileHead2023 {
  uint32_t content_size = 0;
  TextField name{};

  bool operator==(const FileHead2023&) const = default;
};

using FileHead2023Bytes = std::array<std::byte, kFileHead2023Size>;
FileHead2023 decode_file_head_2023(std::span<const std::byte, kFileHead2023Size> from);
FileHead2023Bytes encode(const FileHead2023& head);

// 1602 and 1605.
struct KeyReply {
  ClientId client;
  std::array<std::byte, kWrappedKeySize> wrapped_key{};

  bool operator==(const KeyReply&) const = default;
};

// Code::corrupt below 144 bytes; what is longer is ignored.
Result<KeyReply> parse_key_reply(ByteView payload);
std::array<std::byte, kKeyReplySize> encode(const KeyReply& reply);

// 1603.
struct FileReply {
  ClientId client;
  uint32_t content_size = 0;  // the whole ciphertext (plain size in some dialects)
  TextField name{};           // the field of the request, byte for byte
  uint32_t cksum = 0;

  bool operator==(const FileReply&) const = default;
};

// Code::corrupt below 279 bytes; what is longer is ignored.
Result<FileReply> parse_file_reply(ByteView payload);
std::array<std::byte, kFileReplySize> encode(const FileReply& reply);

// The id at the start of 1600; Code::corrupt below 16 bytes.
Result<ClientId> parse_id_reply(ByteView payload);

// The id in 1604 or 1606; none when the payload is shorter than an id.
std::optional<ClientId> parse_optional_id(ByteView payload);

// Size of the ciphertext of a file: AES-CBC with PKCS#7 adds 1 to 16 bytes.
constexpr uint64_t ciphertext_size(uint64_t plain_size) { return 16 * (plain_size / 16 + 1); }

// A whole request or response: header, then `parts` of its payload one after the other.
Bytes request_bytes(const ClientId& client, Request request,
                    std::initializer_list<ByteView> parts = {});
Bytes response_bytes(Reply reply, std::initializer_list<ByteView> parts = {},
                     Dialect dialect = Dialect::usual);

}  // namespace cb::v3
