// SPDX-License-Identifier: Apache-2.0
//
// The parts of a running daemon, in the order in which they are opened. Used by daemon*.cpp alone.
#pragma once

#include "core/log/rate_limit.h"
#include "core/log/recent.h"
#include "core/observe/http_server.h"
#include "core/report/metrics.h"
#include "core/server/admin_commands.h"
#include "core/server/admin_server.h"
#include "core/server/audit.h"
#include "core/server/daemon.h"
#include "core/server/door.h"
#include "core/server/drill_book.h"
#include "core/server/event_post.h"
#include "core/server/jobs.h"
#include "core/server/last_seen.h"
#include "core/server/maintenance.h"
#include "core/server/traffic.h"
#include "core/stream/buffer_pool.h"
#include "core/stream/workers.h"

namespace cb::server {

struct Daemon::State {
  State(Settings with, Seams given)
      : settings(std::move(with)),
        seams(std::move(given)),
        recent(*seams.log, *seams.clock),
        log(recent, *seams.clock),
        began(seams.clock->monotonic()),
        sessions(std::make_shared<Sessions>(settings.limits)),
        drain_timeout(settings.drain_timeout.count()) {}

  boost::asio::awaitable<void> drain();
  void cancel_stores();
  void end_threads();
  Status complete_store();
  void open_maintenance();
  void begin_watch();
  boost::asio::awaitable<void> watch_drain();
  Result<V4Migration::Parts> migration_parts();
  [[nodiscard]] JobParts job_parts();
  // Who passes events on, once it is open.
  [[nodiscard]] EventSink* event_sink() const {
    return seams.events != nullptr ? seams.events : events.get();
  }
  [[nodiscard]] bool is_quiet() const { return v3->counters().uploads == 0; }
  [[nodiscard]] std::vector<uint16_t> ports() const {
    std::vector<uint16_t> all;
    for (const auto& door : doors) all.push_back(door->port());
    return all;
  }

  [[nodiscard]] std::vector<OpenListener> listeners() const {
    std::vector<OpenListener> all;
    for (const auto& door : doors) all.push_back({door->port(), door->serves(4)});
    return all;
  }

  Settings settings;
  Seams seams;
  log::RecentLog recent;  // what passes the limits
  log::RateLimitedLog log;
  const std::chrono::nanoseconds began;
  std::shared_ptr<Sessions> sessions;
  std::atomic<int64_t> drain_timeout;  // nanoseconds; may change with a reload
  std::atomic<bool> draining{false};
  bool stopped = false;
  std::mutex completing;
  bool is_completed = false;  // guarded by completing

  std::optional<os::FileLock> lock;
  std::unique_ptr<plugin::Registry> registry;
  std::unique_ptr<Backend> backend;
  std::unique_ptr<Audit> audit;
  std::unique_ptr<LastSeen> seen;
  std::unique_ptr<notify::Notifier> notifier;
  std::unique_ptr<EventPost> events;
  std::unique_ptr<Alarms> alarms;
  std::unique_ptr<DrillBook> drills;
  std::unique_ptr<stream::IoThreads> threads;
  std::unique_ptr<stream::BufferPool> buffers;
  std::unique_ptr<stream::Workers> workers;
  std::unique_ptr<stream::Workers> readers;  // for what may wait for a slow peer
  std::unique_ptr<Traffic> traffic;
  std::unique_ptr<Maintenance> maintenance;
  std::atomic<bool> watching{false};  // whether what is at odds with the store's mode has ended
  std::unique_ptr<V3Policy> v3_policy;
  std::optional<plugin::Crypto> legacy_suite;  // that challenges clients who migrate
  std::unique_ptr<V3Service> v3;
  std::unique_ptr<V4Service> v4;
  std::unique_ptr<Jobs> jobs;
  std::unique_ptr<AdminCommands> commands;
  std::vector<std::unique_ptr<Door>> doors;
  std::unique_ptr<AdminServer> admin;
  std::unique_ptr<observe::HttpServer> pages;

  // What metrics tell and takes long to count; as old as kHeldFor at most.
  struct Held {
    report::Json totals;
    std::vector<report::Metric> legacy;
    std::vector<report::Metric> limits;
    std::vector<WatchedSource> sources;
    std::vector<report::Metric> drills;
  };
  static constexpr auto kHeldFor = std::chrono::minutes(1);
  Held held();
  std::mutex held_mutex;
  // Guarded by held_mutex:
  Held held_value;
  std::chrono::nanoseconds held_since{};
  bool held_known = false;
};

}  // namespace cb::server
