// SPDX-License-Identifier: Apache-2.0
//
// What every stack of transports must do, run over the bundled ones through the real loader.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

#include "tests/suites/certificates.h"
#include "tests/suites/transport_pair.h"

namespace cb::test {
namespace {

using plugin::IoResult;
using plugin::IoStep;

constexpr size_t kSizes[] = {1,     2,     17,    1000,           16383,
                             16384, 16385, 65537, (1U << 20) + 1, (8U << 20) - 3};

constexpr size_t kLongWrite = 256U << 10;

Ends make_ends(const std::string& stack, const Options& tcp = {}) {
  Ends ends{make("transport-tcp", tcp), {}, {}, "localhost"};
  if (stack == "tcp") return ends;
  static const TemporaryFolder folder;
  static const Identity identity = make_identity(folder.path(), {.name = "server"});
  ends.client_filters.push_back(make("transport-tls", {{"ca", identity.certificate}}));
  ends.server_filters.push_back(
      make("transport-tls", {{"certificate", identity.certificate}, {"key", identity.key}}));
  return ends;
}

class TransportSuite : public testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] bool is_tls() const { return GetParam() != "tcp"; }
  Pair standing_pair() {
    Pair pair = ends_.connect(listener_);
    const Hands hands = shake_hands(pair);
    EXPECT_TRUE(hands.client) << hands.client.error().text();
    EXPECT_TRUE(hands.server) << hands.server.error().text();
    return pair;
  }
  Ends ends_ = make_ends(GetParam());
  plugin::Listener listener_ = ends_.listen();
};

TEST_P(TransportSuite, bytes_arrive_whatever_their_number) {
  Pair pair = standing_pair();
  for (const size_t size : kSizes) {
    const Bytes content = pattern(size, static_cast<uint32_t>(size));
    const auto there = transfer(*pair.client, *pair.server, content);
    ASSERT_TRUE(there) << there.error().text();
    EXPECT_TRUE(*there == content) << size;
    const auto back = transfer(*pair.server, *pair.client, content);
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_TRUE(*back == content) << size;
  }
}

TEST_P(TransportSuite, single_bytes_are_written_and_read_one_at_a_time) {
  Pair pair = standing_pair();
  const Bytes content = pattern(300, 7);
  for (const std::byte b : content) {
    ASSERT_TRUE(write_all(*pair.client, {&b, 1}));
    std::byte got{};
    const auto read = read_some(*pair.server, {&got, 1});
    ASSERT_TRUE(read) << read.error().text();
    ASSERT_EQ(*read, 1U);
    EXPECT_EQ(got, b);
  }
  const auto arrived = transfer(*pair.client, *pair.server, pattern(5000, 8), 1);
  ASSERT_TRUE(arrived);
  EXPECT_TRUE(*arrived == pattern(5000, 8));
}

// Fills the way to the peer until the stream says that it would block.
size_t write_until_full(plugin::Stream& stream, ByteView content) {
  size_t taken = 0;
  for (;;) {
    // Another address at each try.
    const Bytes elsewhere =
        to_bytes(content.subspan(taken, std::min(kLongWrite, content.size() - taken)));
    const auto wrote = stream.write(elsewhere);
    EXPECT_TRUE(wrote) << wrote.error().text();
    if (!wrote || wrote->step != IoStep::ok) return taken;
    EXPECT_GE(wrote->bytes, 1U);
    taken += wrote->bytes;
  }
}

TEST_P(TransportSuite, short_writes_go_on_with_the_same_bytes_at_another_address) {
  Pair pair = standing_pair();
  const Bytes content = pattern(24U << 20, 3);
  size_t sent = write_until_full(*pair.client, content);
  ASSERT_LT(sent, content.size());
  Bytes arrived;
  Bytes part(100'003);
  while (arrived.size() < content.size()) {
    const auto read = pair.server->read(part);
    ASSERT_TRUE(read) << read.error().text();
    arrived.insert(arrived.end(), part.begin(), part.begin() + static_cast<ptrdiff_t>(read->bytes));
    if (sent < content.size()) {
      const ByteView rest = ByteView(content).subspan(sent);
      const Bytes elsewhere = to_bytes(rest.first(std::min(kLongWrite, rest.size())));
      const auto wrote = pair.client->write(elsewhere);
      ASSERT_TRUE(wrote) << wrote.error().text();
      sent += wrote->bytes;
    } else if (read->bytes == 0) {
      ASSERT_TRUE(wait_for(*pair.server, read->step));
    }
  }
  EXPECT_TRUE(arrived == content);
}

TEST_P(TransportSuite, would_block_is_honest_for_reads) {
  Pair pair = standing_pair();
  Bytes part(100);
  // Whatever the handshake left behind is drained by the first read.
  ASSERT_TRUE(write_all(*pair.server, pattern(1, 1)));
  ASSERT_EQ(read_some(*pair.client, part).value(), 1U);
  const auto blocked = pair.client->read(part);
  ASSERT_TRUE(blocked);
  EXPECT_EQ(blocked->step, IoStep::want_read);
  EXPECT_FALSE(is_ready(pair.client->fd(), POLLIN));
  ASSERT_TRUE(write_all(*pair.server, pattern(5, 1)));
  ASSERT_TRUE(wait_for(*pair.client, IoStep::want_read));
  EXPECT_EQ(read_some(*pair.client, part).value(), 5U);
}

TEST_P(TransportSuite, would_block_is_honest_for_writes) {
  Pair pair = standing_pair();
  const Bytes content = pattern(24U << 20, 3);
  ASSERT_LT(write_until_full(*pair.client, content), content.size());
  const auto blocked = pair.client->write(content);
  ASSERT_TRUE(blocked);
  EXPECT_EQ(blocked->step, IoStep::want_write);
  EXPECT_EQ(blocked->bytes, 0U);
  EXPECT_FALSE(is_ready(pair.client->fd(), POLLOUT));
}

TEST_P(TransportSuite, the_descriptor_stays_the_same_for_life) {
  Pair pair = ends_.connect(listener_);
  const int fd = pair.client->fd();
  struct stat before {};
  ASSERT_EQ(::fstat(fd, &before), 0);
  EXPECT_TRUE(S_ISSOCK(before.st_mode));
  ASSERT_TRUE(shake_hands(pair).client);
  ASSERT_TRUE(transfer(*pair.client, *pair.server, pattern(70'000, 1)));
  ASSERT_TRUE(shut_down(*pair.client));
  struct stat after {};
  ASSERT_EQ(::fstat(pair.client->fd(), &after), 0);
  EXPECT_EQ(pair.client->fd(), fd);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_P(TransportSuite, after_half_a_close_the_other_half_goes_on) {
  Pair pair = standing_pair();
  ASSERT_TRUE(write_all(*pair.client, pattern(10, 1)));
  ASSERT_TRUE(shut_down(*pair.client));
  ASSERT_TRUE(shut_down(*pair.client)) << "a second shutdown does nothing";
  const auto heard = read_to_end(*pair.server);
  ASSERT_TRUE(heard) << heard.error().text();
  EXPECT_EQ(heard->size(), 10U);
  ASSERT_TRUE(write_all(*pair.server, pattern(50'000, 2)));
  ASSERT_TRUE(shut_down(*pair.server));
  const auto answer = read_to_end(*pair.client);
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_TRUE(*answer == pattern(50'000, 2));
  const auto late = pair.client->write(pattern(1, 1));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::state);
}

TEST_P(TransportSuite, a_reset_is_a_failure_and_not_an_end) {
  Pair pair = standing_pair();
  const linger at_once{1, 0};
  ::setsockopt(pair.server->fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  pair.server.reset();
  const auto heard = read_to_end(*pair.client);
  ASSERT_FALSE(heard);
  EXPECT_EQ(heard.error().code, Code::closed) << heard.error().text();
  EXPECT_FALSE(read_to_end(*pair.client)) << "nor is it one when it is asked for again";
}

TEST_P(TransportSuite, a_reset_that_a_write_met_is_no_end_for_a_read) {
  Pair pair = standing_pair();
  const linger at_once{1, 0};
  ::setsockopt(pair.server->fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  pair.server.reset();
  ASSERT_FALSE(pair.client->write(pattern(10, 1)));
  EXPECT_FALSE(read_to_end(*pair.client));
}

TEST_P(TransportSuite, can_be_closed_at_every_step_and_leaves_nothing_open) {
  const size_t open = open_descriptors();
  bool stands = false;
  for (int steps = 0; !stands && steps < 100; ++steps) {
    Pair pair = ends_.connect(listener_);
    for (int i = 0; i < steps; ++i) {
      plugin::Stream& stream = i % 2 == 0 ? *pair.client : *pair.server;
      const auto step = stream.handshake();
      ASSERT_TRUE(step) << step.error().text();
      if (i % 2 == 1) stands = *step == IoStep::ok;
    }
  }
  EXPECT_TRUE(stands);
  EXPECT_EQ(open_descriptors(), open);
}

TEST_P(TransportSuite, streams_of_one_instance_do_not_mix) {
  Pair one = standing_pair();
  Pair two = standing_pair();
  for (uint32_t round = 0; round < 20; ++round) {
    ASSERT_TRUE(write_all(*one.client, pattern(3000, round)));
    ASSERT_TRUE(write_all(*two.client, pattern(3000, round + 1000)));
    const auto second = transfer(*two.server, *two.client, pattern(500, round));
    ASSERT_TRUE(second);
    EXPECT_TRUE(*second == pattern(500, round));
    for (auto& [pair, seed] : {std::pair{&one, round}, std::pair{&two, round + 1000}}) {
      Bytes whole(3000);
      size_t got = 0;
      while (got < whole.size())
        got += read_some(*pair->server, ByteSpan(whole).subspan(got)).value();
      EXPECT_TRUE(whole == pattern(3000, seed));
    }
  }
}

TEST_P(TransportSuite, a_silent_peer_stalls_the_handshake_without_blocking) {
  plugin::Endpoint endpoint;
  endpoint.address = "127.0.0.1";
  endpoint.port = listener_.port();
  StreamPtr silent = ends_.tcp.connect(endpoint).value();
  ASSERT_TRUE(shake_hands(*silent));
  StreamPtr server = ends_.wrap_server(listener_.accept().value()).value();
  const auto step = server->handshake();
  ASSERT_TRUE(step);
  EXPECT_EQ(*step, is_tls() ? IoStep::want_read : IoStep::ok);
  EXPECT_FALSE(is_ready(server->fd(), POLLIN));
}

TEST_P(TransportSuite, tells_protocol_and_addresses) {
  Pair pair = standing_pair();
  const auto text = [](plugin::Stream& s, uint32_t what) {
    const auto fact = s.info(what);
    return fact ? std::string(as_text(*fact)) : fact.error().text();
  };
  EXPECT_EQ(text(*pair.client, CB_INFO_PROTOCOL), is_tls() ? "TLSv1.3" : "tcp");
  EXPECT_EQ(text(*pair.client, CB_INFO_PEER_ADDRESS),
            "127.0.0.1:" + std::to_string(listener_.port()));
  EXPECT_EQ(text(*pair.client, CB_INFO_LOCAL_ADDRESS), text(*pair.server, CB_INFO_PEER_ADDRESS));
  EXPECT_EQ(pair.client->info(999).error().code, Code::unsupported);
}

INSTANTIATE_TEST_SUITE_P(Stacks, TransportSuite, testing::Values("tcp", "tls_tcp"),
                         [](const auto& stack) { return stack.param; });

TEST(TransportTcp, refuses_names_since_they_are_for_the_host_to_resolve) {
  const plugin::Transport tcp = make("transport-tcp");
  plugin::Endpoint endpoint;
  endpoint.address = "localhost";
  endpoint.port = 1;
  EXPECT_EQ(tcp.connect(endpoint).error().code, Code::invalid);
}

TEST(TransportTcp, a_refused_connection_is_closed_and_may_be_tried_again) {
  const Ends ends{make("transport-tcp"), {}, {}, ""};
  plugin::Endpoint endpoint;
  endpoint.address = "127.0.0.1";
  endpoint.port = ends.listen().port();  // and closed again
  auto stream = ends.tcp.connect(endpoint);
  const Error error = stream ? shake_hands(**stream).error() : stream.error();
  EXPECT_EQ(error.code, Code::closed) << error.text();
  EXPECT_EQ(error.retry, Retry::yes);
  EXPECT_NE(error.text().find("127.0.0.1:"), std::string::npos) << error.text();
}

TEST(TransportTcp, a_taken_address_is_busy) {
  const Ends ends{make("transport-tcp"), {}, {}, ""};
  const plugin::Listener first = ends.listen();
  plugin::Endpoint endpoint;
  endpoint.direction = CB_ENDPOINT_LISTEN;
  endpoint.address = "127.0.0.1";
  endpoint.port = first.port();
  const auto second = ends.tcp.listen(endpoint);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::busy);
}

TEST(TransportTcp, speaks_ipv6_beside_ipv4_on_the_same_port) {
  const Ends ends{make("transport-tcp"), {}, {}, ""};
  plugin::Endpoint endpoint;
  endpoint.direction = CB_ENDPOINT_LISTEN;
  endpoint.address = "::";
  auto v6 = ends.tcp.listen(endpoint);
  if (!v6) GTEST_SKIP() << "no IPv6 here: " << v6.error().text();
  endpoint.address = "0.0.0.0";
  endpoint.port = v6->port();
  EXPECT_TRUE(ends.tcp.listen(endpoint));
  endpoint.direction = CB_ENDPOINT_CONNECT;
  endpoint.address = "::1";
  auto client = ends.tcp.connect(endpoint);
  if (!client) GTEST_SKIP() << "no IPv6 here: " << client.error().text();
  ASSERT_TRUE(shake_hands(**client));
  const StreamPtr server = v6->accept().value();
  ASSERT_TRUE(server);
  const std::string peer(as_text(server->info(CB_INFO_PEER_ADDRESS).value()));
  EXPECT_EQ(peer.substr(0, 6), "[::1]:");
}

TEST(TransportTcp, out_of_descriptors_is_a_limit_and_the_connection_stays_in_the_queue) {
  const Ends ends{make("transport-tcp"), {}, {}, ""};
  plugin::Listener listener = ends.listen();
  plugin::Endpoint endpoint;
  endpoint.address = "127.0.0.1";
  endpoint.port = listener.port();
  const StreamPtr client = ends.tcp.connect(endpoint).value();
  ASSERT_TRUE(shake_hands(*client));
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{static_cast<rlim_t>(client->fd()), before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  const auto refused = listener.accept();
  ::setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::limit) << refused.error().text();
  EXPECT_EQ(refused.error().retry, Retry::yes);
  EXPECT_TRUE(listener.accept().value());
}

TEST(TransportTcp, options_reach_the_socket) {
  const auto read_option = [](int fd, int level, int name) {
    int value = 0;
    socklen_t size = sizeof(value);
    ::getsockopt(fd, level, name, &value, &size);
    return value;
  };
  Ends ends{make("transport-tcp", {{"nodelay", "false"},
                                   {"keepalive", "0s"},
                                   {"send_buffer", "64KiB"},
                                   {"receive_buffer", "32KiB"}}),
            {},
            {},
            ""};
  plugin::Listener listener = ends.listen();
  const Pair plain = ends.connect(listener);
  EXPECT_EQ(read_option(plain.client->fd(), IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(read_option(plain.client->fd(), SOL_SOCKET, SO_KEEPALIVE), 0);
  // Linux doubles what it is asked for.
  EXPECT_EQ(read_option(plain.client->fd(), SOL_SOCKET, SO_SNDBUF), 2 * 64 * 1024);
  EXPECT_EQ(read_option(plain.server->fd(), SOL_SOCKET, SO_RCVBUF), 2 * 32 * 1024);
  ends.tcp = make("transport-tcp");
  const Pair tuned = ends.connect(listener);
  EXPECT_EQ(read_option(tuned.client->fd(), IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(read_option(tuned.client->fd(), SOL_SOCKET, SO_KEEPALIVE), 1);
}

}  // namespace
}  // namespace cb::test
