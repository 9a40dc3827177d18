// SPDX-License-Identifier: Apache-2.0
//
// Threads for what blocks: stores, catalog, passwords. A coroutine hands over a function and goes
// on when it is done. `run` and `counts` are for any thread.
//
// A coroutine is suspended while its function waits or runs, so it never has two in the queue: the
// queue is bounded by the number of coroutines, and a coroutine that waits reads nothing from its
// peer. That is the back-pressure.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace cb::stream {

namespace asio = boost::asio;

class Workers {
 public:
  struct Counts {
    size_t threads = 0;
    size_t running = 0;      // functions that run now
    size_t queued = 0;       // functions that wait for a thread
    size_t most_queued = 0;  // the most that ever waited
    // Functions whose coroutine has not been told yet that they are done: those that wait, those
    // that run, and what lies between. At 0 nothing will happen that is not in an executor already.
    size_t under_way = 0;
  };

  // Starts `threads` threads (at least one).
  explicit Workers(unsigned threads);
  // Runs what is queued, then joins. The executors of waiting coroutines must still exist.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Runs `f()` on a worker and resumes on the caller's executor with what it returned or threw.
  // `f` lives in the coroutine until then. Cannot be cancelled once begun.
  template <typename F>
  asio::awaitable<std::invoke_result_t<F&>> run(F f) {
    using R = std::invoke_result_t<F&>;
    std::exception_ptr thrown;
    if constexpr (std::is_void_v<R>) {
      std::function<void()> job = [&] { guarded(thrown, f); };
      co_await execute(job);
      if (thrown) std::rethrow_exception(thrown);
    } else {
      std::optional<R> result;
      auto keep = [&] { result.emplace(f()); };
      std::function<void()> job = [&] { guarded(thrown, keep); };
      co_await execute(job);
      if (thrown) std::rethrow_exception(thrown);
      co_return std::move(*result);
    }
  }

  [[nodiscard]] Counts counts() const;

 private:
  struct State;

  template <typename F>
  static void guarded(std::exception_ptr& thrown, F& f) noexcept {
    try {
      f();
    } catch (...) {
      thrown = std::current_exception();
    }
  }

  // Runs `job`, which does not throw and which the caller keeps alive, on a worker.
  asio::awaitable<void> execute(std::function<void()>& job);

  std::unique_ptr<State> state_;
};

}  // namespace cb::stream
