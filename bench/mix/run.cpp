// SPDX-License-Identifier: Apache-2.0
#include "bench/mix/run.h"

#include <algorithm>
#include <cstdio>

#include "bench/mix/conductor.h"

namespace cb::bench {
namespace {

constexpr double kMebibyte = 1024 * 1024;
constexpr double kTenMinutes = 600;

// What is required.
constexpr double kMostSlope = 1;          // MiB in ten minutes
constexpr double kMostOfMedian = 3;       // p99 of p50 at half load
constexpr double kMemoryOfDaemon = 64;    // MiB, and of each connection:
constexpr double kMemoryOfSession = 0.4;  // MiB
constexpr double kFilesLeft = 8;  // of connections of the catalog that workers open as needed
// What is too short says nothing.
constexpr size_t kFewestActs = 200;
constexpr std::chrono::seconds kShortestHalf{60};
constexpr std::chrono::seconds kShortestSoak{240};
constexpr std::chrono::seconds kShortestFlood{300};

class Verdicts {
 public:
  // Prints the value, and that it is missed when it is above `most`.
  void at_most(const std::string& name, double value, double most, const std::string& unit,
               int digits = 2) {
    tell(name, value, unit, digits);
    if (value <= most) return;
    ++missed_;
    std::printf("missed %s: %.2f, at most %.2f %s\n", name.c_str(), value, most, unit.c_str());
  }
  [[nodiscard]] size_t missed() const { return missed_; }

 private:
  size_t missed_ = 0;
};

double resident_of(const Sample& sample) { return sample.taken.resident; }

void judge_latencies(const Conductor& all, Verdicts& verdicts) {
  const Figures& figures = all.figures();
  for (const Act act :
       {Act::login, Act::resume, Act::backup, Act::restore, Act::v3_upload, Act::heartbeat}) {
    const double median = figures.quantile(Phase::half, act, 0.5);
    if (median == 0 || figures.count(Phase::half, act) < kFewestActs) continue;
    const double of_median = figures.quantile(Phase::half, act, 0.99) / median;
    const bool is_judged = all.half_time() >= kShortestHalf && act != Act::heartbeat;
    verdicts.at_most(std::string("half_") + name_of(act) + "_p99_of_p50", of_median,
                     is_judged ? kMostOfMedian : of_median, "times");
  }
}

void judge_memory(const MixPlan& plan, const Conductor& all, Verdicts& verdicts) {
  const auto soak = all.samples().of(Phase::soak);
  const double slope = slope_of(soak, resident_of) * kTenMinutes / kMebibyte;
  verdicts.at_most("soak_rss_growth", slope, all.soak_time() >= kShortestSoak ? kMostSlope : slope,
                   "MiB/10min");
  double most = 0, threads = 0, connections = 0;
  for (const Phase phase : {Phase::full, Phase::half, Phase::soak})
    for (const Sample& one : all.samples().of(phase)) {
      most = std::max(most, one.taken.resident / kMebibyte);
      threads = std::max(threads, one.taken.threads);
      connections = std::max(connections, one.connections);
    }
  const double peers = plan.sessions + plan.v3 + plan.misbehaving + plan.workers;
  verdicts.at_most("daemon_rss_most", most, kMemoryOfDaemon + kMemoryOfSession * peers, "MiB");
  tell("daemon_connections_most", connections, "connections");
  verdicts.at_most("daemon_threads_most", threads, all.looks().before.taken.threads, "threads", 0);
}

void judge_end(const Conductor& all, Verdicts& verdicts) {
  const Sample& before = all.looks().before;
  const Sample& after = all.looks().after;
  tell("daemon_files_before", before.taken.descriptors, "files");
  verdicts.at_most("daemon_files_after", after.taken.descriptors,
                   before.taken.descriptors + kFilesLeft, "files", 0);
  tell("daemon_threads_before", before.taken.threads, "threads");
  verdicts.at_most("daemon_threads_after", after.taken.threads, before.taken.threads, "threads", 0);
  tell("daemon_rss_before", before.taken.resident / kMebibyte, "MiB", 1);
  tell("daemon_rss_after", after.taken.resident / kMebibyte, "MiB", 1);
  verdicts.at_most("daemon_connections_after", after.connections, 0, "connections", 0);
  verdicts.at_most("daemon_sessions_after", after.sessions, 0, "sessions", 0);
  verdicts.at_most("daemon_buffers_after", after.buffers, 0, "buffers", 0);
}

void tell_costs(const MixPlan& plan, const Conductor& all) {
  const auto grown = [](const Sample& from, const Sample& to, double count) {
    return count == 0 ? 0 : (to.taken.resident - from.taken.resident) / 1024 / count;
  };
  const auto& looks = all.looks();
  tell("sessions_rss_each", grown(looks.before, looks.with_sessions, plan.sessions), "KiB", 1);
  tell("misbehaving_rss_each", grown(looks.with_sessions, looks.with_misbehaving, plan.misbehaving),
       "KiB", 1);
  for (const auto& [job, runs] : all.upkeep().runs()) {
    tell("job_" + job, static_cast<double>(runs.size()), "runs");
    tell("job_" + job + "_longest", *std::max_element(runs.begin(), runs.end()), "s", 1);
  }
}

}  // namespace

Result<size_t> run_mix(const MixPlan& plan) {
  CB_ASSIGN(const auto good, Fleet::open(plan.good));
  CB_ASSIGN(const auto bad, Fleet::open(plan.bad));
  CB_TRY(good->enroll_all());
  CB_TRY(bad->enroll_all());
  Conductor all(plan, *good, *bad);
  all.run();
  if (!plan.tsv.empty()) CB_TRY(all.samples().write(plan.tsv));

  Verdicts verdicts;
  tell("sessions", plan.sessions, "sessions");
  tell("v3_clients", plan.v3, "clients");
  tell("misbehaving", plan.misbehaving, "clients");
  tell("seed", static_cast<double>(plan.seed), "");
  all.figures().tell_all();
  tell("full_throughput", all.throughput(), "acts/s", 1);
  tell("snapshots_acknowledged", static_cast<double>(all.acknowledged()), "snapshots");
  tell("acts_under_way_most", static_cast<double>(all.drive().most_under_way()), "acts");
  tell_costs(plan, all);
  verdicts.at_most("well_behaved_errors", static_cast<double>(all.figures().failures()), 0,
                   "errors", 0);
  verdicts.at_most("misbehaving_late", static_cast<double>(all.misbehaving().tell_all()), 0,
                   "connections", 0);
  const bool floods = plan.misbehaving > 0 && plan.has_own_address && plan.time >= kShortestFlood;
  if (floods && all.misbehaving().refused_hellos() == 0)
    verdicts.at_most("floods_not_limited", 1, 0, "floods", 0);
  judge_latencies(all, verdicts);
  judge_memory(plan, all, verdicts);
  judge_end(all, verdicts);
  tell("limits_missed", static_cast<double>(verdicts.missed()), "limits");
  return verdicts.missed();
}

}  // namespace cb::bench
