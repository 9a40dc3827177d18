// SPDX-License-Identifier: Apache-2.0
//
// What a stream that idles over TLS keeps in memory.
#include <gtest/gtest.h>
#include <malloc.h>

#include "core/stream/listener.h"
#include "core/stream/run_coroutine.h"
#include "core/stream/stack.h"
#include "tests/suites/certificates.h"
#include "tests/suites/transport_pair.h"

namespace cb::stream::test {
namespace {

using cb::test::make;
using std::chrono::seconds;
using ConnectionPtr = std::unique_ptr<Connection>;

struct Ends {
  ConnectionPtr client, server;
};

Task<ConnectionPtr> accept_one(const Stack& stack, Listener& at, asio::any_io_executor on) {
  CB_CO_ASSIGN(auto accepted, co_await at.accept());
  CB_CO_ASSIGN(auto wrapped, stack.wrap_accepted(std::move(accepted)));
  auto connection = std::make_unique<Connection>(on, std::move(wrapped));
  CB_CO_TRY(co_await connection->handshake(seconds(10)));
  co_return connection;
}

// Sends and takes more than a record, then looks for more, as a session does before it idles.
Task<bool> move_some(Connection& from, Connection& to) {
  const Bytes some(40'000, std::byte{1});
  Bytes taken(some.size());
  CB_CO_TRY(co_await from.write(some));
  CB_CO_TRY(co_await to.read_exactly(taken));
  co_return co_await to.wait_readable(std::chrono::nanoseconds(1));
}

size_t in_use() { return ::mallinfo2().uordblks; }

TEST(IdleStream, has_given_the_buffers_of_tls_back) {
  const cb::test::TemporaryFolder folder;
  const cb::test::Identity identity = cb::test::make_identity(folder.path(), {.name = "server"});
  const Stack server =
      Stack::make(
          {make("transport-tls", {{"certificate", identity.certificate}, {"key", identity.key}}),
           make("transport-tcp")})
          .value();
  const Stack client =
      Stack::make({make("transport-tls", {{"ca", identity.certificate}}), make("transport-tcp")})
          .value();
  asio::io_context context(1);
  const auto on = context.get_executor();
  Listener listener(on, server.listen("127.0.0.1", 0).value());
  std::vector<Ends> all;
  const auto add = [&] {
    Running<Result<ConnectionPtr>> accepting(context, accept_one(server, listener, on));
    auto connected =
        run(context, client.connect(on, {"localhost", listener.port(), ""}, seconds(10)));
    ASSERT_TRUE(connected) << connected.error().text();
    while (!accepting.done() && context.run_one() > 0) continue;
    ASSERT_TRUE(accepting.get());
    all.push_back({std::move(*connected), std::move(*accepting.get())});
    Ends& ends = all.back();
    EXPECT_EQ(run(context, move_some(*ends.server, *ends.client)).value_or(true), false);
    EXPECT_EQ(run(context, move_some(*ends.client, *ends.server)).value_or(true), false);
  };
  constexpr size_t kPairs = 32;
  all.reserve(kPairs + 2);
  add();  // what is made once is no stream's
  add();
  const size_t before = in_use();
  for (size_t i = 0; i < kPairs; ++i) add();
  const size_t each = (in_use() - before) / kPairs / 2;
  RecordProperty("bytes_of_an_end", static_cast<int>(each));
  EXPECT_LT(each, 24U * 1024) << "with its buffers it takes 48 KiB";
  for (Ends& ends : all) {
    run(context, ends.client->close());
    run(context, ends.server->close());
  }
}

TEST(IdleStream, costs_a_server_of_tls_next_to_nothing_before_the_client_has_said_hello) {
  const cb::test::TemporaryFolder folder;
  const cb::test::Identity identity = cb::test::make_identity(folder.path(), {.name = "server"});
  const Stack server =
      Stack::make(
          {make("transport-tls", {{"certificate", identity.certificate}, {"key", identity.key}}),
           make("transport-tcp")})
          .value();
  const Stack client = Stack::make({make("transport-tcp")}).value();
  asio::io_context context(1);
  const auto on = context.get_executor();
  Listener listener(on, server.listen("127.0.0.1", 0).value());
  // A record with a ClientHello, of which the greater part never comes.
  Bytes begun = from_hex("1603010200010001fc0303").value();
  begun.resize(200, std::byte{9});
  std::vector<ConnectionPtr> clients;
  std::vector<std::unique_ptr<plugin::Stream>> streams;
  const auto add = [&] {
    clients.push_back(std::move(
        *run(context, client.connect(on, {"127.0.0.1", listener.port(), ""}, seconds(10)))));
    ASSERT_TRUE(run(context, clients.back()->write(begun)));
    auto accepted = run(context, listener.accept());
    ASSERT_TRUE(accepted);
    streams.push_back(std::move(*server.wrap_accepted(std::move(*accepted))));
    EXPECT_EQ(streams.back()->handshake().value(), plugin::IoStep::want_read);
  };
  constexpr size_t kMany = 32;
  clients.reserve(kMany + 1);
  streams.reserve(kMany + 1);
  add();
  const size_t before = in_use();
  for (size_t i = 0; i < kMany; ++i) add();
  const size_t each = (in_use() - before) / kMany;
  RecordProperty("bytes_of_both_ends", static_cast<int>(each));
  EXPECT_LT(each, 8U * 1024) << "a session of OpenSSL that waits for a hello takes 30 KiB";
  for (auto& one : clients) run(context, one->close());
}

}  // namespace
}  // namespace cb::stream::test
