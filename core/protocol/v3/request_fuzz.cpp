// SPDX-License-Identifier: Apache-2.0
//
// Feeds any bytes to the parsers of the server's side: a stream of request headers and payloads.
#include <algorithm>
#include <cstdlib>

#include "core/protocol/v3/messages.h"
#include "core/protocol/v3/names.h"
#include "core/protocol/v3/public_key.h"

namespace {

using namespace cb;

void require(bool holds) {
  if (!holds) std::abort();
}

void parse_content(ByteView payload) {
  if (payload.size() >= v3::kFileHeadSize) {
    const auto head = v3::decode_file_head(payload.first<v3::kFileHeadSize>());
    require(v3::decode_file_head(v3::encode(head)) == head);
    (void)v3::stored_file_name(v3::text_in(head.name));
  }
  if (payload.size() >= v3::kFileHead2023Size) {
    const auto head = v3::decode_file_head_2023(payload.first<v3::kFileHead2023Size>());
    require(v3::decode_file_head_2023(v3::encode(head)) == head);
  }
}

void parse_payload(v3::Request request, ByteView payload) {
  if (request == v3::Request::send_file) return parse_content(payload);
  if (request == v3::Request::send_key) {
    const auto message = v3::parse_public_key(payload);
    require(!message || message->key.size() <= payload.size() - v3::kTextFieldSize);
    if (message) (void)v3::rsa_bits(message->key);
    (void)v3::rsa_bits(payload.subspan(std::min(payload.size(), v3::kTextFieldSize)));
    return;
  }
  const auto field = v3::parse_text_field(payload);
  if (!field) return;
  const auto text = v3::text_in(*field);
  (void)v3::check_user_name(text);
  const auto name = v3::stored_file_name(text);
  require(!name || (!name->empty() && name->find('/') == std::string_view::npos));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteView rest = std::as_bytes(std::span(data, size));
  while (rest.size() >= protocol::kRequestHeaderSize) {
    const auto header = protocol::decode_request_header(rest.first<23>());
    rest = rest.subspan(protocol::kRequestHeaderSize);
    const ByteView payload = rest.first(std::min<size_t>(header.payload_size, rest.size()));
    if (const auto request = v3::request_of(header.code)) parse_payload(*request, payload);
    rest = rest.subspan(payload.size());
  }
  return 0;
}
