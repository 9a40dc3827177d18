// SPDX-License-Identifier: Apache-2.0
#include "core/server/background.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace cb::server {

namespace asio = boost::asio;

struct Background::State {
  State(stream::Workers& with, asio::any_io_executor on)
      : workers(with), strand(std::move(on)), done(strand) {}

  static asio::awaitable<void> run(std::shared_ptr<State> state, std::function<Status()> job) {
    try {
      state->end = co_await state->workers.run(std::move(job));
    } catch (const std::exception& thrown) {
      state->end = failed(Code::internal, "job", thrown.what());
    }
    state->running = false;
    state->done.cancel();
  }

  stream::Workers& workers;
  asio::any_io_executor strand;
  asio::steady_timer done;
  bool running = false;
  Status end;
};

Background::Background(stream::Workers& workers, asio::any_io_executor strand)
    : state_(std::make_shared<State>(workers, std::move(strand))) {}

void Background::start(std::function<Status()> job) {
  state_->running = true;
  asio::co_spawn(state_->strand, State::run(state_, std::move(job)), asio::detached);
}

bool Background::running() const { return state_->running; }

asio::awaitable<bool> Background::wait(std::chrono::nanoseconds timeout) {
  const auto state = state_;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (state->running) {
    if (std::chrono::steady_clock::now() >= deadline) co_return false;
    boost::system::error_code woken;
    state->done.expires_at(deadline);
    co_await state->done.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  co_return true;
}

asio::awaitable<Status> Background::finish() {
  while (state_->running) (void)co_await wait(std::chrono::hours(1));
  co_return std::exchange(state_->end, Status{});
}

}  // namespace cb::server
