// SPDX-License-Identifier: Apache-2.0
//
// The numbers of a running daemon for a monitoring system. docs/operations.md lists them all.
#include <map>

#include "core/server/admin_replicas.h"
#include "core/server/daemon_state.h"
#include "core/server/legacy_report.h"
#include "core/server/limit_metrics.h"
#include "core/server/metric_list.h"
#include "core/server/program.h"

namespace cb::server {
namespace {

using report::Metric;
using report::Sample;

constexpr auto kV3Used = std::chrono::hours(30 * 24);

void add_times(std::vector<Sample>& to, const char* protocol, const RequestTimes& requests) {
  for (const RequestTimes::Times& one : requests.times()) {
    Sample sample{{{"protocol", protocol}, {"request", std::to_string(one.code)}}, one.seconds};
    for (size_t i = 0; i < one.counts.size(); ++i) {
      sample.count += one.counts.at(i);
      if (i < RequestTimes::kSeconds.size())
        sample.buckets.push_back({RequestTimes::kSeconds.at(i), sample.count});
    }
    to.push_back(std::move(sample));
  }
}

void add_failures(std::vector<Sample>& to, const char* protocol, const RequestTimes& requests) {
  for (const RequestTimes::Failures& one : requests.failures())
    to.push_back(
        {{{"protocol", protocol}, {"code", std::string(name_of(one.code))}}, real(one.count)});
}

void add_requests(MetricList& list, const V3Counters& v3, const V4Counters& v4) {
  std::vector<Sample> times, failures;
  add_times(times, "3", v3.requests);
  add_times(times, "4", v4.requests);
  add_failures(failures, "3", v3.requests);
  add_failures(failures, "4", v4.requests);
  list.add(Metric::Kind::histogram, "request_duration_seconds",
           "How long requests took, by protocol and code.", std::move(times));
  list.add(Metric::Kind::counter, "request_failures_total",
           "Requests that were answered with an error, by protocol and the error's code.",
           std::move(failures));
}

void add_protocols(MetricList& list, const V3Counters& v3, const V4Counters& v4) {
  list.gauges("sessions", "Sessions now.", "protocol",
              {{"3", real(v3.sessions)}, {"4", real(v4.sessions)}});
  list.counters("sessions_total", "Sessions since the start.", "protocol",
                {{"3", real(v3.sessions_total)}, {"4", real(v4.sessions_total)}});
  list.gauge("sessions_logged_in", "Sessions of protocol 4 that are logged in now.",
             real(v4.logged_in));
  list.counters("received_bytes_total",
                "Bytes of content that came: of protocol 3 plain and confirmed, of 4 sealed.",
                "protocol", {{"3", real(v3.plain_bytes)}, {"4", real(v4.bytes_in)}});
  list.counter("sent_bytes_total", "Sealed bytes of blobs that were read by clients.",
               v4.bytes_out);
  list.counter("blobs_received_total", "Blobs that clients sent.", v4.blobs_in);
  list.counter("blobs_sent_total", "Blobs that clients read.", v4.blobs_out);
  list.counter("commits_total", "Snapshots that were committed.", v4.commits);
  list.counter("disorders_total", "Sessions of protocol 4 that were ended for breaking the rules.",
               v4.disorders);
  list.gauge("v3_uploads", "Uploads of protocol 3 under way.", real(v3.uploads));
  list.counter("v3_uploads_confirmed_total", "Uploads of protocol 3 that were confirmed.",
               v3.uploads_confirmed);
  list.counter("v3_uploads_dropped_total", "Uploads of protocol 3 that were dropped.",
               v3.uploads_dropped);
  list.counter("v3_registrations_total", "New clients of protocol 3.", v3.registrations);
  list.counter("v3_requests_refused_total", "Requests of protocol 3 that were refused.",
               v3.requests_refused);
}

void add_logins(MetricList& list, const V4Counters& v4, uint64_t locked_out) {
  list.counter("logins_total", "Logins of protocol 4.", v4.logins);
  list.counter("enrolments_total", "Devices that came: enrolled, joined, adopted.", v4.enrolments);
  list.counter("logins_refused_total", "Logins and enrolments that were refused.",
               v4.logins_refused);
  list.counter("logins_locked_out_total", "Of those, the ones that had to wait.", locked_out);
}

struct PluginSums {
  uint64_t calls = 0, failures = 0, violations = 0, slow = 0;
  uint64_t quarantined = 0, unhealthy = 0;
};

void add_plugins(MetricList& list, const plugin::Registry& registry) {
  std::map<std::string, PluginSums> sums;
  for (const plugin::InstanceStatus& one : registry.instances()) {
    PluginSums& sum = sums[one.id];
    sum.calls += one.counters.calls;
    sum.failures += one.counters.failures;
    sum.violations += one.counters.violations;
    sum.slow += one.counters.slow_calls;
    sum.quarantined += one.quarantined ? 1 : 0;
    sum.unhealthy += one.unhealthy ? 1 : 0;
  }
  uint64_t refused = 0;
  for (const plugin::PluginStatus& one : registry.status()) refused += one.refused ? 1 : 0;
  const auto each = [&](uint64_t PluginSums::*member) {
    MetricList::Labelled values;
    for (const auto& [id, sum] : sums) values.emplace_back(id, real(sum.*member));
    return values;
  };
  list.counters("plugin_calls_total", "Calls into plugins.", "plugin", each(&PluginSums::calls));
  list.counters("plugin_failures_total", "Calls that a plugin answered with an error.", "plugin",
                each(&PluginSums::failures));
  list.counters("plugin_violations_total", "Exceptions and broken contracts of plugins.", "plugin",
                each(&PluginSums::violations));
  list.counters("plugin_slow_calls_total", "Calls that held up a thread for connections.", "plugin",
                each(&PluginSums::slow));
  list.gauges("plugin_quarantined", "Instances that are not entered any more.", "plugin",
              each(&PluginSums::quarantined));
  list.gauges("plugin_unhealthy", "Instances that blocked a thread.", "plugin",
              each(&PluginSums::unhealthy));
  list.gauge("plugins_refused", "Plugins that were asked for and refused.", real(refused));
}

void add_held(MetricList& list, const report::Json& totals) {
  const auto number = [&](const char* key) {
    return static_cast<double>(report::number_of(totals, key, 0));
  };
  list.gauge("accounts", "Accounts.", number("accounts"));
  list.gauge("repositories", "Repositories.", number("repositories"));
  list.gauge("repositories_unread", "Repositories whose chain cannot be read.",
             real(totals.value("unread", report::Json::array()).size()));
  list.gauge("snapshots", "Snapshots, those in the trash among them.", number("snapshots"));
  list.gauge("blobs", "Blobs.", number("blobs"));
  list.gauge("packs", "Packs.", number("packs"));
  list.gauge("stored_bytes", "Bytes of packs.", number("stored_bytes"));
}

void add_process(MetricList& list, const stream::BufferPool::Counts& buffers,
                 const stream::Workers::Counts& workers) {
  list.gauges("buffers", "Transfer buffers: out, at most out, and coroutines that wait for one.",
              "state",
              {{"taken", real(buffers.taken)},
               {"limit", real(buffers.limit)},
               {"waiting", real(buffers.waiting)}});
  list.gauges("workers", "Threads for stores and catalog, and what they do.", "state",
              {{"threads", real(workers.threads)},
               {"running", real(workers.running)},
               {"queued", real(workers.queued)}});
  list.gauge("threads", "Threads of the process.", real(os::thread_count()));
  list.gauge("resident_bytes", "Memory of the process.", real(os::resident_bytes()));
}

double seconds_of(const report::Json& run, const char* key) {
  return static_cast<double>(report::number_of(run, key, 0)) / 1e9;
}

// Of the answer to "job list"; a job that never ran has no sample of a last run.
void add_jobs(MetricList& list, const report::Json& jobs) {
  MetricList::Labelled running, held, next, begun, took;
  std::vector<Sample> outcomes;
  for (const report::Json& one : jobs) {
    const std::string name = report::text_of(one, "job");
    running.emplace_back(name, one.contains("running") ? 1 : 0);
    held.emplace_back(name, one.contains("held") ? 1 : 0);
    next.emplace_back(name, seconds_of(one, "next_ns"));
    const auto last = one.find("last");
    if (last == one.end()) continue;
    begun.emplace_back(name, seconds_of(*last, "begun_ns"));
    took.emplace_back(name, seconds_of(*last, "ended_ns") - seconds_of(*last, "begun_ns"));
    outcomes.push_back({{{"job", name}, {"outcome", report::text_of(*last, "outcome")}}, 1});
  }
  list.gauges("job_running", "1: the job runs now.", "job", running);
  list.gauges("job_held", "1: the job may not run now; status says why.", "job", held);
  list.gauges("job_next_timestamp_seconds", "When the job runs next, 0: never by itself.", "job",
              next);
  list.gauges("job_last_timestamp_seconds", "When the job's last run began.", "job", begun);
  list.gauges("job_last_duration_seconds", "How long the job's last run took.", "job", took);
  list.add(Metric::Kind::gauge, "job_last_outcome",
           "1: so the job's last run ended: done, failed, cancelled, interrupted, asks.",
           std::move(outcomes));
}

// Whom backups are missing of, and what the newest ones looked like.
void add_sources(MetricList& list, const std::vector<WatchedSource>& sources, int64_t now) {
  std::vector<Sample> overdue, expected, score, frozen;
  for (const WatchedSource& one : sources) {
    const std::vector<std::pair<std::string, std::string>> labels = {
        {"account", one.account}, {"source", text_of_source(one.state.source)}};
    const bool is_late = one.state.late_ns != 0 && now >= one.state.late_ns;
    overdue.push_back(
        {labels, is_late ? static_cast<double>(now - one.state.expected_ns) / 1e9 : 0});
    expected.push_back({labels, static_cast<double>(one.state.expected_ns) / 1e9});
    if (one.last) score.push_back({labels, static_cast<double>(one.last->score)});
    frozen.push_back({labels, one.state.frozen_ns > now ? 1.0 : 0.0});
  }
  list.add(Metric::Kind::gauge, "overdue_seconds",
           "How long ago a backup was expected that is overdue, 0: none is.", std::move(overdue));
  list.add(Metric::Kind::gauge, "expected_timestamp_seconds",
           "When the next backup is expected, 0: it is not known.", std::move(expected));
  list.add(Metric::Kind::gauge, "anomaly_score",
           "How much the newest snapshot looks as if data was spoilt, from 0 to 100.",
           std::move(score));
  list.add(Metric::Kind::gauge, "frozen", "1: nothing of the source is removed for a while.",
           std::move(frozen));
}

void add_traffic(MetricList& list, const Traffic& traffic) {
  MetricList::Labelled rate, waiting, bytes, waited;
  for (const Traffic::Shown& one : traffic.shown()) {
    const std::string& name = one.rule.name;
    rate.emplace_back(name, one.holds ? real(one.rule.rate.per_second) : 0);
    waiting.emplace_back(name, one.waiting);
    bytes.emplace_back(name, real(one.bytes));
    waited.emplace_back(name, std::chrono::duration<double>(one.waited).count());
  }
  list.gauge("traffic_paused", "1: no traffic rule holds, as an operator told.",
             traffic.paused_until() ? 1 : 0);
  list.gauges("traffic_rate_bytes", "Bytes a second that a traffic rule allows now, 0: any.",
              "rule", rate);
  list.gauges("traffic_waiting", "Sessions that wait for a traffic rule.", "rule", waiting);
  list.counters("traffic_bytes_total", "Bytes of content that a traffic rule let go.", "rule",
                bytes);
  list.counters("traffic_waited_seconds_total", "How long sessions waited for a traffic rule.",
                "rule", waited);
}

void add_maintenance(MetricList& list, const Maintenance& maintenance) {
  const Maintenance::Shown shown = maintenance.shown();
  MetricList::Labelled modes;
  for (const StoreMode mode : {StoreMode::normal, StoreMode::read_only, StoreMode::offline})
    modes.emplace_back(name_of(mode), mode == shown.mode ? 1 : 0);
  list.gauges("store_mode", "1: the store is in this mode.", "mode", modes);
  list.gauge("store_backups", "Backups that are under way.", real(shown.backups));
  list.counter("store_refused_total", "Requests that were refused because of the store's mode.",
               shown.refused);
}

// Accounts that are copied from other servers, and others that copy from here.
void add_replication(MetricList& list, catalog::Replication& rows,
                     const ReplicationSettings& settings, int64_t now_ns) {
  const auto pulls = present_pulls(rows, settings);
  const auto tokens = rows.tokens();
  if (!pulls || !tokens) return;
  std::vector<Sample> lag, good, blobs, bytes, healed, trouble;
  for (const catalog::ReplicaPull& one : *pulls) {
    const std::vector<std::pair<std::string, std::string>> labels = {{"source", one.source},
                                                                     {"account", one.account}};
    trouble.push_back({labels, one.trouble.empty() ? 0.0 : 1.0});
    if (one.account.empty()) continue;
    const int64_t since = one.good_ns != 0 ? now_ns - one.good_ns : 0;
    if (one.good_ns != 0) lag.push_back({labels, static_cast<double>(since) / 1e9});
    good.push_back({labels, static_cast<double>(one.good_ns) / 1e9});
    blobs.push_back({labels, real(one.blobs)});
    bytes.push_back({labels, real(one.bytes)});
    healed.push_back({labels, real(one.healed)});
  }
  const auto gauge = [&](const char* name, const char* help, std::vector<Sample> samples) {
    list.add(Metric::Kind::gauge, name, help, std::move(samples));
  };
  const auto counter = [&](const char* name, const char* help, std::vector<Sample> samples) {
    list.add(Metric::Kind::counter, name, help, std::move(samples));
  };
  gauge("replication_lag_seconds", "Since when a copy may lack what its source has.",
        std::move(lag));
  gauge("replication_good_timestamp_seconds",
        "When all that the source had was here, 0: never yet.", std::move(good));
  gauge("replication_trouble",
        "1: the source (account empty) or the account is not copied, see status.",
        std::move(trouble));
  counter("replication_blobs_total", "Blobs that were fetched.", std::move(blobs));
  counter("replication_bytes_total", "Stored bytes of blobs that were fetched.", std::move(bytes));
  counter("replication_healed_total", "Damaged blobs that were fetched anew.", std::move(healed));
  MetricList::Labelled seen;
  for (const catalog::ReplicaToken& one : *tokens)
    seen.emplace_back(one.name, static_cast<double>(one.last_seen_ns) / 1e9);
  list.gauges("replica_seen_timestamp_seconds",
              "When another server that copies from here came last, 0: never.", "replica", seen);
}

void add_log(MetricList& list, const log::RecentLog& recent) {
  list.counters("log_lines_total", "Lines of the log, by level.", "level",
                {{"info", real(recent.count(log::Level::info))},
                 {"warn", real(recent.count(log::Level::warn))},
                 {"error", real(recent.count(log::Level::error))}});
}

void add_audit(MetricList& list, const Audit& audit) {
  list.counter("audit_records_total", "Records of the audit log: the sequence of its head.",
               audit.head().sequence);
  list.gauge("audit_waiting", "Audit records that cannot be written and wait.",
             real(audit.waiting()));
  list.counter("audit_dropped_total", "Audit records that were dropped because too many waited.",
               audit.dropped());
}

}  // namespace

// What takes long to count; asked for again when it is a minute old.
Daemon::State::Held Daemon::State::held() {
  const std::lock_guard hold(held_mutex);
  const auto now = seams.clock->monotonic();
  if (held_known && now - held_since < kHeldFor) return held_value;
  held_value.totals = commands->totals();
  held_value.limits = quota_metrics(backend->catalog().accounts(), backend->limits());
  held_value.legacy.clear();
  if (const auto report =
          collect_legacy_report(backend->catalog(), settings, seams.clock->wall().count(), kV3Used))
    held_value.legacy = legacy_metrics(*report);
  held_value.sources =
      backend->watch().sources(std::nullopt).value_or(std::vector<WatchedSource>());
  held_value.drills.clear();
  if (const auto all = drills->list())
    held_value.drills = drill_metrics(*all, seams.clock->wall().count());
  held_since = now;
  held_known = true;
  return held_value;
}

std::string Daemon::metrics() const {
  State& s = *state_;
  MetricList list;
  list.add(Metric::Kind::gauge, "info", "What runs here.", {{{{"version", kProgramVersion}}, 1}});
  const auto up = s.seams.clock->monotonic() - s.began;
  list.gauge("start_time_seconds", "When it started, since 1970.",
             std::chrono::duration<double>(s.seams.clock->wall() - up).count());
  list.gauge("draining", "1: it is ending and takes no connections.", s.draining ? 1 : 0);
  MetricList::Labelled connections;
  for (const auto& door : s.doors)
    connections.emplace_back(door->settings().name,
                             real(s.sessions->count_of_listener(door->key())));
  list.gauges("connections", "Connections now.", "listener", connections);
  add_protocols(list, s.v3->counters(), s.v4->counters());
  add_logins(list, s.v4->counters(), s.v4->locked_out());
  add_requests(list, s.v3->counters(), s.v4->counters());
  if (const auto space = s.backend->store().space()) {
    list.gauge("store_total_bytes", "Space of the store.", real(space->total));
    list.gauge("store_free_bytes", "Space of the store that is free.", real(space->free));
  }
  list.gauge("store_low", "1: no backup begins, the store is below its low-water mark.",
             s.backend->engine().is_low() ? 1 : 0);
  list.counter("requests_delayed_total",
               "Requests of protocol 4 that had to wait: their session sent too many a second.",
               s.v4->counters().delayed);
  list.gauge("uploads_refused", "1: new uploads are refused for want of space.",
             s.v3->refusal().empty() ? 0 : 1);
  const State::Held held = s.held();
  add_held(list, held.totals);
  add_plugins(list, *s.registry);
  add_process(list, s.buffers->counts(), s.workers->counts());
  if (const auto jobs = s.jobs->list()) add_jobs(list, *jobs);
  add_sources(list, held.sources, s.seams.clock->wall().count());
  add_traffic(list, *s.traffic);
  add_maintenance(list, *s.maintenance);
  add_replication(list, s.backend->catalog().replication(), s.jobs->settings().replication,
                  s.seams.clock->wall().count());
  add_log(list, s.recent);
  add_audit(list, *s.audit);
  list.add_all(notify_metrics(s.notifier->list()));
  list.add_all(held.drills);
  list.add_all(held.legacy);
  list.add_all(held.limits);
  list.add_all({refusal_metric(s.backend->limits())});
  return list.text();
}

}  // namespace cb::server
