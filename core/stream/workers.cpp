// SPDX-License-Identifier: Apache-2.0
#include "core/stream/workers.h"

#include <algorithm>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace cb::stream {

namespace {

// A function of a suspended coroutine, and the way to resume it.
struct Job {
  virtual ~Job() = default;
  virtual void work() = 0;
  virtual void resume() = 0;
};

template <typename Handler>
struct HandlerJob final : Job {
  HandlerJob(std::function<void()>& f, Handler h)
      : function(f), guard(asio::get_associated_executor(h)), handler(std::move(h)) {}
  void work() override { function(); }
  void resume() override { asio::post(guard.get_executor(), std::move(handler)); }

  std::function<void()>& function;
  asio::executor_work_guard<asio::associated_executor_t<Handler>> guard;
  Handler handler;
};

}  // namespace

struct Workers::State {
  void push(std::unique_ptr<Job> job) {
    {
      const std::lock_guard lock(mutex);
      queue.push_back(std::move(job));
      ++under_way;
      most_queued = std::max(most_queued, queue.size());
    }
    wake.notify_one();
  }

  // The next job, or null when there will be none.
  std::unique_ptr<Job> next() {
    std::unique_lock lock(mutex);
    wake.wait(lock, [this] { return stopping || !queue.empty(); });
    if (queue.empty()) return nullptr;
    std::unique_ptr<Job> job = std::move(queue.front());
    queue.pop_front();
    ++running;
    return job;
  }

  void run() {
    while (std::unique_ptr<Job> job = next()) {
      job->work();
      {
        const std::lock_guard lock(mutex);
        --running;
      }
      job->resume();
      const std::lock_guard lock(mutex);
      --under_way;
    }
  }

  std::mutex mutex;
  std::condition_variable wake;
  // Under the mutex.
  std::deque<std::unique_ptr<Job>> queue;
  size_t running = 0;
  size_t most_queued = 0;
  size_t under_way = 0;
  bool stopping = false;

  std::vector<std::thread> threads;
};

Workers::Workers(unsigned threads) : state_(std::make_unique<State>()) {
  for (unsigned i = 0; i < std::max(1U, threads); ++i)
    state_->threads.emplace_back([state = state_.get()] { state->run(); });
}

Workers::~Workers() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
}

asio::awaitable<void> Workers::execute(std::function<void()>& job) {
  State* state = state_.get();
  auto start = [state, &job](auto handler) {
    state->push(std::make_unique<HandlerJob<decltype(handler)>>(job, std::move(handler)));
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(start, asio::use_awaitable);
}

Workers::Counts Workers::counts() const {
  const std::lock_guard lock(state_->mutex);
  return {state_->threads.size(), state_->running, state_->queue.size(), state_->most_queued,
          state_->under_way};
}

}  // namespace cb::stream
