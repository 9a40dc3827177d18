// SPDX-License-Identifier: Apache-2.0
//
// Takes the place of core/stream/workers.cpp in a program that has it as a source: Workers of no
// threads do their work at once, in the thread that asks. A conversation then needs no change of
// threads, which would take most of its time, and goes the same way every time. Others have one
// thread, for what waits for its own strand.
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "core/stream/workers.h"

namespace cb::stream {

struct Workers::State {
  void run() {
    for (;;) {
      std::unique_lock lock(mutex);
      wake.wait(lock, [this] { return stopping || !queue.empty(); });
      if (queue.empty()) return;
      const std::function<void()> work = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      work();
      lock.lock();
      --under_way;
    }
  }

  void push(std::function<void()> work) {
    const std::lock_guard lock(mutex);
    ++under_way;
    queue.push_back(std::move(work));
    wake.notify_one();
  }

  mutable std::mutex mutex;
  std::condition_variable wake;
  // Under the mutex.
  std::deque<std::function<void()>> queue;
  size_t under_way = 0;
  bool stopping = false;

  std::thread thread;
};

Workers::Workers(unsigned threads) : state_(std::make_unique<State>()) {
  if (threads > 0) state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Workers::~Workers() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

asio::awaitable<void> Workers::execute(std::function<void()>& job) {
  State* state = state_.get();
  auto start = [state, &job](auto handler) {
    using Handler = decltype(handler);
    const auto executor = asio::get_associated_executor(handler);
    if (!state->thread.joinable()) {
      job();
      return asio::post(executor, std::move(handler));
    }
    // Handlers move only; a function is copied.
    auto kept = std::make_shared<Handler>(std::move(handler));
    auto guard =
        std::make_shared<asio::executor_work_guard<std::decay_t<decltype(executor)>>>(executor);
    state->push([&job, kept, guard] {
      job();
      asio::post(guard->get_executor(), std::move(*kept));
    });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(start, asio::use_awaitable);
}

Workers::Counts Workers::counts() const {
  const std::lock_guard lock(state_->mutex);
  Counts counts;
  counts.threads = state_->thread.joinable() ? 1 : 0;
  counts.queued = state_->queue.size();
  counts.under_way = state_->under_way;
  return counts;
}

}  // namespace cb::stream
