// SPDX-License-Identifier: Apache-2.0
//
// Feeds any bytes to the parsers of the client's side: a stream of response headers and payloads.
#include <cstdlib>

#include "core/protocol/v3/messages.h"

namespace {

using namespace cb;

void require(bool holds) {
  if (!holds) std::abort();
}

void parse_payload(v3::Reply reply, ByteView payload) {
  switch (reply) {
    case v3::Reply::key:
    case v3::Reply::reconnected:
      if (const auto key = v3::parse_key_reply(payload))
        require(*v3::parse_key_reply(v3::encode(*key)) == *key);
      break;
    case v3::Reply::file_received:
      if (const auto file = v3::parse_file_reply(payload))
        require(*v3::parse_file_reply(v3::encode(*file)) == *file);
      break;
    default:
      require(v3::parse_optional_id(payload).has_value() ==
              v3::parse_id_reply(payload).has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteView rest = std::as_bytes(std::span(data, size));
  while (rest.size() >= protocol::kResponseHeaderSize) {
    const auto header = protocol::decode_response_header(rest.first<7>());
    rest = rest.subspan(protocol::kResponseHeaderSize);
    const ByteView payload = rest.first(std::min<size_t>(header.payload_size, rest.size()));
    if (const auto reply = v3::reply_of(header.code)) parse_payload(*reply, payload);
    rest = rest.subspan(payload.size());
  }
  return 0;
}
