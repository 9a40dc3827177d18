// SPDX-License-Identifier: Apache-2.0
#include "bench/mix/drive.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cb::bench {
namespace {

using boost::asio::awaitable;
using Moment = std::chrono::steady_clock::time_point;

// Of a hundred acts so many are of each kind; the rest are restores.
constexpr uint64_t kBackups = 30;
constexpr uint64_t kUploads = 15;
constexpr uint64_t kForgets = 5;
constexpr uint64_t kLogins = 8;  // in full
constexpr uint64_t kResumes = 12;

}  // namespace

void Drive::spawn(awaitable<void> one) {
  most_ = std::max(most_, ++under_way_);
  boost::asio::co_spawn(context_, std::move(one), [this](const std::exception_ptr& thrown) {
    --under_way_;
    if (thrown) std::rethrow_exception(thrown);
  });
}

void Drive::begin_closed(size_t workers) {
  for (size_t i = 0; i < workers; ++i) spawn(work(round_));
}

void Drive::begin_open(double a_second) { spawn(arrive(round_, a_second)); }

Act Drive::draw() {
  uint64_t drawn = random_() % 100;
  const auto is = [&drawn](uint64_t share) {
    const bool hit = drawn < share;
    if (!hit) drawn -= share;
    return hit;
  };
  if (is(kBackups)) return Act::backup;
  if (is(kUploads)) return v3_.size() > 0 ? Act::v3_upload : Act::backup;
  if (is(kForgets)) return Act::forget;
  if (is(kLogins)) return v4_.conversations().take() ? Act::login : Act::restore;
  if (is(kResumes)) return v4_.conversations().take() ? Act::resume : Act::restore;
  return Act::restore;
}

awaitable<void> Drive::act(Moment due) {
  const Act drawn = draw();
  if (drawn == Act::v3_upload) co_return co_await v3_.upload(due);
  co_await v4_.act(drawn, due);
}

awaitable<void> Drive::work(size_t round) {
  while (round == round_) co_await act(std::chrono::steady_clock::now());
}

awaitable<void> Drive::arrive(size_t round, double a_second) {
  std::exponential_distribution<double> gap(a_second);
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  Moment due = std::chrono::steady_clock::now();
  while (round == round_) {
    due +=
        std::chrono::duration_cast<Moment::duration>(std::chrono::duration<double>(gap(random_)));
    timer.expires_at(due);
    co_await timer.async_wait(boost::asio::use_awaitable);
    if (round == round_) spawn(act(due));
  }
}

}  // namespace cb::bench
