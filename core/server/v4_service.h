// SPDX-License-Identifier: Apache-2.0
//
// Protocol v4 as the server offers it (docs/protocol-v4.md): one V4Service for the daemon, one
// session per connection. The service is thread-safe; sessions run on their connection's strand and
// block only on workers.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "core/catalog/catalog.h"
#include "core/log/log.h"
#include "core/os/clock.h"
#include "core/os/random.h"
#include "core/repository/engine.h"
#include "core/server/account_notes.h"
#include "core/server/audit.h"
#include "core/server/last_seen.h"
#include "core/server/limit_book.h"
#include "core/server/maintenance.h"
#include "core/server/request_times.h"
#include "core/server/retention_book.h"
#include "core/server/traffic.h"
#include "core/server/v3_policy.h"
#include "core/server/v4_migration.h"
#include "core/server/v4_running.h"
#include "core/server/v4_settings.h"
#include "core/server/watch_book.h"
#include "core/stream/buffer_pool.h"
#include "core/stream/connection.h"
#include "core/stream/workers.h"

namespace cb::server {

// Counters since the start, for `status` and metrics.
struct V4Counters {
  std::atomic<uint64_t> sessions{0};   // now
  std::atomic<uint64_t> logged_in{0};  // now
  std::atomic<uint64_t> sessions_total{0};
  std::atomic<uint64_t> logins{0};
  std::atomic<uint64_t> logins_refused{0};
  std::atomic<uint64_t> enrolments{0};
  std::atomic<uint64_t> disorders{0};  // sessions that were ended for breaking the rules
  std::atomic<uint64_t> bytes_in{0};   // bulk
  std::atomic<uint64_t> bytes_out{0};
  std::atomic<uint64_t> blobs_out{0};
  std::atomic<uint64_t> commits{0};
  std::atomic<uint64_t> blobs_in{0};
  std::atomic<uint32_t> held_restores{0};  // that a traffic rule is about, now
  std::atomic<uint64_t> delayed{0};        // requests that had to wait for their session's rate
  RequestTimes requests{2000};
};

class DrillBook;

class V4Service {
 public:
  // What the service works with; all outlive it.
  struct Parts {
    repository::Engine* engine = nullptr;
    catalog::Accounts* accounts = nullptr;
    catalog::Replication* replication = nullptr;
    AccountNotes* notes = nullptr;
    LastSeen* seen = nullptr;
    RetentionBook* retention = nullptr;
    LimitBook* limits = nullptr;
    WatchBook* watch = nullptr;
    DrillBook* drills = nullptr;
    const V3Policy* v3_policy = nullptr;
    stream::Workers* workers = nullptr;
    stream::Workers* readers = nullptr;  // where reading for slow clients may wait for the network
    stream::BufferPool* buffers = nullptr;
    Traffic* traffic = nullptr;          // null: nothing is limited
    Maintenance* maintenance = nullptr;  // null: the store is served as usual
    log::Log* log = nullptr;
    Audit* audit = nullptr;
    const os::Clock* clock = nullptr;
    os::Random* random = nullptr;  // for nonces
    repository::SigningPublic server_key{};
    V4Migration::Parts migration;  // without its locks
  };

  V4Service(const Parts& parts, const V4Settings& settings);
  ~V4Service();

  // Serves one connection until it ends, and closes it. Never throws. The handshake has been done;
  // `first` are bytes that came already.
  boost::asio::awaitable<void> serve(std::unique_ptr<stream::Connection> connection,
                                     ByteView first);

  // Completes what a crash broke off: the server's copies of keys that have an owner now go. Before
  // the first session. Returns how many did.
  Result<uint64_t> settle_migrations();

  // Takes new settings for sessions that begin from now on.
  void reconfigure(const V4Settings& settings);
  // What is in force.
  [[nodiscard]] V4Settings settings() const;

  [[nodiscard]] const V4Counters& counters() const;
  // Logins that were refused because of a wait, since the start.
  [[nodiscard]] uint64_t locked_out() const;
  // The sessions that are logged in now.
  [[nodiscard]] V4Running& running();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cb::server
