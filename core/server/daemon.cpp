// SPDX-License-Identifier: Apache-2.0
#include "core/server/daemon.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>

#include "core/server/daemon_state.h"

namespace cb::server {
namespace {

namespace asio = boost::asio;

// One buffer holds what a session reads at once.
constexpr size_t kBufferSize = 128 * kKiB;
// How often a drain looks whether it is done, and how long without uploads it lets answers go out.
constexpr auto kDrainStep = std::chrono::milliseconds(20);
constexpr auto kDrainGrace = std::chrono::milliseconds(500);
// How long sessions may take to end once they are cancelled.
constexpr auto kEndOfSessions = std::chrono::seconds(10);

std::string text_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

Status make_private_folders(const Settings& settings, os::FileSystem& files) {
  CB_TRY(files.make_folders(settings.data));
  CB_TRY(files.make_folders(settings.spool_folder()));
  return files.make_folders(settings.plugins.probe_cache);
}

}  // namespace

Daemon::Daemon(std::unique_ptr<State> state) : state_(std::move(state)) {}

Daemon::~Daemon() { stop(); }

Result<std::unique_ptr<Daemon>> Daemon::start(Settings settings, Seams seams) {
  std::unique_ptr<Daemon> daemon(
      new Daemon(std::make_unique<State>(std::move(settings), std::move(seams))));
  CB_TRY(daemon->open());
  for (const auto& door : daemon->state_->doors) door->start();
  return daemon;
}

Status Daemon::open() {
  State& s = *state_;
  CB_TRY(make_private_folders(s.settings, *s.seams.files));
  auto lock = os::FileLock::take(*s.seams.files, s.settings.data / "lock");
  if (!lock)
    return failed(std::move(lock).error().with_advice("is another daemon running on this folder?"));
  s.lock.emplace(std::move(*lock));
  s.registry = make_registry(s.settings, s.seams, s.log);
  CB_TRY(prepare_plugins(s.settings, *s.registry));
  CB_ASSIGN(s.backend, Backend::open(s.settings, *s.registry, s.seams));
  s.threads = std::make_unique<stream::IoThreads>(
      s.settings.io_threads, [&s](const std::exception_ptr& thrown) {
        s.log.error("io.failed", {{"cause", text_of(thrown)}});
      });
  s.buffers = std::make_unique<stream::BufferPool>(kBufferSize, s.settings.memory);
  s.workers = std::make_unique<stream::Workers>(s.settings.workers);
  V3Service::Parts parts;
  parts.registry = s.registry.get();
  parts.store = &s.backend->store();
  parts.vault = &s.backend->vault();
  parts.catalog = &s.backend->catalog();
  parts.workers = s.workers.get();
  parts.buffers = s.buffers.get();
  parts.log = &s.log;
  parts.clock = s.seams.clock;
  parts.ids = s.seams.ids;
  parts.files = s.seams.files;
  parts.spool_folder = s.settings.spool_folder();
  CB_ASSIGN(s.v3, V3Service::open(parts, s.settings.v3));
  CB_ASSIGN(const uint64_t leftovers, s.v3->remove_leftovers());
  if (leftovers > 0) s.log.info("store.leftovers-removed", {{"objects", leftovers}});
  return open_doors();
}

Status Daemon::open_doors() {
  State& s = *state_;
  for (const ListenSettings& listen : s.settings.listen) {
    Door::Parts parts{s.threads.get(), s.v3.get(), s.sessions, &s.log};
    CB_ASSIGN(std::unique_ptr<Door> door, Door::open(listen, *s.registry, std::move(parts)));
    s.doors.push_back(std::move(door));
  }
  const auto answer = [this] { return status(); };
  CB_ASSIGN(s.admin, AdminServer::open(s.settings.admin_socket(),
                                       {s.threads.get(), s.workers.get(), &s.log}, answer));
  for (const auto& door : s.doors)
    s.log.info("listener.open", {{"listener", door->settings().name},
                                 {"address", door->settings().host},
                                 {"port", door->port()}});
  return {};
}

std::vector<uint16_t> Daemon::ports() const {
  std::vector<uint16_t> ports;
  for (const auto& door : state_->doors) ports.push_back(door->port());
  return ports;
}

size_t Daemon::session_count() const { return state_->sessions->count(); }

void Daemon::begin_drain(std::function<void()> drained) {
  if (state_->draining.exchange(true)) return;
  state_->log.info("drain.begin", {{"sessions", state_->sessions->count()},
                                   {"uploads", state_->v3->counters().uploads.load()}});
  for (const auto& door : state_->doors) door->close();
  asio::co_spawn(state_->threads->make_strand(), state_->drain(),
                 [state = state_.get(), drained = std::move(drained)](const std::exception_ptr&) {
                   state->log.info("drain.end", {{"sessions", state->sessions->count()}});
                   drained();
                 });
}

asio::awaitable<void> Daemon::State::drain() {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  const auto wait = [&timer] {
    timer.expires_after(kDrainStep);
    return timer.async_wait(asio::use_awaitable);
  };
  const auto start = std::chrono::steady_clock::now();
  const auto deadline = start + std::chrono::nanoseconds(drain_timeout.load());
  auto busy_until = start;
  while (sessions->count() > 0) {
    const auto now = std::chrono::steady_clock::now();
    if (!is_quiet()) busy_until = now;
    if (now >= deadline || now - busy_until >= kDrainGrace) break;
    co_await wait();
  }
  sessions->cancel_all();
  const auto end = std::chrono::steady_clock::now() + kEndOfSessions;
  while (sessions->count() > 0 && std::chrono::steady_clock::now() < end) co_await wait();
}

void Daemon::drain() {
  std::promise<void> done;
  begin_drain([&done] { done.set_value(); });
  done.get_future().wait();
}

void Daemon::stop() {
  State& s = *state_;
  if (std::exchange(s.stopped, true)) return;
  for (const auto& door : s.doors) door->close();
  for (const auto& door : s.doors) door->wait_closed();
  s.sessions->cancel_all();
  if (!s.sessions->wait_until_none(kEndOfSessions))
    s.log.error("sessions.stuck", {{"sessions", s.sessions->count()}});
  if (s.admin) s.admin->close();
  s.workers.reset();
  if (s.threads) {
    s.threads->stop();
    s.threads->join();
  }
  s.admin.reset();
  s.doors.clear();
  s.threads.reset();
  s.v3.reset();
  s.buffers.reset();
  s.backend.reset();
  s.registry.reset();
  s.lock.reset();
}

Status Daemon::reload(Settings fresh) {
  State& s = *state_;
  config::Problems problems;
  check_plugin_options(fresh, *s.registry, problems);
  if (problems.has_errors()) return failed(problems.error(""));
  warn_of_restart(fresh);
  s.v3->reconfigure(fresh.v3);
  s.sessions->set_limits(fresh.limits);
  s.drain_timeout = fresh.drain_timeout.count();
  s.settings.shown = std::move(fresh.shown);
  for (const auto& door : s.doors) {
    const Status done = door->reload();
    if (!done)
      s.log.error("reload.failed", {{"listener", door->settings().name},
                                    {"cause", done.error().text()},
                                    {"advice", "the listener goes on as before"}});
  }
  s.log.info("reload.done");
  return {};
}

void Daemon::warn_of_restart(const Settings& fresh) const {
  const auto is_in = [](const ShownOption& option, const std::vector<ShownOption>& all) {
    return std::any_of(all.begin(), all.end(), [&](const ShownOption& other) {
      return other.table == option.table && other.key == option.key && other.value == option.value;
    });
  };
  for (const ShownOption& option : fresh.shown) {
    if (option.reloadable || is_in(option, state_->settings.shown)) continue;
    state_->log.warn("reload.needs-restart", {{"key", option.table + "." + option.key}});
  }
}

}  // namespace cb::server
