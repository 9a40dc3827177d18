// SPDX-License-Identifier: Apache-2.0
#include "core/stream/throttle.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cb::stream {

using std::chrono::nanoseconds;

namespace {

constexpr nanoseconds kLongestDoze = std::chrono::milliseconds(200);

}  // namespace

asio::awaitable<void> doze_until(const os::Clock& clock, nanoseconds moment) {
  const nanoseconds left = moment - clock.monotonic();
  if (left <= nanoseconds::zero()) co_return;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(std::min(left, kLongestDoze));
  boost::system::error_code woken;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

Throttle::Throttle(const os::Clock& clock, const Rate& rate)
    : clock_(clock), turn_(turn_of(rate)), bucket_(rate) {}

asio::awaitable<size_t> Throttle::take(size_t wanted) {
  const size_t bytes = std::min<uint64_t>(wanted, turn_);
  nanoseconds moment{};
  {
    const std::lock_guard lock(mutex_);
    const nanoseconds now = clock_.monotonic();
    moment = waiting_ > 0 ? bucket_.book_among_others(bytes, now) : bucket_.book(bytes, now);
    ++waiting_;
  }
  while (clock_.monotonic() < moment) co_await doze_until(clock_, moment);
  const std::lock_guard lock(mutex_);
  --waiting_;
  co_return bytes;
}

}  // namespace cb::stream
