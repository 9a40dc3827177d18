// SPDX-License-Identifier: Apache-2.0
#include "core/stream/buffer_pool.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/strand.hpp>
#include <thread>
#include <vector>

#include "core/stream/io_threads.h"
#include "core/stream/run_coroutine.h"

namespace cb::stream::test {
namespace {

asio::awaitable<void> use(BufferPool& pool, std::vector<int>& order, int number, Buffer& keep) {
  keep = co_await pool.take();
  order.push_back(number);
}

TEST(BufferPool, at_the_ceiling_taking_waits_for_a_return_first_come_first_served) {
  asio::io_context context(1);
  BufferPool pool(1000, 2500);
  EXPECT_EQ(pool.counts().limit, 2U);
  std::vector<int> order;
  Buffer buffers[4];
  for (int i = 0; i < 4; ++i)
    asio::co_spawn(context, use(pool, order, i, buffers[i]), [](std::exception_ptr) {});
  context.poll();
  EXPECT_EQ(order, (std::vector<int>{0, 1}));
  EXPECT_EQ(pool.counts().waiting, 2U);
  EXPECT_FALSE(pool.try_take());
  buffers[1] = Buffer();
  context.poll();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
  buffers[0] = Buffer();
  run_all(context);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(buffers[3].size(), 1000U);
  EXPECT_EQ(pool.counts().taken, 2U);
  EXPECT_EQ(pool.counts().most_taken, 2U);
}

TEST(BufferPool, a_returned_buffer_goes_to_those_who_wait_before_others) {
  asio::io_context context(1);
  BufferPool pool(10, 10);
  std::vector<int> order;
  Buffer held = pool.try_take();
  Buffer waiting;
  asio::co_spawn(context, use(pool, order, 1, waiting), [](std::exception_ptr) {});
  context.poll();
  held = Buffer();
  EXPECT_FALSE(pool.try_take());
  context.poll();
  EXPECT_TRUE(waiting);
}

TEST(BufferPool, keeps_a_part_of_what_comes_back) {
  BufferPool pool(10, 80);
  {
    std::vector<Buffer> all;
    while (Buffer buffer = pool.try_take()) all.push_back(std::move(buffer));
    EXPECT_EQ(all.size(), 8U);
  }
  EXPECT_EQ(pool.counts().taken, 0U);
  EXPECT_EQ(pool.counts().kept, 2U);
}

TEST(BufferPool, who_stops_waiting_takes_nothing) {
  asio::io_context context(1);
  BufferPool pool(10, 10);
  Buffer held = pool.try_take();
  asio::cancellation_signal stop;
  bool empty = false;
  asio::co_spawn(
      context,
      [](BufferPool& from, bool& none) -> asio::awaitable<void> {
        const Buffer buffer = co_await from.take();
        none = !buffer;
      }(pool, empty),
      asio::bind_cancellation_slot(stop.slot(), [](std::exception_ptr) {}));
  context.poll();
  EXPECT_EQ(pool.counts().waiting, 1U);
  stop.emit(asio::cancellation_type::terminal);
  run_all(context);
  EXPECT_TRUE(empty);
  EXPECT_EQ(pool.counts().waiting, 0U);
  held = Buffer();
  EXPECT_EQ(pool.counts().taken, 0U);
}

TEST(BufferPool, a_buffer_may_outlive_its_pool) {
  Buffer buffer;
  {
    BufferPool pool(10, 10);
    buffer = pool.try_take();
  }
  EXPECT_EQ(buffer.span().size(), 10U);
}

TEST(BufferPool, never_exceeds_its_ceiling_under_many_threads) {
  constexpr size_t kLimit = 4;
  BufferPool pool(64, 64 * kLimit);
  std::atomic<size_t> out{0}, most{0}, done{0};
  {
    IoThreads threads(4);
    for (int i = 0; i < 64; ++i) {
      const auto strand = threads.make_strand();
      asio::co_spawn(
          strand,
          [](BufferPool& from, std::atomic<size_t>& now, std::atomic<size_t>& peak,
             std::atomic<size_t>& finished) -> asio::awaitable<void> {
            for (int round = 0; round < 200; ++round) {
              Buffer buffer = co_await from.take();
              const size_t here = ++now;
              size_t seen = peak.load();
              while (seen < here && !peak.compare_exchange_weak(seen, here)) continue;
              buffer.span()[0] = std::byte{1};
              --now;
            }
            ++finished;
          }(pool, out, most, done),
          [](std::exception_ptr) {});
    }
    threads.join();
  }
  EXPECT_EQ(done, 64U);
  EXPECT_LE(most, kLimit);
  EXPECT_EQ(pool.counts().taken, 0U);
}

TEST(IoThreads, go_on_after_an_exception_when_somebody_hears_of_it) {
  std::atomic<int> heard{0}, ran{0};
  IoThreads threads(2, [&](std::exception_ptr) { ++heard; });
  for (int i = 0; i < 5; ++i) {
    asio::co_spawn(
        threads.make_strand(),
        [](std::atomic<int>& count) -> asio::awaitable<void> {
          ++count;
          throw std::runtime_error("handler");
          co_return;
        }(ran),
        [](std::exception_ptr thrown) { std::rethrow_exception(thrown); });
  }
  threads.join();
  EXPECT_EQ(ran, 5);
  EXPECT_EQ(heard, 5);
}

}  // namespace
}  // namespace cb::stream::test
