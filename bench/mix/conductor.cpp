// SPDX-License-Identifier: Apache-2.0
#include "bench/mix/conductor.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cb::bench {
namespace {

using boost::asio::awaitable;

constexpr size_t kComeAtOnce = 16;
constexpr std::chrono::seconds kHeartbeat{60};
constexpr std::chrono::milliseconds kGlance{20};
// How long the daemon may take to let go of what all had.
constexpr int kMostGlancesAfter = 60'000 / 20;

awaitable<void> pause_for(std::chrono::nanoseconds time) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, time);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

void rethrow(const std::exception_ptr& thrown) {
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace

Conductor::Conductor(const MixPlan& plan, Fleet& good, Fleet& bad)
    : plan_(plan),
      good_(good),
      context_(good.context()),
      random_(plan.seed),
      v4_(good, plan.sessions, plan.good.devices, figures_, random_),
      v3_(plan.good, plan.v3, figures_, random_),
      misbehaving_(bad, plan, random_),
      drive_(context_, v4_, v3_, random_),
      samples_(std::make_unique<Samples>(plan)) {}

void Conductor::run() {
  boost::asio::co_spawn(context_, lead(), rethrow);
  context_.restart();
  context_.run();
  samples_->end();
}

void Conductor::enter(Phase phase) {
  figures_.enter(phase);
  samples_->enter(phase);
  std::fprintf(stderr, "load: %s\n", name_of(phase));
}

awaitable<void> Conductor::lead() {
  co_await warm_up();
  co_await load_fully();
  co_await load_half_and_soak();
  co_await let_all_leave();
}

awaitable<void> Conductor::come_all() {
  size_t next = 0, coming = kComeAtOnce;
  const auto come = [&]() -> awaitable<void> {
    while (next < v4_.size() + v3_.size()) {
      const size_t index = next++;
      if (index < v4_.size()) (void)co_await v4_.come(index);
      if (index >= v4_.size()) co_await v3_.come(index - v4_.size());
    }
    --coming;
  };
  for (size_t i = 0; i < kComeAtOnce; ++i) boost::asio::co_spawn(context_, come, rethrow);
  while (coming > 0) co_await pause_for(kGlance);
}

awaitable<void> Conductor::warm_up() {
  enter(Phase::warm_up);
  looks_.before = samples_->look();
  co_await come_all();
  is_beating_ = v4_.size() > 0;
  if (is_beating_)
    boost::asio::co_spawn(context_, v4_.beat(kHeartbeat, over_),
                          [this](const std::exception_ptr& thrown) {
                            is_beating_ = false;
                            rethrow(thrown);
                          });
  looks_.with_sessions = samples_->look();
  misbehaving_.begin(context_);
  co_await pause_for(plan_.time / 10);
  looks_.with_misbehaving = samples_->look();
  upkeep_ = std::make_unique<Upkeep>(plan_.good.admin);
}

awaitable<void> Conductor::until_idle() {
  drive_.stop();
  while (drive_.under_way() > 0) co_await pause_for(kGlance);
}

awaitable<void> Conductor::load_fully() {
  enter(Phase::full);
  const auto begin = std::chrono::steady_clock::now();
  drive_.begin_closed(plan_.workers);
  co_await pause_for(plan_.time / 10);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  throughput_ = static_cast<double>(figures_.done(Phase::full)) / took.count();
  co_await until_idle();
}

awaitable<void> Conductor::load_half_and_soak() {
  enter(Phase::half);
  drive_.begin_open(std::max(throughput_ / 2, 0.5));
  co_await pause_for(half_time());
  enter(Phase::soak);
  co_await pause_for(soak_time());
  co_await until_idle();
}

awaitable<void> Conductor::let_all_leave() {
  enter(Phase::after);
  upkeep_->end();
  for (const Error& why : upkeep_->failures()) figures_.failed(Act::job, why);
  over_ = true;
  misbehaving_.end();
  while (is_beating_) co_await pause_for(kGlance);
  co_await v4_.leave();
  while (!misbehaving_.is_over()) co_await pause_for(kGlance);
  for (int i = 0; i < kMostGlancesAfter; ++i) {
    looks_.after = samples_->look();
    const bool is_empty = looks_.after.connections == 0 && looks_.after.sessions == 0;
    if (is_empty && looks_.after.taken.descriptors <= looks_.before.taken.descriptors) break;
    co_await pause_for(kGlance);
  }
}

}  // namespace cb::bench
