// SPDX-License-Identifier: Apache-2.0
#include "tests/conversation/v3_script.h"

#include <algorithm>

#include "tests/conversation/invariant.h"

namespace cb::conversation {
namespace {

using v3::Reply;
using v3::Request;

constexpr Reply kReplies[] = {Reply::signed_up,
                              Reply::sign_up_refused,
                              Reply::key,
                              Reply::file_received,
                              Reply::acknowledged,
                              Reply::reconnected,
                              Reply::reconnect_refused,
                              Reply::error};

void append(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

bool is_of_2023(v3::Request code, size_t payload) {
  return code == Request::send_file && payload == v3::kFileHead2023Size;
}

// What follows a request and is not counted in its header: the content of a file, as the dialect of
// 2023 sends it.
size_t uncounted(v3::Request code, ByteView payload) {
  if (!is_of_2023(code, payload.size())) return 0;
  return v3::decode_file_head_2023(payload.first<v3::kFileHead2023Size>()).content_size;
}

}  // namespace

bool V3Script::take(ByteView sent, Bytes& out) {
  ++progress();
  append(in_, sent);
  for (;;) {
    if (in_.size() < protocol::kRequestHeaderSize) return true;
    const auto header =
        protocol::decode_request_header(ByteView(in_).first<protocol::kRequestHeaderSize>());
    const auto code = v3::request_of(header.code);
    require(code.has_value(), "the client asks for what is no request");
    require(header.payload_size <= v3::kFileHeadSize + 17U * 1024 * 1024,
            "the client sends more than a packet may have");
    size_t size = protocol::kRequestHeaderSize + header.payload_size;
    if (in_.size() < size) return true;
    const Asked asked{
        *code, to_bytes(ByteView(in_).subspan(protocol::kRequestHeaderSize, header.payload_size))};
    size += uncounted(*code, asked.payload);
    if (in_.size() < size) return true;
    in_.erase(in_.begin(), in_.begin() + static_cast<ptrdiff_t>(size));
    const size_t before = out.size();
    const bool goes_on = answer(asked, out);
    note(ByteView(out).subspan(before));
    if (!goes_on) return false;
  }
}

bool V3Script::answer(const Asked& asked, Bytes& out) {
  const std::vector<Step> steps = script_->next();
  if (steps.empty()) send_honestly(asked, out);
  for (const Step& step : steps)
    if (!play(step, asked, out)) return false;
  return true;
}

bool V3Script::play(const Step& step, const Asked& asked, Bytes& out) {
  const auto dialect = step.a % 2 == 0 ? v3::Dialect::usual : v3::Dialect::of_2023;
  switch (static_cast<Kind>(step.kind % kinds)) {
    case honest:
      send_honestly(asked, out);
      return true;
    case bent:
      send_bent(step, asked, out);
      return true;
    case reply:
      append(out,
             v3::response_bytes(kReplies[step.x % std::size(kReplies)], {step.bytes}, dialect));
      return true;
    case sized: {
      protocol::ResponseHeader header;
      header.version = step.b == 0 ? uint8_t{3} : step.b;
      header.code = step.x;
      header.payload_size = step.y;
      append(out, protocol::encode(header));
      append(out, step.bytes);
      return true;
    }
    case file:
      send_file(step, asked, out);
      return true;
    case key:
      send_key(step, out);
      return true;
    case raw:
      append(out, step.bytes);
      return true;
    case end:
      return false;
    default:
      return true;
  }
}

Bytes V3Script::file_answer(const Asked& asked, uint32_t spoil) const {
  v3::FileReply answer;
  answer.client = files_.client;
  const bool is_old = is_of_2023(asked.code, asked.payload.size());
  if (is_old) {
    const auto head =
        v3::decode_file_head_2023(ByteView(asked.payload).first<v3::kFileHead2023Size>());
    answer.content_size = head.content_size;
    answer.name = head.name;
  } else if (asked.payload.size() >= v3::kFileHeadSize) {
    const auto head = v3::decode_file_head(ByteView(asked.payload).first<v3::kFileHeadSize>());
    answer.content_size = static_cast<uint32_t>(v3::ciphertext_size(head.original_size));
    answer.name = head.name;
  } else {
    return {};
  }
  const auto known = files_.checksums.find(std::string(v3::text_in(answer.name)));
  if (known != files_.checksums.end()) answer.cksum = known->second + spoil;
  const auto payload = v3::encode(answer);
  return v3::response_bytes(Reply::file_received, {payload},
                            is_old ? v3::Dialect::of_2023 : v3::Dialect::usual);
}

// Packets that others follow have no answer.
bool V3Script::is_last(const Asked& asked) {
  if (asked.payload.size() < v3::kFileHeadSize) return true;
  const auto head = v3::decode_file_head(ByteView(asked.payload).first<v3::kFileHeadSize>());
  return head.packet == head.total;
}

void V3Script::send_honestly(const Asked& asked, Bytes& out) const {
  const auto id = files_.client.view();
  switch (asked.code) {
    case Request::sign_up:
      return append(out, v3::response_bytes(Reply::signed_up, {id}));
    case Request::send_key:
      return append(out, v3::response_bytes(Reply::key, {id, files_.wrapped_key}));
    case Request::reconnect:
      return append(out, v3::response_bytes(Reply::reconnected, {id, files_.wrapped_key}));
    case Request::send_file:
      if (is_last(asked)) append(out, file_answer(asked, 0));
      return;
    default:
      return append(out, v3::response_bytes(Reply::acknowledged, {id}));
  }
}

void V3Script::send_bent(const Step& step, const Asked& asked, Bytes& out) const {
  Bytes answer;
  send_honestly(asked, answer);
  if (answer.empty()) return;
  const size_t at = step.x % answer.size();
  if (step.a % 4 == 0) answer[at] ^= static_cast<std::byte>(step.y | 1);
  if (step.a % 4 == 1) answer.resize(at);
  if (step.a % 4 == 2) append(answer, Bytes(answer));
  if (step.a % 4 == 3) answer.insert(answer.begin() + static_cast<ptrdiff_t>(at), step.y % 64, {});
  append(out, answer);
}

void V3Script::send_file(const Step& step, const Asked& asked, Bytes& out) const {
  append(out, file_answer(asked, step.a % 4));
}

void V3Script::send_key(const Step& step, Bytes& out) const {
  v3::KeyReply answer;
  answer.client = files_.client;
  answer.wrapped_key = files_.wrapped_key;
  if (step.b % 4 == 1) answer.wrapped_key[step.x % answer.wrapped_key.size()] ^= std::byte{8};
  if (step.b % 4 == 2) answer.client.bytes.fill(std::byte{3});
  const auto payload = v3::encode(answer);
  append(out, v3::response_bytes(step.a % 2 == 0 ? Reply::key : Reply::reconnected, {payload}));
}

// Reads along what was said, as the client will.
void V3Script::note(ByteView said) {
  append(said_, said);
  while (said_.size() >= protocol::kResponseHeaderSize) {
    const auto header =
        protocol::decode_response_header(ByteView(said_).first<protocol::kResponseHeaderSize>());
    const size_t size = protocol::kResponseHeaderSize + header.payload_size;
    const auto kind = v3::reply_of(header.code);
    // An acknowledgement counts when its header came.
    if (kind == Reply::acknowledged) ++files_.acknowledged;
    if (said_.size() < size) return;
    const auto payload =
        ByteView(said_).subspan(protocol::kResponseHeaderSize, header.payload_size);
    if (kind == Reply::file_received)
      if (const auto file = v3::parse_file_reply(payload)) {
        const std::string name(v3::text_in(file->name));
        const auto known = files_.checksums.find(name);
        if (known != files_.checksums.end() && known->second == file->cksum)
          files_.said_right[name] = true;
      }
    said_.erase(said_.begin(), said_.begin() + static_cast<ptrdiff_t>(size));
  }
}

}  // namespace cb::conversation
