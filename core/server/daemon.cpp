// SPDX-License-Identifier: Apache-2.0
#include "core/server/daemon.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <map>

#include "core/server/daemon_state.h"
#include "core/server/kept_notes.h"
#include "core/server/program.h"
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

// One of each plugin that is in use, with the reason when any instance of it is not entered any
// more.
std::vector<PluginFault> faults_of(const plugin::Registry& registry) {
  std::map<std::string, std::string> reasons;
  for (const plugin::InstanceStatus& one : registry.instances()) {
    std::string& reason = reasons[one.id];
    if (one.quarantined) reason = one.reason.empty() ? "it broke its contract" : one.reason;
  }
  std::vector<PluginFault> faults;
  for (const auto& [id, reason] : reasons) faults.push_back({id, reason});
  return faults;
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
  daemon->state_->notifier->start();
  daemon->state_->jobs->start();
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
  s.audit =
      std::make_unique<Audit>(Audit::Parts{&s.backend->catalog().audit(), s.seams.clock, &s.log});
  s.audit->start();
  s.seen = std::make_unique<LastSeen>(s.backend->catalog().accounts(), s.log);
  s.seen->start();
  s.threads = std::make_unique<stream::IoThreads>(
      s.settings.io_threads, [&s](const std::exception_ptr& thrown) {
        s.log.error("io.failed", {{"cause", text_of(thrown)}});
      });
  s.buffers = std::make_unique<stream::BufferPool>(kBufferSize, s.settings.memory);
  s.workers = std::make_unique<stream::Workers>(s.settings.workers);
  s.readers = std::make_unique<stream::Workers>(std::max(kReaders, s.settings.workers));
  CB_ASSIGN(s.notifier,
            notify::Notifier::open({s.seams.clock, &os::system_random(), &s.log, machine_name(),
                                    s.seams.files, s.settings.data / "notify"},
                                   s.settings.notify));
  s.events = std::make_unique<EventPost>(*s.notifier, s.log);
  s.alarms = std::make_unique<Alarms>(
      Alarms::Parts{&s.backend->catalog().sources(), s.event_sink(), s.seams.clock, &s.log});
  s.drills = std::make_unique<DrillBook>(
      DrillBook::Parts{&s.backend->catalog(), &s.backend->engine(), s.seams.clock, s.event_sink()});
  CB_TRY(open_services());
  CB_TRY(s.seams.binding([this] { return open_doors(); }));
  CB_TRY(open_jobs());
  CB_TRY(s.seams.binding([this] { return open_observe(); }));
  CB_TRY(s.seams.before_serving());
  CB_TRY(open_admin());
  note("daemon.started", std::string("version ") + kProgramVersion);
  return {};
}

Status Daemon::open_services() {
  State& s = *state_;
  s.open_maintenance();
  s.v3_policy = std::make_unique<V3Policy>(
      V3Policy::Parts{&s.backend->catalog(), &s.backend->archive().keys(), s.seams.clock, &s.log,
                      s.audit.get()},
      s.settings.v3);
  V3Service::Parts parts;
  parts.registry = s.registry.get();
  parts.store = &s.backend->store();
  parts.archive = &s.backend->archive();
  parts.policy = s.v3_policy.get();
  parts.catalog = &s.backend->catalog();
  parts.workers = s.workers.get();
  parts.buffers = s.buffers.get();
  parts.traffic = s.traffic.get();
  parts.maintenance = s.maintenance.get();
  parts.log = &s.log;
  parts.audit = s.audit.get();
  parts.clock = s.seams.clock;
  parts.ids = s.seams.ids;
  parts.files = s.seams.files;
  parts.spool_folder = s.settings.spool_folder();
  CB_ASSIGN(s.v3, V3Service::open(parts, s.settings.v3));
  V4Service::Parts v4;
  v4.engine = &s.backend->engine();
  v4.accounts = &s.backend->catalog().accounts();
  v4.replication = &s.backend->catalog().replication();
  v4.notes = &s.backend->notes();
  v4.seen = s.seen.get();
  v4.retention = &s.backend->retention();
  v4.limits = &s.backend->limits();
  v4.watch = &s.backend->watch();
  v4.drills = s.drills.get();
  v4.v3_policy = s.v3_policy.get();
  v4.workers = s.workers.get();
  v4.readers = s.readers.get();
  v4.buffers = s.buffers.get();
  v4.traffic = s.traffic.get();
  v4.maintenance = s.maintenance.get();
  v4.log = &s.log;
  v4.audit = s.audit.get();
  v4.clock = s.seams.clock;
  v4.random = &os::system_random();
  CB_ASSIGN(v4.server_key, s.backend->signing_public());
  CB_ASSIGN(v4.migration, s.migration_parts());
  s.v4 = std::make_unique<V4Service>(v4, s.settings.v4);
  if (s.maintenance->mode() == StoreMode::normal) return s.complete_store();
  s.log.warn("store.not-completed",
             {{"mode", name_of(s.maintenance->mode())},
              {"advice", "what a crash left behind is removed before the store is normal again"}});
  return {};
}

// What a crash broke off, once, before anything is written. It deletes and writes itself, so a
// store under maintenance is left as it is until then.
Status Daemon::State::complete_store() {
  const std::lock_guard hold(completing);
  if (is_completed) return {};
  CB_ASSIGN(const uint64_t leftovers, backend->engine().remove_leftovers());
  if (leftovers > 0) log.info("store.leftovers-removed", {{"objects", leftovers}});
  CB_ASSIGN(const uint64_t unnamed, backend->archive().forget_unnamed());
  if (unnamed > 0) log.info("v3.unnamed-forgotten", {{"snapshots", unnamed}});
  CB_ASSIGN(const uint64_t notes, v3_policy->keep_notes());
  if (notes > 0) log.info("v3.notes-written", {{"clients", notes}});
  CB_ASSIGN(const uint64_t settled, v4->settle_migrations());
  if (settled > 0) log.info("v4.migration.settled", {{"clients", settled}});
  CB_ASSIGN(const auto accounts, backend->catalog().accounts().accounts());
  // A crash may have kept one from being written, or a disk have damaged it; what is as it should
  // be is not written again.
  for (const catalog::Account& account : accounts)
    if (const Status kept = keep_notes(*backend, account); !kept)
      log.error("account.not-noted", {{"account", account.name}, {"error", kept.error().text()}});
  is_completed = true;
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

Status Daemon::open_jobs() {
  State& s = *state_;
  const JobParts parts = s.job_parts();
  const auto held = [&s](bool writes) { return s.maintenance->refusal_of_job(writes); };
  CB_ASSIGN(s.jobs, Jobs::open({&s.backend->catalog().jobs(), s.seams.clock, parts.random, &s.log,
                                s.audit.get(), s.alarms.get(), held},
                               job_kinds(parts, s.seams.further_jobs), s.settings.upkeep));
  return {};
}

JobParts Daemon::State::job_parts() {
  JobParts parts;
  parts.catalog = &backend->catalog();
  parts.engine = &backend->engine();
  parts.clock = seams.clock;
  parts.random = &os::system_random();
  parts.log = &log;
  parts.retention = &backend->retention();
  parts.audit = audit.get();
  parts.watch = &backend->watch();
  parts.alarms = alarms.get();
  parts.room = [this]() -> Result<StoreRoom> {
    CB_ASSIGN(const auto space, backend->store().space());
    return StoreRoom{space.total, space.free, v3->settings().space_reserve};
  };
  parts.faults = [this] { return faults_of(*registry); };
  parts.drills = drills.get();
  // Jobs run, and are asked, from the time that they are open until they are stopped.
  parts.upkeep = [this] { return jobs->settings(); };
  parts.notes = &backend->notes();
  parts.registry = registry.get();
  parts.files = seams.files;
  parts.keys = settings.keys_folder();
  return parts;
}

Status Daemon::open_admin() {
  State& s = *state_;
  AdminCommands::Parts parts;
  parts.catalog = &s.backend->catalog();
  parts.v3_policy = s.v3_policy.get();
  parts.accounts = &s.backend->catalog().accounts();
  parts.engine = &s.backend->engine();
  parts.notes = &s.backend->notes();
  parts.retention = &s.backend->retention();
  parts.limits = &s.backend->limits();
  parts.watch = &s.backend->watch();
  parts.v3_keys = &s.backend->archive().keys();
  parts.running = &s.v4->running();
  parts.seen = s.seen.get();
  parts.jobs = s.jobs.get();
  parts.notifier = s.notifier.get();
  parts.traffic = s.traffic.get();
  parts.maintenance = s.maintenance.get();
  parts.clock = s.seams.clock;
  parts.random = &os::system_random();
  parts.log = &s.log;
  parts.audit = s.audit.get();
  parts.reach = [&s] { return reach_of(s.settings, s.listeners(), *s.seams.files); };
  parts.files = s.seams.files;
  parts.keys = s.settings.keys_folder();
  parts.replication = [&s] { return s.jobs->settings().replication; };
  s.commands = std::make_unique<AdminCommands>(std::move(parts));
  const auto answer = [this](const report::Json& request,
                             const AdminServer::Progress& progress) -> Result<report::Json> {
    if (report::text_of(request, "command") == "status") return status();
    return state_->commands->run(request, progress);
  };
  CB_ASSIGN(s.admin, AdminServer::open(s.settings.admin_socket(),
                                       {s.threads.get(), s.readers.get(), &s.log, s.audit.get(),
                                        s.settings.operators},
                                       answer));
  return {};
}

// An act of the daemon's own, in the audit log.
void Daemon::note(const std::string& action, const std::string& detail) const {
  state_->audit->write({"server", "", action, "", "done", detail});
}

std::vector<uint16_t> Daemon::ports() const { return state_->ports(); }

size_t Daemon::session_count() const { return state_->sessions->count(); }

void Daemon::begin_drain(std::function<void()> drained) {
  if (state_->draining.exchange(true)) return;
  state_->log.info("drain.begin", {{"sessions", state_->sessions->count()},
                                   {"uploads", state_->v3->counters().uploads.load()}});
  for (const auto& door : state_->doors) door->close();
  state_->jobs->begin_stop();
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

// Those that work without being asked.
void Daemon::State::end_threads() {
  if (jobs) jobs->stop();
  if (notifier) notifier->close();
}

void Daemon::drain() {
  std::promise<void> done;
  begin_drain([&done] { done.set_value(); });
  done.get_future().wait();
}

void Daemon::stop() {
  State& s = *state_;
  if (std::exchange(s.stopped, true)) return;
  if (s.jobs) s.jobs->begin_stop();
  for (const auto& door : s.doors) door->close();
  for (const auto& door : s.doors) door->wait_closed();
  s.sessions->cancel_all();
  if (!s.sessions->wait_until_none(kEndOfSessions)) s.cancel_stores();
  if (!s.sessions->wait_until_none(kEndOfSessions))
    s.log.error("sessions.stuck", {{"sessions", s.sessions->count()}});
  s.end_threads();
  if (s.pages) s.pages->close();
  if (s.admin) s.admin->close();
  s.workers.reset();
  s.readers.reset();
  if (s.threads) {
    s.threads->stop();
    s.threads->join();
  }
  s.pages.reset();
  s.admin.reset();
  s.doors.clear();
  s.threads.reset();
  s.commands.reset();
  s.jobs.reset();
  s.v4.reset();
  s.v3.reset();
  s.v3_policy.reset();
  s.maintenance.reset();
  s.traffic.reset();
  s.legacy_suite.reset();
  s.buffers.reset();
  s.drills.reset();
  s.alarms.reset();
  s.events.reset();
  s.notifier.reset();
  if (s.audit) note("daemon.stopped", "");
  s.audit.reset();
  s.seen.reset();
  s.backend.reset();
  s.registry.reset();
  s.lock.reset();
}

}  // namespace cb::server
