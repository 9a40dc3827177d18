// SPDX-License-Identifier: Apache-2.0
//
// What happens in a running daemon when the store's mode changes.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/server/daemon_state.h"

namespace cb::server {
namespace {

constexpr auto kWatchStep = std::chrono::milliseconds(200);

}  // namespace

void Daemon::State::open_maintenance() {
  traffic = std::make_unique<Traffic>(*seams.clock, settings.traffic);
  Maintenance::Parts parts;
  parts.files = seams.files;
  parts.file = settings.store_mode_file();
  parts.clock = seams.clock;
  parts.log = &log;
  parts.opens = [this] { return complete_store(); };
  parts.changed = [this] {
    if (jobs) jobs->look_again();
    begin_watch();
  };
  maintenance = std::make_unique<Maintenance>(std::move(parts), settings.store_mode);
}

// One watch at a time; a change while it ends begins the next one.
void Daemon::State::begin_watch() {
  if (!maintenance->is_draining() || watching.exchange(true)) return;
  boost::asio::co_spawn(threads->make_strand(), watch_drain(), [this](const std::exception_ptr&) {
    watching = false;
    begin_watch();
  });
}

boost::asio::awaitable<void> Daemon::State::watch_drain() {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  while (maintenance->is_draining()) {
    maintenance->end_overdue();
    timer.expires_after(kWatchStep);
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
}

}  // namespace cb::server
