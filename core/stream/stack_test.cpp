// SPDX-License-Identifier: Apache-2.0
#include "core/stream/stack.h"

#include <gtest/gtest.h>

#include "core/stream/listener.h"
#include "core/stream/race.h"
#include "core/stream/run_coroutine.h"
#include "tests/suites/certificates.h"
#include "tests/suites/transport_pair.h"

namespace cb::stream::test {
namespace {

using cb::test::make;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Connected = Result<std::unique_ptr<Connection>>;
using Moment = std::chrono::steady_clock::time_point;

Moment in(milliseconds time) { return std::chrono::steady_clock::now() + time; }

Stack tcp_stack() { return Stack::make({make("transport-tcp")}).value(); }

plugin::Listener listen(const Stack& stack, const std::string& address, uint16_t port = 0,
                        uint32_t backlog = 0) {
  return stack.listen(address, port, backlog).value();
}

TEST(Stack, is_filters_over_one_root) {
  const plugin::Transport tcp = make("transport-tcp");
  const plugin::Transport tls = make("transport-tls", {{"insecure", "true"}});
  EXPECT_TRUE(Stack::make({tcp}));
  EXPECT_TRUE(Stack::make({tls, tcp}));
  EXPECT_EQ(Stack::make({}).error().code, Code::invalid);
  EXPECT_EQ(Stack::make({tls}).error().code, Code::invalid);
  EXPECT_EQ(Stack::make({tcp, tls}).error().code, Code::invalid);
  EXPECT_NE(Stack::make({tls, tcp})->capabilities() & CB_TRANSPORT_ENCRYPTS, 0U);
  EXPECT_EQ(Stack::make({tcp})->capabilities() & CB_TRANSPORT_ENCRYPTS, 0U);
}

TEST(Stack, connects_by_name_and_shakes_hands_over_tls) {
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
  Listener listener(context.get_executor(), listen(server, "127.0.0.1"));
  Running<Connected> connecting(
      context,
      client.connect(context.get_executor(), {"localhost", listener.port(), ""}, seconds(10)));
  Running<Result<std::string>> serving(
      context, [](const Stack& stack, Listener& at, asio::any_io_executor on) -> Task<std::string> {
        auto accepted = co_await at.accept();
        if (!accepted) co_return failed(accepted.error());
        auto wrapped = stack.wrap_accepted(std::move(*accepted));
        if (!wrapped) co_return failed(wrapped.error());
        Connection connection(on, std::move(*wrapped));
        const Status stands = co_await connection.handshake(seconds(10));
        if (!stands) co_return failed(stands.error());
        const Status wrote = co_await connection.write(as_bytes("welcome"));
        if (!wrote) co_return failed(wrote.error());
        (void)co_await connection.shutdown();
        std::string peer = connection.peer();
        co_await connection.close();
        co_return peer;
      }(server, listener, context.get_executor()));
  run_all(context);
  ASSERT_TRUE(connecting.get()) << connecting.get().error().text();
  ASSERT_TRUE(serving.get()) << serving.get().error().text();
  EXPECT_EQ(serving.get()->substr(0, 10), "127.0.0.1:");
  Connection& connection = **connecting.get();
  EXPECT_EQ(as_text(connection.stream().info(CB_INFO_PROTOCOL).value()), "TLSv1.3");
  Bytes heard(7);
  ASSERT_TRUE(run(context, connection.read_exactly(heard)));
  EXPECT_EQ(as_text(heard), "welcome");
  run(context, connection.close());
}

TEST(Stack, a_handshake_with_a_silent_peer_ends_at_the_deadline) {
  const Stack stack =
      Stack::make({make("transport-tls", {{"insecure", "true"}}), make("transport-tcp")}).value();
  const plugin::Listener silent = listen(stack, "127.0.0.1");
  asio::io_context context(1);
  const Connected connected = run(
      context,
      stack.connect(context.get_executor(), {"127.0.0.1", silent.port(), ""}, milliseconds(50)));
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, Code::timeout) << connected.error().text();
}

TEST(Stack, an_unknown_host_is_not_found) {
  asio::io_context context(1);
  const Connected connected =
      run(context,
          tcp_stack().connect(context.get_executor(), {"nowhere.invalid", 1, ""}, seconds(30)));
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, Code::not_found) << connected.error().text();
  EXPECT_FALSE(connected.error().advice.empty());
}

TEST(Stack, a_refused_connection_says_where_and_what_to_do) {
  const Stack stack = tcp_stack();
  const uint16_t port = listen(stack, "127.0.0.1").port();  // and closed again
  asio::io_context context(1);
  const Connected connected =
      run(context, stack.connect(context.get_executor(), {"127.0.0.1", port, ""}, seconds(10)));
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, Code::closed);
  EXPECT_NE(connected.error().advice.find("127.0.0.1:" + std::to_string(port)), std::string::npos);
}

TEST(Stack, leaves_no_descriptor_behind_when_it_fails) {
  const Stack stack = tcp_stack();
  const uint16_t port = listen(stack, "127.0.0.1").port();
  const size_t open = cb::test::open_descriptors();
  {
    asio::io_context context(1);
    EXPECT_FALSE(
        run(context, stack.connect(context.get_executor(), {"127.0.0.1", port, ""}, seconds(10))));
    run_all(context);
  }
  EXPECT_EQ(cb::test::open_descriptors(), open);
}

// An address that neither answers nor refuses: a listener whose queue is full.
class Unanswering {
 public:
  Unanswering(const plugin::Transport& tcp, const plugin::Listener& busy, const std::string& at) {
    plugin::Endpoint endpoint;
    endpoint.address = at;
    endpoint.port = busy.port();
    for (int i = 0; i < 100 && !full_; ++i) {
      cb::test::StreamPtr stream = tcp.connect(endpoint).value();
      full_ = stream->handshake().value() != plugin::IoStep::ok;
      waiting_.push_back(std::move(stream));
    }
  }
  [[nodiscard]] bool full() const { return full_; }

 private:
  std::vector<cb::test::StreamPtr> waiting_;
  bool full_ = false;
};

TEST(Race, the_next_address_is_tried_when_one_does_not_answer) {
  const plugin::Transport tcp = make("transport-tcp");
  const Stack stack = Stack::make({tcp}).value();
  const plugin::Listener busy = listen(stack, "127.0.0.2", 0, 1);
  const plugin::Listener free = listen(stack, "127.0.0.1", busy.port());
  const Unanswering unanswering(tcp, busy, "127.0.0.2");
  ASSERT_TRUE(unanswering.full());
  asio::io_context context(1);
  const auto begun = std::chrono::steady_clock::now();
  const auto winner = run(context, race(context.get_executor(), tcp, {"127.0.0.2", "127.0.0.1"},
                                        {"test", busy.port(), ""}, in(seconds(20))));
  ASSERT_TRUE(winner) << winner.error().text();
  EXPECT_EQ(winner->address, "127.0.0.1");
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(240));
}

TEST(Race, a_failure_makes_room_for_the_next_at_once) {
  const plugin::Transport tcp = make("transport-tcp");
  const plugin::Listener free = listen(Stack::make({tcp}).value(), "127.0.0.1");
  asio::io_context context(1);
  const auto begun = std::chrono::steady_clock::now();
  const auto winner =
      run(context, race(context.get_executor(), tcp, {"127.0.0.4", "127.0.0.3", "127.0.0.1"},
                        {"test", free.port(), ""}, in(seconds(20))));
  ASSERT_TRUE(winner) << winner.error().text();
  EXPECT_EQ(winner->address, "127.0.0.1");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(200));
}

TEST(Race, ends_at_its_deadline_when_nobody_answers) {
  const plugin::Transport tcp = make("transport-tcp");
  const plugin::Listener busy = listen(Stack::make({tcp}).value(), "127.0.0.2", 0, 1);
  const Unanswering unanswering(tcp, busy, "127.0.0.2");
  ASSERT_TRUE(unanswering.full());
  const size_t open = cb::test::open_descriptors();
  {
    asio::io_context context(1);
    const auto winner = run(context, race(context.get_executor(), tcp, {"127.0.0.2"},
                                          {"test", busy.port(), ""}, in(milliseconds(60))));
    ASSERT_FALSE(winner);
    EXPECT_EQ(winner.error().code, Code::timeout);
    run_all(context);
  }
  EXPECT_EQ(cb::test::open_descriptors(), open);
}

TEST(Race, families_alternate_beginning_with_the_favourite) {
  EXPECT_EQ(alternate_families({"::1", "::2", "::3", "1.1.1.1", "2.2.2.2"}),
            (std::vector<std::string>{"::1", "1.1.1.1", "::2", "2.2.2.2", "::3"}));
  EXPECT_EQ(alternate_families({"1.1.1.1", "::1"}), (std::vector<std::string>{"1.1.1.1", "::1"}));
  EXPECT_TRUE(alternate_families({}).empty());
}

}  // namespace
}  // namespace cb::stream::test
