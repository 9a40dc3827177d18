// SPDX-License-Identifier: Apache-2.0
#include "core/client/v3_session.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cb::client {
namespace {

namespace asio = boost::asio;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

// May it pass by itself?
bool passes(const Error& error) {
  if (error.retry == Retry::no) return false;
  return error.code == Code::closed || error.code == Code::timeout || error.code == Code::io ||
         error.code == Code::busy;
}

}  // namespace

V3Dialler::V3Dialler(Parts parts)
    : parts_(std::move(parts)),
      backoff_(parts_.settings->backoff, *parts_.random),
      breaker_(parts_.settings->breaker, *parts_.clock) {}

stream::Task<V3Session> V3Dialler::reach() {
  const Deadline deadline = steady_clock::now() + parts_.settings->reach_timeout;
  for (;;) {
    if (cancelled_) co_return failed(Code::cancelled, "connection", "was given up");
    if (!breaker_.allows()) co_return failed(*last_);
    auto session = co_await try_once(deadline);
    if (session) {
      breaker_.succeeded();
      backoff_.reset();
      co_return session;
    }
    last_ = std::move(session).error();
    breaker_.failed();
    const nanoseconds pause = backoff_.next();
    const bool time_is_left = steady_clock::now() + pause < deadline;
    if (!passes(*last_) || !breaker_.allows() || !time_is_left) co_return failed(*last_);
    parts_.note(last_->text() + "; trying again in " + format_duration(pause));
    co_await wait(pause);
  }
}

stream::Task<V3Session> V3Dialler::try_once(Deadline deadline) {
  const V3SendSettings& settings = *parts_.settings;
  const nanoseconds left = std::max<nanoseconds>(deadline - steady_clock::now(), nanoseconds(1));
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  stream::Target target{settings.server.host, settings.server.port, settings.peer_name};
  CB_CO_ASSIGN(auto connection,
               co_await parts_.stack->connect(executor, std::move(target),
                                              std::min(left, settings.connect_timeout)));
  connection->set_write_timeout(settings.write_timeout);
  auto wire = std::make_unique<V3Wire>(std::move(connection), parts_.note, parts_.settings->upload);
  V3Login login(*wire, *parts_.account, deadline, settings.max_repeats, parts_.note);
  logging_in_ = wire.get();
  auto key = co_await login.run();
  logging_in_ = nullptr;
  if (key) co_return V3Session{std::move(wire), std::move(*key)};
  co_await wire->close();
  co_return failed(std::move(key).error());
}

asio::awaitable<void> V3Dialler::wait(nanoseconds duration) {
  if (cancelled_) co_return;
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  waiting_ = &timer;
  boost::system::error_code rung;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, rung));
  waiting_ = nullptr;
}

void V3Dialler::cancel() {
  cancelled_ = true;
  if (logging_in_ != nullptr) logging_in_->cancel();
  if (waiting_ != nullptr) waiting_->cancel();
}

asio::awaitable<void> V3Dialler::pause() { co_await wait(backoff_.next()); }

}  // namespace cb::client
