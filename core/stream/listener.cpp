// SPDX-License-Identifier: Apache-2.0
#include "core/stream/listener.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <string>

namespace cb::stream {

namespace {

constexpr std::chrono::milliseconds kFirstPause{5};
constexpr std::chrono::milliseconds kLongestPause{1000};

}  // namespace

struct Listener::State : std::enable_shared_from_this<Listener::State> {
  State(asio::any_io_executor e, plugin::Listener l)
      : executor(std::move(e)),
        listener(std::move(l)),
        descriptor(executor),
        bell(executor),
        quiet(executor, asio::steady_timer::time_point::max()),
        port(listener->port()) {
    descriptor.assign(listener->fd(), assign_error);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (descriptor.is_open()) descriptor.release();
  }

  // Sleeps until `time` or until the bell rings.
  asio::awaitable<void> sleep(asio::steady_timer::time_point time) {
    boost::system::error_code woken;
    bell.expires_at(time);
    co_await bell.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }

  void arm() {
    if (armed) return;
    armed = true;
    descriptor.async_wait(asio::posix::descriptor_base::wait_read,
                          [self = shared_from_this()](boost::system::error_code) {
                            self->armed = false;
                            self->bell.cancel();
                            self->note_quiet();
                          });
  }

  void wake() {
    boost::system::error_code ignored;
    if (descriptor.is_open()) descriptor.cancel(ignored);
    bell.cancel();
  }
  void note_quiet() {
    if (!armed && !busy) quiet.cancel();
  }

  asio::any_io_executor executor;
  std::optional<plugin::Listener> listener;
  asio::posix::stream_descriptor descriptor;
  boost::system::error_code assign_error;
  asio::steady_timer bell;   // rung by readiness and by cancel
  asio::steady_timer quiet;  // cancelled when nothing is under way any more
  const uint16_t port;
  std::atomic<bool> cancelled{false};
  std::atomic<uint64_t> refusals{0};
  bool armed = false;
  bool busy = false;
};

namespace {

using State = Listener::State;
using Accepted = Result<std::unique_ptr<plugin::Stream>>;

class Busy {
 public:
  explicit Busy(State& state) : state_(state) { state_.busy = true; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() {
    state_.busy = false;
    state_.note_quiet();
  }

 private:
  State& state_;
};

Status usable(const State& state) {
  const std::string object = "listener on port " + std::to_string(state.port);
  if (state.cancelled || !state.listener) {
    return failed(Code::cancelled, object, "the listener was closed");
  }
  if (state.assign_error) return failed(fail_errno(state.assign_error.value(), object, "watch it"));
  return {};
}

asio::awaitable<Accepted> accept_on(std::shared_ptr<State> state) {
  CB_CO_TRY(usable(*state));
  if (state->busy) co_return failed(Code::state, "listener", "an accept is already under way");
  const Busy busy(*state);
  auto pause = kFirstPause;
  for (;;) {
    CB_CO_TRY(usable(*state));
    Accepted accepted = state->listener->accept();
    if (accepted && *accepted) co_return accepted;
    if (accepted) {
      state->arm();
      co_await state->sleep(asio::steady_timer::time_point::max());
    } else if (accepted.error().code == Code::limit) {
      ++state->refusals;
      co_await state->sleep(std::chrono::steady_clock::now() + pause);
      pause = std::min(2 * pause, kLongestPause);
    } else if (accepted.error().code != Code::closed) {
      co_return accepted;
    }
  }
}

asio::awaitable<void> close_on(std::shared_ptr<State> state) {
  state->cancelled = true;
  state->wake();
  while (state->armed || state->busy) {
    boost::system::error_code rung;
    co_await state->quiet.async_wait(asio::redirect_error(asio::use_awaitable, rung));
  }
  if (state->descriptor.is_open()) state->descriptor.release();
  state->listener.reset();
}

}  // namespace

Listener::Listener(asio::any_io_executor executor, plugin::Listener listener)
    : state_(std::make_shared<State>(std::move(executor), std::move(listener))) {}

Listener::~Listener() { cancel(); }

asio::awaitable<Accepted> Listener::accept() { return accept_on(state_); }

void Listener::cancel() {
  if (state_->cancelled.exchange(true)) return;
  asio::post(state_->executor, [state = state_] { state->wake(); });
}

asio::awaitable<void> Listener::close() { return close_on(state_); }

uint16_t Listener::port() const { return state_->port; }
uint64_t Listener::refusals() const { return state_->refusals; }

}  // namespace cb::stream
