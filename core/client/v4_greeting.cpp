// SPDX-License-Identifier: Apache-2.0
#include "core/client/v4_greeting.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "core/os/clock.h"
#include "core/protocol/v4/channel.h"
#include "cyberbackup/transport.h"

namespace cb::client {

namespace asio = boost::asio;
using std::chrono::nanoseconds;

namespace {

constexpr uint64_t kMostCredit = 16 * 1024 * 1024;  // bytes; what a server asks beyond is not used

constexpr const char* kNotV4 = "check that this address and port belong to a v4 server";

Status check_reply(const v4::pb::HelloReply& reply, const std::string& peer) {
  if (reply.version() != v4::kVersion)
    return failed(Code::unsupported, peer,
                  "speaks version " + std::to_string(reply.version()) + " of the protocol, not 4",
                  "update the older of the two");
  if (reply.frame_max() < v4::kFrameMax || reply.credit() == 0)
    return failed(Code::unsupported, peer, "takes smaller frames than this program sends",
                  "update the older of the two");
  return {};
}

Status check_channel(const stream::Stack& stack) {
  constexpr uint64_t kNeeded = CB_TRANSPORT_ENCRYPTS | CB_TRANSPORT_AUTHENTICATES_PEER;
  if ((stack.capabilities() & kNeeded) == kNeeded) return {};
  return failed(Code::unsupported, "protocol v4", "needs a transport that encrypts and knows whom",
                "put transport-tls over it");
}

}  // namespace

Error impostor(std::string object, std::string cause) {
  return fail(Code::auth, std::move(object), std::move(cause),
              "ask the operator whether the server was set up anew; nothing was sent to it");
}

stream::Task<Bytes> ask_once(V4Wire& wire, v4::Request request, uint32_t id, const Bytes& message,
                             v4::Response expected, nanoseconds timeout) {
  CB_CO_TRY(co_await wire.append(v4::request_front(ClientId{}, request, id, message, 0)));
  CB_CO_TRY(co_await wire.flush());
  CB_CO_ASSIGN(const V4Frame frame, co_await wire.receive(timeout));
  if (frame.code == v4::Response::failure) {
    CB_CO_ASSIGN(const auto failure, v4::parse<v4::pb::Failure>(frame.message));
    co_return failed(v4::error_of(failure));
  }
  if (frame.code != expected || frame.request_id != id)
    co_return failed(Code::corrupt, wire.peer(),
                     "answered with code " + std::to_string(static_cast<unsigned>(frame.code)) +
                         " before the login",
                     kNotV4);
  co_return to_bytes(frame.message);
}

stream::Task<V4Greeting> greet(const stream::Stack& stack, const stream::Target& target,
                               const std::string& program, const V4Limits& limits) {
  CB_CO_TRY(check_channel(stack));
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  CB_CO_ASSIGN(auto connection, co_await stack.connect(executor, target, limits.connect));
  connection->set_write_timeout(limits.login);
  V4Greeting greeting;
  greeting.wire = std::make_unique<V4Wire>(std::move(connection), limits.flow);
  v4::pb::Hello hello;
  hello.set_version_min(v4::kVersion);
  hello.set_version_max(v4::kVersion);
  hello.add_features(std::string(v4::kSignaturesFeature));
  hello.set_program(program);
  greeting.hello_bytes = v4::encode(hello);
  const nanoseconds asked = os::system_clock().wall();
  CB_CO_ASSIGN(greeting.reply_bytes,
               co_await ask_once(*greeting.wire, v4::Request::hello, 1, greeting.hello_bytes,
                                 v4::Response::hello, limits.login));
  CB_CO_TRY(v4::parse_into(greeting.reply, greeting.reply_bytes));
  CB_CO_TRY(check_reply(greeting.reply, greeting.wire->peer()));
  const nanoseconds answered = os::system_clock().wall();
  greeting.clock_ahead = nanoseconds(greeting.reply.time_ns()) - (asked + (answered - asked) / 2);
  co_return greeting;
}

Result<Bytes> statement_of(V4Greeting& greeting, const repository::DeviceId& device) {
  CB_ASSIGN(const Bytes binding,
            greeting.wire->connection().stream().info(CB_INFO_CHANNEL_BINDING));
  return v4::channel_statement(binding, as_bytes(greeting.reply.nonce()), greeting.hello_bytes,
                               greeting.reply_bytes, device);
}

Result<V4Welcome> welcome_of(const V4Greeting& greeting) {
  const v4::pb::HelloReply& reply = greeting.reply;
  V4Welcome welcome;
  welcome.version = reply.version();
  for (const std::string& feature : reply.features())
    welcome.features.push_back(v4::clean_text(feature, 64));
  welcome.program = v4::clean_text(reply.program(), 256);
  CB_ASSIGN(welcome.server_key, v4::array_of<repository::kPublicSize>(reply.server_key()));
  welcome.clock_ahead = greeting.clock_ahead;
  welcome.credit = std::min<uint64_t>(reply.credit(), kMostCredit);
  return welcome;
}

asio::awaitable<void> leave(std::unique_ptr<V4Wire> wire) { co_await wire->connection().close(); }

}  // namespace cb::client
