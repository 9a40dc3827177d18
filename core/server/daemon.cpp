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
#include "core/server/thrown.h"

namespace cb::server {
namespace {

namespace asio = boost::asio;

// One buffer holds what a session reads at once.
constexpr size_t kBufferSize = 128 * kKiB;
// Threads that read for clients at least: some of them wait for the network.
constexpr uint32_t kReaders = 16;
// How often a drain looks whether it is done, and how long without uploads it lets answers go out.
constexpr auto kDrainStep = std::chrono::milliseconds(20);
constexpr auto kDrainGrace = std::chrono::milliseconds(500);
// How long sessions may take to end once they are cancelled.
constexpr auto kEndOfSessions = std::chrono::seconds(10);

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
  CB_TRY(ensure_signing_key(s.settings, s.seams));
  CB_ASSIGN(s.backend, Backend::open(s.settings, *s.registry, s.seams));
  s.threads = std::make_unique<stream::IoThreads>(
      s.settings.io_threads, [&s](const std::exception_ptr& thrown) {
        s.log.error("io.failed", {{"cause", text_of(thrown)}});
      });
  s.buffers = std::make_unique<stream::BufferPool>(kBufferSize, s.settings.memory);
  s.workers = std::make_unique<stream::Workers>(s.settings.workers);
  s.readers = std::make_unique<stream::Workers>(std::max(kReaders, s.settings.workers));
  CB_TRY(open_services());
  CB_TRY(open_doors());
  return open_admin();
}

Status Daemon::open_services() {
  State& s = *state_;
  s.v3_policy = std::make_unique<V3Policy>(
      V3Policy::Parts{&s.backend->catalog(), &s.backend->archive().keys(), s.seams.clock, &s.log},
      s.settings.v3);
  V3Service::Parts parts;
  parts.registry = s.registry.get();
  parts.store = &s.backend->store();
  parts.archive = &s.backend->archive();
  parts.policy = s.v3_policy.get();
  parts.catalog = &s.backend->catalog();
  parts.workers = s.workers.get();
  parts.buffers = s.buffers.get();
  parts.log = &s.log;
  parts.clock = s.seams.clock;
  parts.ids = s.seams.ids;
  parts.files = s.seams.files;
  parts.spool_folder = s.settings.spool_folder();
  CB_ASSIGN(s.v3, V3Service::open(parts, s.settings.v3));
  V4Service::Parts v4;
  v4.engine = &s.backend->engine();
  v4.accounts = &s.backend->catalog().accounts();
  v4.notes = &s.backend->notes();
  v4.v3_policy = s.v3_policy.get();
  v4.workers = s.workers.get();
  v4.readers = s.readers.get();
  v4.buffers = s.buffers.get();
  v4.log = &s.log;
  v4.clock = s.seams.clock;
  v4.random = &os::system_random();
  CB_ASSIGN(v4.server_key, s.backend->signing_public());
  CB_ASSIGN(v4.migration, s.migration_parts());
  s.v4 = std::make_unique<V4Service>(v4, s.settings.v4);
  CB_ASSIGN(const uint64_t leftovers, s.backend->engine().remove_leftovers());
  if (leftovers > 0) s.log.info("store.leftovers-removed", {{"objects", leftovers}});
  CB_ASSIGN(const uint64_t unnamed, s.backend->archive().forget_unnamed());
  if (unnamed > 0) s.log.info("v3.unnamed-forgotten", {{"snapshots", unnamed}});
  CB_ASSIGN(const uint64_t notes, s.v3_policy->keep_notes());
  if (notes > 0) s.log.info("v3.notes-written", {{"clients", notes}});
  CB_ASSIGN(const uint64_t settled, s.v4->settle_migrations());
  if (settled > 0) s.log.info("v4.migration.settled", {{"clients", settled}});
  CB_ASSIGN(const auto accounts, s.backend->catalog().accounts().accounts());
  // A crash may have kept one from being written; what is as it should be is not written again.
  for (const catalog::Account& account : accounts)
    if (const Status kept = s.backend->notes().keep(account.number); !kept)
      s.log.error("account.not-noted", {{"account", account.name}, {"error", kept.error().text()}});
  return {};
}

Result<V4Migration::Parts> Daemon::State::migration_parts() {
  CB_ASSIGN(const config::Schema* schema, registry->schema("crypto-legacy"));
  CB_ASSIGN(const config::Values values, config::values_from(*schema, {{"oaep_hash", "sha256"}}));
  CB_ASSIGN(legacy_suite, registry->make_crypto("crypto-legacy", values));
  V4Migration::Parts parts;
  parts.catalog = &backend->catalog();
  parts.engine = &backend->engine();
  parts.notes = &backend->notes();
  parts.keys = &backend->archive().keys();
  parts.legacy = &*legacy_suite;
  parts.policy = v3_policy.get();
  parts.clock = seams.clock;
  parts.random = &os::system_random();
  return parts;
}

Status Daemon::open_doors() {
  State& s = *state_;
  for (const ListenSettings& listen : s.settings.listen) {
    Door::Parts parts{s.threads.get(), s.v3.get(), s.v4.get(), s.sessions, &s.log};
    CB_ASSIGN(std::unique_ptr<Door> door, Door::open(listen, *s.registry, std::move(parts)));
    s.doors.push_back(std::move(door));
  }
  for (const auto& door : s.doors)
    s.log.info("listener.open", {{"listener", door->settings().name},
                                 {"address", door->settings().host},
                                 {"port", door->port()}});
  return {};
}

Status Daemon::open_admin() {
  State& s = *state_;
  AdminCommands::Parts parts;
  parts.catalog = &s.backend->catalog();
  parts.v3_policy = s.v3_policy.get();
  parts.accounts = &s.backend->catalog().accounts();
  parts.engine = &s.backend->engine();
  parts.notes = &s.backend->notes();
  parts.v3_keys = &s.backend->archive().keys();
  parts.running = &s.v4->running();
  parts.clock = s.seams.clock;
  parts.random = &os::system_random();
  parts.log = &s.log;
  parts.reach = [&s] { return reach_of(s.settings, s.listeners(), *s.seams.files); };
  s.commands = std::make_unique<AdminCommands>(std::move(parts));
  const auto answer = [this](const report::Json& request,
                             const AdminServer::Progress& progress) -> Result<report::Json> {
    if (report::text_of(request, "command") == "status") return status();
    return state_->commands->run(request, progress);
  };
  CB_ASSIGN(s.admin, AdminServer::open(s.settings.admin_socket(),
                                       {s.threads.get(), s.readers.get(), &s.log}, answer));
  return {};
}

std::vector<uint16_t> Daemon::ports() const { return state_->ports(); }

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
  if (sessions->count() > 0) cancel_stores();
}

// For sessions that do not end because a store waits for a disk or a network.
void Daemon::State::cancel_stores() {
  log.warn("stores.cancelled", {{"sessions", sessions->count()}});
  backend->cancel_stores();
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
  if (!s.sessions->wait_until_none(kEndOfSessions)) s.cancel_stores();
  if (!s.sessions->wait_until_none(kEndOfSessions))
    s.log.error("sessions.stuck", {{"sessions", s.sessions->count()}});
  if (s.admin) s.admin->close();
  s.workers.reset();
  s.readers.reset();
  if (s.threads) {
    s.threads->stop();
    s.threads->join();
  }
  s.admin.reset();
  s.doors.clear();
  s.threads.reset();
  s.commands.reset();
  s.v4.reset();
  s.v3.reset();
  s.v3_policy.reset();
  s.legacy_suite.reset();
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
  // Before anything changes.
  CB_ASSIGN(const auto versions, versions_after(fresh));
  warn_of_restart(fresh);
  for (size_t i = 0; i < s.doors.size(); ++i) change_versions(*s.doors[i], versions[i]);
  s.v3_policy->reconfigure(fresh.v3);
  s.v3->reconfigure(fresh.v3);
  s.v4->reconfigure(fresh.v4);
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

// What each listener is to serve. One that the settings do not tell of any more goes on.
Result<std::vector<std::vector<int>>> Daemon::versions_after(const Settings& fresh) const {
  std::vector<bool> taken(fresh.listen.size());
  std::vector<std::vector<int>> all;
  for (const auto& door : state_->doors) {
    all.push_back(door->versions());
    for (size_t i = 0; i < fresh.listen.size(); ++i) {
      const ListenSettings& listen = fresh.listen[i];
      const bool is_same =
          !taken[i] && listen.host == door->settings().host && listen.port == door->settings().port;
      if (!is_same) continue;
      taken[i] = true;
      CB_ASSIGN(all.back(), door->versions_for(listen, fresh.v4.unsafe_plain_transport));
      break;
    }
  }
  return all;
}

void Daemon::change_versions(Door& door, const std::vector<int>& versions) const {
  if (door.versions() == versions) return;
  const auto text = [](const std::vector<int>& all) {
    std::string list;
    for (const int version : all) list += (list.empty() ? "" : ",") + std::to_string(version);
    return list.empty() ? std::string("none") : list;
  };
  state_->log.info("listener.versions", {{"listener", door.settings().name},
                                         {"before", text(door.versions())},
                                         {"now", text(versions)}});
  door.serve_versions(versions);
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
