// SPDX-License-Identifier: Apache-2.0
#include "core/stream/listener.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <thread>

#include "core/stream/run_coroutine.h"
#include "tests/suites/transport_pair.h"

namespace cb::stream::test {
namespace {

using Accepted = Result<std::unique_ptr<plugin::Stream>>;

class ListenerTest : public testing::Test {
 protected:
  cb::test::StreamPtr knock() {
    plugin::Endpoint endpoint;
    endpoint.address = "127.0.0.1";
    endpoint.port = listener_.port();
    return ends_.tcp.connect(endpoint).value();
  }

  cb::test::Ends ends_{cb::test::make("transport-tcp"), {}, {}, ""};
  asio::io_context context_{1};
  Listener listener_{context_.get_executor(), ends_.listen()};
};

TEST_F(ListenerTest, accepts_those_that_wait_and_those_that_come_later) {
  const cb::test::StreamPtr early = knock();
  EXPECT_TRUE(run(context_, listener_.accept()).value());
  Running<Accepted> accepting(context_, listener_.accept());
  context_.restart();
  context_.poll();
  EXPECT_FALSE(accepting.done());
  const cb::test::StreamPtr late = knock();
  run_all(context_);
  EXPECT_TRUE(accepting.get().value());
}

TEST_F(ListenerTest, waits_when_there_are_no_descriptors_and_then_goes_on) {
  const cb::test::StreamPtr client = knock();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{static_cast<rlim_t>(client->fd()), before.rlim_max};
  Running<Accepted> accepting(context_, listener_.accept());
  ::setrlimit(RLIMIT_NOFILE, &none);
  while (listener_.refusals() < 3 && !accepting.done()) context_.run_one();
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_FALSE(accepting.done());
  run_all(context_);
  EXPECT_TRUE(accepting.get().value());
  EXPECT_GE(listener_.refusals(), 3U);
}

TEST_F(ListenerTest, cancel_from_another_thread_ends_the_accept) {
  Running<Accepted> accepting(context_, listener_.accept());
  std::thread other([this] { listener_.cancel(); });
  context_.run();
  other.join();
  run_all(context_);
  EXPECT_EQ(accepting.get().error().code, Code::cancelled);
  EXPECT_EQ(run(context_, listener_.accept()).error().code, Code::cancelled);
}

TEST_F(ListenerTest, close_ends_the_accept_and_frees_the_port) {
  Running<Accepted> accepting(context_, listener_.accept());
  context_.poll();
  const size_t open = cb::test::open_descriptors();
  run(context_, listener_.close());
  EXPECT_EQ(accepting.get().error().code, Code::cancelled);
  EXPECT_EQ(cb::test::open_descriptors(), open - 1);
}

}  // namespace
}  // namespace cb::stream::test
