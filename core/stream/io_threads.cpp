// SPDX-License-Identifier: Apache-2.0
#include "core/stream/io_threads.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace cb::stream {

struct IoThreads::State {
  State(unsigned count, OnException handler)
      : context(static_cast<int>(count)), on_exception(std::move(handler)) {}

  void run() {
    for (;;) {
      if (!on_exception) {
        context.run();
        return;
      }
      try {
        context.run();
        return;
      } catch (...) {
        on_exception(std::current_exception());
      }
    }
  }

  asio::io_context context;
  OnException on_exception;
  std::mutex mutex;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
  std::vector<std::thread> threads;
};

IoThreads::IoThreads(unsigned threads, OnException on_exception)
    : state_(std::make_unique<State>(std::max(1U, threads), std::move(on_exception))) {
  state_->work.emplace(state_->context.get_executor());
  for (unsigned i = 0; i < std::max(1U, threads); ++i)
    state_->threads.emplace_back([state = state_.get()] { state->run(); });
}

IoThreads::~IoThreads() {
  stop();
  join();
}

asio::any_io_executor IoThreads::executor() const { return state_->context.get_executor(); }

asio::any_io_executor IoThreads::make_strand() const {
  return asio::make_strand(state_->context.get_executor());
}

void IoThreads::stop() { state_->context.stop(); }

void IoThreads::join() {
  const std::lock_guard lock(state_->mutex);
  state_->work.reset();
  for (std::thread& thread : state_->threads)
    if (thread.joinable()) thread.join();
}

}  // namespace cb::stream
