// SPDX-License-Identifier: Apache-2.0
#include "core/stream/workers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "core/stream/run_coroutine.h"

namespace cb::stream::test {
namespace {

TEST(Workers, run_functions_elsewhere_and_resume_at_home) {
  asio::io_context context(1);
  Workers workers(2);
  const auto home = std::this_thread::get_id();
  const auto [there, back] =
      run(context, [](Workers& w) -> asio::awaitable<std::pair<std::thread::id, std::thread::id>> {
        const std::thread::id worker = co_await w.run([] { return std::this_thread::get_id(); });
        co_return std::pair(worker, std::this_thread::get_id());
      }(workers));
  EXPECT_NE(there, home);
  EXPECT_EQ(back, home);
}

TEST(Workers, hand_over_results_that_can_only_be_moved) {
  asio::io_context context(1);
  Workers workers(1);
  const auto result = run(context, [](Workers& w) -> asio::awaitable<std::unique_ptr<int>> {
    auto input = std::make_unique<int>(41);
    co_return co_await w.run([&input] { return std::make_unique<int>(*input + 1); });
  }(workers));
  EXPECT_EQ(*result, 42);
}

TEST(Workers, hand_over_what_was_thrown) {
  asio::io_context context(1);
  Workers workers(1);
  bool ran = false;
  EXPECT_THROW(run(context,
                   [](Workers& w, bool& flag) -> asio::awaitable<void> {
                     co_await w.run([&flag] { flag = true; });
                     co_await w.run([] { throw std::runtime_error("worker"); });
                   }(workers, ran)),
               std::runtime_error);
  EXPECT_TRUE(ran);
}

// Lets a known number of functions stand still until it is opened.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++inside_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void wait_for(int inside) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return inside_ >= inside; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  bool open_ = false;
};

TEST(Workers, run_as_many_at_once_as_there_are_threads_and_queue_the_rest) {
  asio::io_context context(1);
  Workers workers(3);
  Gate gate;
  for (int i = 0; i < 10; ++i) {
    asio::co_spawn(
        context,
        [](Workers& w, Gate& g) -> asio::awaitable<void> { co_await w.run([&g] { g.pass(); }); }(
                                    workers, gate),
        asio::detached);
  }
  context.poll();
  gate.wait_for(3);
  EXPECT_EQ(workers.counts().threads, 3U);
  EXPECT_EQ(workers.counts().running, 3U);
  EXPECT_EQ(workers.counts().queued, 7U);
  EXPECT_EQ(workers.counts().under_way, 10U);
  gate.open();
  run_all(context);
  EXPECT_EQ(workers.counts().running, 0U);
  EXPECT_EQ(workers.counts().queued, 0U);
  while (workers.counts().under_way > 0) std::this_thread::yield();
  EXPECT_GE(workers.counts().most_queued, 7U);
}

TEST(Workers, finish_what_is_queued_before_they_end) {
  asio::io_context context(1);
  int done = 0;
  {
    Workers workers(1);
    for (int i = 0; i < 20; ++i) {
      asio::co_spawn(
          context,
          [](Workers& w, int& count) -> asio::awaitable<void> {
            co_await w.run([&count] { ++count; });
          }(workers, done),
          asio::detached);
    }
    context.poll();
  }
  EXPECT_EQ(done, 20);
  run_all(context);
}

// However many come again and again, none is passed over: a session that has much to store waits
// for each of the others once before its next turn.
TEST(Workers, give_everybody_who_comes_again_a_turn_in_turn) {
  constexpr size_t kMany = 250;
  constexpr size_t kTurns = 20;
  asio::io_context context(1);
  Workers workers(1);
  std::vector<size_t> turns(kMany);  // written by the one worker
  size_t widest = 0;
  const auto work = [&](size_t who) -> asio::awaitable<void> {
    for (size_t i = 0; i < kTurns; ++i)
      co_await workers.run([&, who] {
        ++turns[who];
        const auto [least, most] = std::minmax_element(turns.begin(), turns.end());
        widest = std::max(widest, *most - *least);
      });
  };
  for (size_t i = 0; i < kMany; ++i) asio::co_spawn(context, work(i), asio::detached);
  context.run();
  EXPECT_EQ(turns, std::vector<size_t>(kMany, kTurns));
  EXPECT_EQ(widest, 1U);
}

}  // namespace
}  // namespace cb::stream::test
