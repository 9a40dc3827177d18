// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v3/messages.h"

#include <algorithm>

namespace cb::v3 {
namespace {

constexpr uint16_t kReply2023Offset = 500;

template <size_t Size>
std::array<std::byte, Size> take(ByteView from, size_t at) {
  std::array<std::byte, Size> out{};
  std::copy_n(from.begin() + static_cast<ptrdiff_t>(at), Size, out.begin());
  return out;
}

template <typename Out>
void put(Out& out, size_t at, ByteView from) {
  std::copy(from.begin(), from.end(), out.begin() + static_cast<ptrdiff_t>(at));
}

tl::unexpected<Error> too_short(std::string_view what, size_t size, size_t need) {
  return failed(Code::corrupt, std::string(what),
                "has " + std::to_string(size) + " bytes, needs at least " + std::to_string(need));
}

void append(Bytes& out, ByteView part) { out.insert(out.end(), part.begin(), part.end()); }

size_t total_size(std::initializer_list<ByteView> parts) {
  size_t sum = 0;
  for (const ByteView part : parts) sum += part.size();
  return sum;
}

}  // namespace

std::optional<Request> request_of(uint16_t code) {
  if (code >= 1025 && code <= 1031) return static_cast<Request>(code);
  if (code >= 825 && code <= 828) return static_cast<Request>(code + 200);
  if (code >= 900 && code <= 902) return static_cast<Request>(code + 129);
  return std::nullopt;
}

std::optional<Reply> reply_of(uint16_t code) {
  if (code >= 1600 && code <= 1607) return static_cast<Reply>(code);
  if (code >= 2100 && code <= 2107) return static_cast<Reply>(code - kReply2023Offset);
  return std::nullopt;
}

uint16_t code_of(Request request) { return static_cast<uint16_t>(request); }

uint16_t code_of(Reply reply, Dialect dialect) {
  const auto code = static_cast<uint16_t>(reply);
  return dialect == Dialect::usual ? code : static_cast<uint16_t>(code + kReply2023Offset);
}

std::string_view name_of(Request request) {
  switch (request) {
    case Request::sign_up:
      return "1025 register";
    case Request::send_key:
      return "1026 send public key";
    case Request::reconnect:
      return "1027 reconnect";
    case Request::send_file:
      return "1028 send file";
    case Request::checksum_right:
      return "1029 checksum matches";
    case Request::checksum_retry:
      return "1030 checksum wrong, will resend";
    case Request::checksum_give_up:
      return "1031 checksum wrong, giving up";
  }
  return "unknown request";
}

std::string_view name_of(Reply reply) {
  switch (reply) {
    case Reply::signed_up:
      return "1600 registered";
    case Reply::sign_up_refused:
      return "1601 registration refused";
    case Reply::key:
      return "1602 public key taken";
    case Reply::file_received:
      return "1603 file received";
    case Reply::acknowledged:
      return "1604 acknowledged";
    case Reply::reconnected:
      return "1605 reconnected";
    case Reply::reconnect_refused:
      return "1606 reconnect refused";
    case Reply::error:
      return "1607 error";
  }
  return "unknown reply";
}

std::string_view text_in(ByteView field) {
  const std::string_view all = as_text(field.first(std::min(field.size(), kTextFieldSize)));
  return all.substr(0, all.find('\0'));
}

Result<TextField> text_field(std::string_view text) {
  if (text.size() > kTextFieldSize)
    return failed(Code::limit, "text field",
                  "has " + std::to_string(text.size()) + " bytes, at most 255 fit");
  if (text.find('\0') != std::string_view::npos)
    return failed(Code::invalid, "text field", "holds a zero byte");
  TextField field{};
  put(field, 0, as_bytes(text));
  return field;
}

Result<TextField> parse_text_field(ByteView payload) {
  if (payload.size() < kTextFieldSize) return too_short("name", payload.size(), kTextFieldSize);
  return take<kTextFieldSize>(payload, 0);
}

Result<PublicKeyMessage> parse_public_key(ByteView payload) {
  if (payload.size() < kPublicKeyPayloadSize)
    return too_short("public key message", payload.size(), kPublicKeyPayloadSize);
  const ByteView field = payload.subspan(kTextFieldSize);
  const bool sequence = field[0] == std::byte{0x30} && field[1] == std::byte{0x81};
  const size_t der_size = 3 + std::to_integer<size_t>(field[2]);
  if (!sequence || (der_size != 160 && der_size != 162) || der_size > field.size())
    return failed(Code::corrupt, "public key", "is not the DER of an RSA-1024 public key");
  return PublicKeyMessage{take<kTextFieldSize>(payload, 0), field.first(der_size)};
}

FileHead decode_file_head(std::span<const std::byte, kFileHeadSize> from) {
  FileHead head;
  head.content_size = load_le<uint32_t>(&from[0]);
  head.original_size = load_le<uint32_t>(&from[4]);
  head.packet = load_le<uint16_t>(&from[8]);
  head.total = load_le<uint16_t>(&from[10]);
  head.name = take<kTextFieldSize>(from, 12);
  return head;
}

FileHeadBytes encode(const FileHead& head) {
  FileHeadBytes out{};
  store_le<uint32_t>(&out[0], head.content_size);
  store_le<uint32_t>(&out[4], head.original_size);
  store_le<uint16_t>(&out[8], head.packet);
  store_le<uint16_t>(&out[10], head.total);
  put(out, 12, head.name);
  return out;
}

FileHead2023 decode_file_head_2023(std::span<const std::byte, kFileHead2023Size> from) {
  return {load_le<uint32_t>(&from[0]), take<kTextFieldSize>(from, 4)};
}

FileHead2023Bytes encode(const FileHead2023& head) {
  FileHead2023Bytes out{};
  store_le<uint32_t>(&out[0], head.content_size);
  put(out, 4, head.name);
  return out;
}

Result<KeyReply> parse_key_reply(ByteView payload) {
  if (payload.size() < kKeyReplySize) return too_short("key reply", payload.size(), kKeyReplySize);
  return KeyReply{ClientId{take<16>(payload, 0)}, take<kWrappedKeySize>(payload, 16)};
}

std::array<std::byte, kKeyReplySize> encode(const KeyReply& reply) {
  std::array<std::byte, kKeyReplySize> out{};
  put(out, 0, reply.client.view());
  put(out, 16, reply.wrapped_key);
  return out;
}

Result<FileReply> parse_file_reply(ByteView payload) {
  if (payload.size() < kFileReplySize)
    return too_short("file reply", payload.size(), kFileReplySize);
  FileReply reply;
  reply.client = ClientId{take<16>(payload, 0)};
  reply.content_size = load_le<uint32_t>(&payload[16]);
  reply.name = take<kTextFieldSize>(payload, 20);
  reply.cksum = load_le<uint32_t>(&payload[275]);
  return reply;
}

std::array<std::byte, kFileReplySize> encode(const FileReply& reply) {
  std::array<std::byte, kFileReplySize> out{};
  put(out, 0, reply.client.view());
  store_le<uint32_t>(&out[16], reply.content_size);
  put(out, 20, reply.name);
  store_le<uint32_t>(&out[275], reply.cksum);
  return out;
}

Result<ClientId> parse_id_reply(ByteView payload) {
  if (payload.size() < ClientId::kSize) return too_short("id reply", payload.size(), 16);
  return ClientId{take<16>(payload, 0)};
}

std::optional<ClientId> parse_optional_id(ByteView payload) {
  if (payload.size() < ClientId::kSize) return std::nullopt;
  return ClientId{take<16>(payload, 0)};
}

Bytes request_bytes(const ClientId& client, Request request,
                    std::initializer_list<ByteView> parts) {
  const size_t size = total_size(parts);
  Bytes out;
  out.reserve(protocol::kRequestHeaderSize + size);
  append(out, protocol::encode(protocol::RequestHeader{client, kVersion, code_of(request),
                                                       static_cast<uint32_t>(size)}));
  for (const ByteView part : parts) append(out, part);
  return out;
}

Bytes response_bytes(Reply reply, std::initializer_list<ByteView> parts, Dialect dialect) {
  const size_t size = total_size(parts);
  Bytes out;
  out.reserve(protocol::kResponseHeaderSize + size);
  append(out, protocol::encode(protocol::ResponseHeader{kVersion, code_of(reply, dialect),
                                                        static_cast<uint32_t>(size)}));
  for (const ByteView part : parts) append(out, part);
  return out;
}

}  // namespace cb::v3
