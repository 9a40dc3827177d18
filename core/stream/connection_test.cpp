// SPDX-License-Identifier: Apache-2.0
#include "core/stream/connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "core/stream/run_coroutine.h"
#include "tests/suites/transport_pair.h"

namespace cb::stream::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A connection over the TCP plugin, and the bare stream at its other end.
class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest() {
    cb::test::Pair pair = ends_.connect(listener_);
    EXPECT_TRUE(cb::test::shake_hands(pair).client);
    far_ = std::move(pair.server);
    near_ = std::make_unique<Connection>(context_.get_executor(), std::move(pair.client));
  }

  cb::test::Ends ends_{cb::test::make("transport-tcp"), {}, {}, ""};
  plugin::Listener listener_ = ends_.listen();
  asio::io_context context_{1};
  cb::test::StreamPtr far_;
  std::unique_ptr<Connection> near_;
};

TEST_F(ConnectionTest, reads_wait_for_bytes_and_then_for_the_end) {
  Bytes first(3);
  Running<Result<void>> reading(context_, near_->read_exactly(first));
  context_.poll();
  EXPECT_FALSE(reading.done());
  ASSERT_TRUE(cb::test::write_all(*far_, as_bytes("abc")));
  run_all(context_);
  ASSERT_TRUE(reading.get());
  EXPECT_EQ(as_text(first), "abc");

  Running<Result<size_t>> ending(context_, near_->read_some(first));
  context_.restart();
  context_.poll();
  EXPECT_FALSE(ending.done());
  ASSERT_TRUE(cb::test::shut_down(*far_));
  run_all(context_);
  EXPECT_EQ(ending.get().value(), 0U);
}

TEST_F(ConnectionTest, an_end_amid_what_was_expected_is_closed) {
  ASSERT_TRUE(cb::test::write_all(*far_, as_bytes("ab")));
  ASSERT_TRUE(cb::test::shut_down(*far_));
  Bytes three(3);
  const auto read = run(context_, near_->read_exactly(three));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::closed);
}

TEST_F(ConnectionTest, reads_and_writes_at_the_same_time) {
  Connection other(context_.get_executor(), std::move(far_));
  const Bytes content = cb::test::pattern(9U << 20, 1);
  Bytes there(content.size()), back(content.size());
  Running<Result<void>> a(context_, near_->write(content));
  Running<Result<void>> b(context_, other.write(content));
  Running<Result<void>> c(context_, near_->read_exactly(back));
  Running<Result<void>> d(context_, other.read_exactly(there));
  run_all(context_);
  ASSERT_TRUE(a.get() && b.get() && c.get() && d.get());
  EXPECT_TRUE(there == content);
  EXPECT_TRUE(back == content);
}

TEST_F(ConnectionTest, a_read_past_its_deadline_times_out_and_then_only_close_is_left) {
  near_->set_read_timeout(milliseconds(20));
  Bytes room(1);
  const auto read = run(context_, near_->read_some(room));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::timeout);
  EXPECT_FALSE(read.error().advice.empty());
  ASSERT_TRUE(cb::test::write_all(*far_, as_bytes("x")));
  EXPECT_EQ(run(context_, near_->read_some(room)).error().code, Code::state);
  run(context_, near_->close());
}

TEST_F(ConnectionTest, a_write_past_its_deadline_times_out) {
  near_->set_write_timeout(milliseconds(20));
  const auto wrote = run(context_, near_->write(cb::test::pattern(32U << 20, 1)));
  ASSERT_FALSE(wrote);
  EXPECT_EQ(wrote.error().code, Code::timeout);
}

// As when there is no memory to go on with it.
TEST_F(ConnectionTest, after_a_write_that_was_cut_off_nothing_more_is_written) {
  const Bytes much = cb::test::pattern(32U << 20, 1);
  asio::cancellation_signal cut;
  asio::co_spawn(
      context_, [&]() -> asio::awaitable<void> { (void)co_await near_->write(much); },
      asio::bind_cancellation_slot(cut.slot(), [](const std::exception_ptr&) {}));
  context_.poll();
  cut.emit(asio::cancellation_type::terminal);
  context_.poll();
  const auto wrote = run(context_, near_->write(as_bytes("more")));
  ASSERT_FALSE(wrote);
  EXPECT_EQ(wrote.error().code, Code::closed);
  run(context_, near_->close());
}

TEST_F(ConnectionTest, a_wait_for_bytes_may_end_without_harm_and_loses_none) {
  EXPECT_FALSE(run(context_, near_->wait_readable(milliseconds(10))).value());
  ASSERT_TRUE(cb::test::write_all(*far_, as_bytes("abc")));
  EXPECT_TRUE(run(context_, near_->wait_readable(seconds(10))).value());
  EXPECT_TRUE(run(context_, near_->wait_readable(seconds(10))).value());
  Bytes three(3);
  ASSERT_TRUE(run(context_, near_->read_exactly(three)));
  EXPECT_EQ(as_text(three), "abc");
  EXPECT_FALSE(run(context_, near_->wait_readable(milliseconds(10))).value());
  ASSERT_TRUE(cb::test::shut_down(*far_));
  EXPECT_TRUE(run(context_, near_->wait_readable(seconds(10))).value());
  EXPECT_EQ(run(context_, near_->read_some(three)).value(), 0U);
}

TEST_F(ConnectionTest, read_ready_gives_what_is_there_and_never_waits) {
  Bytes three(3);
  EXPECT_EQ(near_->read_ready(three).value(), 0U);
  ASSERT_TRUE(cb::test::write_all(*far_, as_bytes("abcd")));
  ASSERT_TRUE(run(context_, near_->wait_readable(seconds(10))).value());
  EXPECT_EQ(near_->read_ready(three).value(), 3U);
  EXPECT_EQ(as_text(three), "abc");
  EXPECT_EQ(near_->read_ready(three).value(), 1U);
  EXPECT_EQ(near_->read_ready(three).value(), 0U);
  ASSERT_TRUE(cb::test::shut_down(*far_));
  ASSERT_TRUE(run(context_, near_->wait_readable(seconds(10))).value());
  EXPECT_EQ(near_->read_ready(three).value(), 0U);
  EXPECT_EQ(run(context_, near_->read_some(three)).value(), 0U);
}

TEST_F(ConnectionTest, a_reset_behind_a_waiting_byte_is_not_lost) {
  ASSERT_TRUE(cb::test::write_all(*far_, as_bytes("a")));
  ASSERT_TRUE(run(context_, near_->wait_readable(seconds(10))).value());
  const linger at_once{1, 0};
  ::setsockopt(far_->fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  far_.reset();
  Bytes room(10);
  EXPECT_EQ(run(context_, near_->read_some(room)).value(), 1U);
  for (int again = 0; again < 2; ++again) {
    const auto read = run(context_, near_->read_some(room));
    ASSERT_FALSE(read) << "a reset must not look like an end";
    EXPECT_EQ(read.error().code, Code::closed);
  }
}

TEST_F(ConnectionTest, cancel_from_another_thread_ends_a_wait) {
  Bytes room(1);
  Running<Result<size_t>> reading(context_, near_->read_some(room));
  std::thread other([this] { near_->cancel(); });
  context_.run();
  other.join();
  run_all(context_);
  ASSERT_FALSE(reading.get());
  EXPECT_EQ(reading.get().error().code, Code::cancelled);
  EXPECT_EQ(run(context_, near_->write(room)).error().code, Code::cancelled);
}

TEST_F(ConnectionTest, close_lets_pending_waits_end_and_then_closes_the_descriptor) {
  const size_t open = cb::test::open_descriptors();
  Bytes room(1);
  const Bytes much = cb::test::pattern(32U << 20, 1);
  Running<Result<size_t>> reading(context_, near_->read_some(room));
  Running<Result<void>> writing(context_, near_->write(much));
  context_.poll();
  EXPECT_FALSE(reading.done() || writing.done());
  run(context_, near_->close());
  EXPECT_EQ(reading.get().error().code, Code::cancelled);
  EXPECT_EQ(writing.get().error().code, Code::cancelled);
  EXPECT_EQ(cb::test::open_descriptors(), open - 1);
}

TEST_F(ConnectionTest, destroying_without_close_ends_waits_and_closes_the_descriptor) {
  Bytes room(1);
  Running<Result<size_t>> reading(context_, near_->read_some(room));
  context_.poll();
  const size_t open = cb::test::open_descriptors();
  near_.reset();
  EXPECT_FALSE(reading.done());
  run_all(context_);
  EXPECT_EQ(reading.get().error().code, Code::cancelled);
  EXPECT_EQ(cb::test::open_descriptors(), open - 1);
}

TEST_F(ConnectionTest,
       a_context_that_ends_first_destroys_waiting_coroutines_and_their_descriptors) {
  const size_t before = cb::test::open_descriptors();
  {
    cb::test::Pair pair = ends_.connect(listener_);
    Bytes room(1);
    asio::io_context context(1);
    Connection connection(context.get_executor(), std::move(pair.client));
    asio::co_spawn(
        context,
        [](Connection& c, ByteSpan into) -> asio::awaitable<void> {
          (void)co_await c.read_some(into);
        }(connection, room),
        [](std::exception_ptr) {});
    context.poll();
  }
  EXPECT_EQ(cb::test::open_descriptors(), before);
}

TEST_F(ConnectionTest, a_second_read_beside_the_first_is_refused) {
  Bytes one(1), two(1);
  Running<Result<size_t>> first(context_, near_->read_some(one));
  Running<Result<size_t>> second(context_, near_->read_some(two));
  context_.poll();
  ASSERT_TRUE(second.done());
  EXPECT_EQ(second.get().error().code, Code::state);
  EXPECT_FALSE(first.done());
  ASSERT_TRUE(cb::test::write_all(*far_, as_bytes("x")));
  run_all(context_);
  EXPECT_EQ(first.get().value(), 1U);
}

TEST_F(ConnectionTest, much_data_without_waits_does_not_keep_others_from_running) {
  // Two times the turn fits into the system's buffers, so that no read has to wait.
  const Bytes much = cb::test::pattern(size_t{5} << 19, 1);
  ASSERT_TRUE(cb::test::write_all(*far_, much));
  Bytes all(much.size());
  Running<Result<void>> reading(context_, [](Connection& c, ByteSpan into) -> Task<void> {
    for (size_t at = 0; at < into.size(); at += 4096) {
      const ByteSpan part = into.subspan(at, std::min<size_t>(4096, into.size() - at));
      const Result<void> read = co_await c.read_exactly(part);
      if (!read) co_return failed(read.error());
    }
    co_return Result<void>{};
  }(*near_, all));
  bool ran_between = false;
  asio::post(context_, [&] { ran_between = !reading.done(); });
  run_all(context_);
  ASSERT_TRUE(reading.get());
  EXPECT_TRUE(ran_between);
  EXPECT_TRUE(all == much);
}

TEST_F(ConnectionTest, names_its_peer) {
  EXPECT_EQ(near_->peer(), "127.0.0.1:" + std::to_string(listener_.port()));
}

TEST_F(ConnectionTest, hands_out_its_stream_alive) {
  const cb::test::StreamPtr stream = run(context_, near_->release());
  ASSERT_TRUE(stream);
  ASSERT_TRUE(cb::test::write_all(*stream, as_bytes("hello")));
  Bytes heard(5);
  EXPECT_EQ(cb::test::read_some(*far_, heard).value(), 5U);
}

}  // namespace
}  // namespace cb::stream::test
