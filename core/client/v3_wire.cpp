// SPDX-License-Identifier: Apache-2.0
#include "core/client/v3_wire.h"

#include <algorithm>
#include <array>

namespace cb::client {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

// The longest known reply has 279 bytes; some servers add text to a refusal.
constexpr uint32_t kMaxPayload = 64 * 1024;
// How long the payload of an acknowledgement may lag behind its header.
constexpr nanoseconds kAcknowledgementLag = std::chrono::seconds(2);

}  // namespace

V3Wire::V3Wire(std::unique_ptr<stream::Connection> connection, Note note,
               std::shared_ptr<stream::Throttle> upload)
    : connection_(std::move(connection)), note_(std::move(note)), upload_(std::move(upload)) {}

stream::Task<void> V3Wire::send(ByteView request) {
  while (!request.empty()) {
    size_t may = request.size();
    if (upload_) may = co_await upload_->take(may);
    auto sent = co_await connection_->write(request.first(may));
    if (!sent) usable_ = false;
    CB_CO_TRY(sent);
    request = request.subspan(may);
  }
  co_return Status{};
}

stream::Task<bool> V3Wire::pending() {
  // Zero would wait for ever.
  auto readable = co_await connection_->wait_readable(nanoseconds(1));
  if (!readable) usable_ = false;
  co_return readable;
}

stream::Task<void> V3Wire::read_all(ByteSpan into, Deadline deadline) {
  while (!into.empty()) {
    // A zero timeout would wait for ever.
    const nanoseconds left = std::max<nanoseconds>(deadline - steady_clock::now(), nanoseconds(1));
    connection_->set_read_timeout(left);
    const Result<size_t> got = co_await connection_->read_some(into);
    if (!got) co_return failed(got.error());
    if (*got == 0) co_return failed(Code::closed, peer(), "the server closed the connection");
    into = into.subspan(*got);
  }
  co_return Status{};
}

stream::Task<V3Reply> V3Wire::receive(nanoseconds timeout) {
  auto reply = co_await receive_until(steady_clock::now() + timeout);
  if (!reply) usable_ = false;
  co_return reply;
}

stream::Task<V3Reply> V3Wire::receive_until(Deadline deadline) {
  std::array<std::byte, protocol::kResponseHeaderSize> head{};
  CB_CO_TRY(co_await read_all(head, deadline));
  const auto header = protocol::decode_response_header(head);
  CB_CO_ASSIGN(const v3::Reply kind, judge(header));
  V3Reply reply{kind, Bytes(header.payload_size)};
  if (kind != v3::Reply::acknowledged) {
    CB_CO_TRY(co_await read_all(reply.payload, deadline));
    co_return reply;
  }
  const Deadline soon = std::min(deadline, steady_clock::now() + kAcknowledgementLag);
  const Status rest = co_await read_all(reply.payload, soon);
  if (!rest) {
    usable_ = false;
    reply.payload.clear();
  }
  co_return reply;
}

Result<v3::Reply> V3Wire::judge(const protocol::ResponseHeader& header) {
  const auto kind = v3::reply_of(header.code);
  if (!kind)
    return failed(
        Code::corrupt, peer(),
        "answered with code " + std::to_string(header.code) + ", which protocol v3 does not know",
        "check that this address and port belong to a v3 server");
  if (header.payload_size > kMaxPayload)
    return failed(Code::corrupt, peer(),
                  "announced a reply of " + std::to_string(header.payload_size) + " bytes",
                  "check that this address and port belong to a v3 server");
  if (header.version != v3::kVersion && !odd_version_noted_) {
    odd_version_noted_ = true;
    note_("the server calls its protocol version " + std::to_string(header.version) +
          ", going on as with 3");
  }
  dialect_ = header.code >= v3::code_of(v3::Reply::signed_up, v3::Dialect::of_2023)
                 ? v3::Dialect::of_2023
                 : v3::Dialect::usual;
  return *kind;
}

boost::asio::awaitable<void> V3Wire::close() {
  if (usable_) (void)co_await connection_->shutdown();
  usable_ = false;
  co_await connection_->close();
}

}  // namespace cb::client
