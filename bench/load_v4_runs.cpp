// SPDX-License-Identifier: Apache-2.0
//
// Sessions that idle, and bursts of log-ins.
#include "bench/load_v4_runs.h"

namespace cb::bench {
namespace {

using stream::Task;
using Moment = std::chrono::steady_clock::time_point;
using Callers = std::vector<std::unique_ptr<V4Caller>>;

Moment now() { return std::chrono::steady_clock::now(); }
double since(Moment begin) { return std::chrono::duration<double>(now() - begin).count(); }

void tell_growth(const std::string& name, const DaemonTaken& before, const DaemonTaken& after,
                 size_t count) {
  const auto each = static_cast<double>(count) * 1024;
  tell(name + "_rss_before", before.resident / 1024, "KiB");
  tell(name + "_rss_after", after.resident / 1024, "KiB");
  tell(name + "_rss_each", (after.resident - before.resident) / each, "KiB", 1);
  tell(name + "_kernel_both_ends_each", (after.kernel - before.kernel) / each, "KiB", 1);
  tell(name + "_threads_before", before.threads, "threads");
  tell(name + "_threads_after", after.threads, "threads");
  tell(name + "_descriptors_after", after.descriptors, "descriptors");
}

// One heartbeat of each that is there; how many failed.
size_t beat(Fleet& fleet, const V4Plan& plan, Callers& callers, std::vector<double>& latencies) {
  return fleet.run_all(callers.size(), plan.workers, [&](size_t i, size_t) -> Task<void> {
    if (!callers[i]) co_return Status{};
    const Moment begin = now();
    CB_CO_TRY(co_await callers[i]->ask(v4::Request::heartbeat, {}, v4::Response::heartbeat));
    latencies.push_back(since(begin));
    co_return Status{};
  });
}

// Every other session goes on with heartbeats, the rest is silent until its lease has run out.
size_t outlive_lease(Fleet& fleet, const V4Plan& plan, Callers& callers) {
  Callers kept, silent;
  for (size_t i = 0; i < callers.size(); ++i)
    (i % 2 == 0 ? kept : silent).push_back(std::move(callers[i]));
  callers.clear();
  std::vector<double> beats;
  size_t failures = 0;
  for (int half = 0; half < 2; ++half) {
    failures += beat(fleet, plan, kept, beats);
    fleet.rest(plan.lease / 2 + std::chrono::seconds(1));
  }
  const size_t lost = beat(fleet, plan, kept, beats);
  size_t ended = 0;
  (void)fleet.run_all(silent.size(), plan.workers, [&](size_t i, size_t) -> Task<void> {
    if (silent[i] && co_await silent[i]->has_ended()) ++ended;
    co_return Status{};
  });
  tell("idle_kept_by_heartbeats", static_cast<double>(kept.size() - lost), "sessions");
  tell("idle_ended_with_their_lease", static_cast<double>(ended), "sessions");
  for (auto& one : kept) callers.push_back(std::move(one));
  return failures + lost + silent.size() - ended;
}

struct Burst {
  std::vector<double> latencies;  // seconds
  size_t resumed = 0;
  size_t failures = 0;
};

Burst log_in_and_out(Fleet& fleet, Fleet::Way way, size_t count, size_t workers) {
  Burst burst;
  burst.failures = fleet.run_all(count, workers, [&](size_t i, size_t worker) -> Task<void> {
    const Moment begin = now();
    CB_CO_ASSIGN(auto caller, co_await fleet.log_in(way, worker, i));
    burst.latencies.push_back(since(begin));
    burst.resumed += caller->is_resumed() ? 1 : 0;
    co_await caller->leave();
    co_return Status{};
  });
  return burst;
}

}  // namespace

size_t run_idle(Fleet& fleet, const V4Plan& plan, const DaemonProcess& daemon) {
  // What the first of all cost is no session's.
  (void)log_in_and_out(fleet, Fleet::Way::resuming, plan.devices, plan.workers);
  const DaemonTaken before = daemon.look();
  Callers callers(plan.idle);
  std::vector<double> latencies, beats;
  size_t failures =
      fleet.run_all(plan.idle, plan.workers, [&](size_t i, size_t worker) -> Task<void> {
        const Moment begin = now();
        CB_CO_ASSIGN(callers[i], co_await fleet.log_in(Fleet::Way::resuming, worker, i));
        latencies.push_back(since(begin));
        co_return Status{};
      });
  tell("idle_sessions", static_cast<double>(latencies.size()), "sessions");
  tell_latency("idle_login", latencies);
  tell_growth("idle_at_once", before, daemon.look(), plan.idle);
  failures += beat(fleet, plan, callers, beats);
  const DaemonTaken still = daemon.look();
  fleet.rest(plan.hold);
  const DaemonTaken held = daemon.look();
  tell("idle_cpu_each_minute", (held.cpu - still.cpu) / static_cast<double>(plan.hold.count()) * 60,
       "s", 3);
  failures += beat(fleet, plan, callers, beats);
  tell_growth("idle", before, daemon.look(), plan.idle);
  tell_latency("idle_heartbeat", beats);
  if (plan.lease.count() > 0) failures += outlive_lease(fleet, plan, callers);
  tell("idle_errors", static_cast<double>(failures), "errors");
  fleet.run_all(callers.size(), plan.workers, [&](size_t i, size_t) -> Task<void> {
    if (callers[i]) co_await callers[i]->leave();
    co_return Status{};
  });
  return failures;
}

size_t run_logins(Fleet& fleet, const V4Plan& plan, const DaemonProcess& daemon) {
  size_t failures = 0;
  for (const auto way : {Fleet::Way::full, Fleet::Way::resuming}) {
    const std::string name = way == Fleet::Way::full ? "logins_full" : "logins_resumed";
    // So that each worker has a ticket.
    failures += log_in_and_out(fleet, way, 2 * plan.workers, plan.workers).failures;
    const DaemonTaken before = daemon.look();
    const Moment begin = now();
    const Burst burst = log_in_and_out(fleet, way, plan.logins, plan.workers);
    const double wall = since(begin);
    const double cpu = daemon.look().cpu - before.cpu;
    const auto done = static_cast<double>(burst.latencies.size());
    tell(name, done, "logins");
    tell(name + "_of_them_resumed", static_cast<double>(burst.resumed), "logins");
    tell(name + "_a_second", done / wall, "logins/s");
    tell(name + "_a_cpu_second", done / cpu, "logins/s");
    tell(name + "_daemon_cpu", cpu / done * 1e6, "us/login");
    tell_latency(name + "_latency", burst.latencies);
    tell(name + "_errors", static_cast<double>(burst.failures), "errors");
    failures += burst.failures;
  }
  return failures;
}

}  // namespace cb::bench
