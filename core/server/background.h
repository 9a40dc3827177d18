// SPDX-License-Identifier: Apache-2.0
//
// A job on a worker beside the coroutine that started it, one at a time. All functions run on the
// strand that it was made for; the job itself on a worker.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "core/base/result.h"
#include "core/stream/workers.h"

namespace cb::server {

class Background {
 public:
  // `workers` outlives every job.
  Background(stream::Workers& workers, boost::asio::any_io_executor strand);

  // Begins a job; none is under way. What it uses must live until it has finished.
  void start(std::function<Status()> job);
  [[nodiscard]] bool running() const;

  // Waits until the job is done (true) or `timeout` passed (false).
  boost::asio::awaitable<bool> wait(std::chrono::nanoseconds timeout);
  // Waits for the job and tells how it ended; done when there was none. Tells an end once.
  boost::asio::awaitable<Status> finish();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace cb::server
