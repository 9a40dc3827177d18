// SPDX-License-Identifier: Apache-2.0
//
// What every v4 connection begins with, whoever logs in afterwards: connecting, both hellos, and
// the channel statement that a device signs. Coroutines of one strand.
#pragma once

#include "core/client/v4_session.h"
#include "core/client/v4_wire.h"
#include "core/protocol/v4/messages.h"

namespace cb::client {

// What both sides have said before somebody logs in.
struct V4Greeting {
  std::unique_ptr<V4Wire> wire;
  v4::pb::HelloReply reply;
  Bytes hello_bytes, reply_bytes;
  std::chrono::nanoseconds clock_ahead{};
};

// Connects and says hello. The parameters outlive the coroutine. Code::unsupported when the
// transport does not encrypt and authenticate, or no version fits.
stream::Task<V4Greeting> greet(const stream::Stack& stack, const stream::Target& target,
                               const std::string& program, const V4Limits& limits);

// Sends one request and takes its one answer; a Failure is the error that it names.
stream::Task<Bytes> ask_once(V4Wire& wire, v4::Request request, uint32_t id, const Bytes& message,
                             v4::Response expected, std::chrono::nanoseconds timeout);

// What a device signs to log in over this connection.
Result<Bytes> statement_of(V4Greeting& greeting, const repository::DeviceId& device);
// What the server said of itself; record and account are not known yet.
Result<V4Welcome> welcome_of(const V4Greeting& greeting);
// The end of a connection that is not used any more.
boost::asio::awaitable<void> leave(std::unique_ptr<V4Wire> wire);

// Somebody who is not the expected server, or wants to be taken for it.
Error impostor(std::string object, std::string cause);

}  // namespace cb::client
