// SPDX-License-Identifier: Apache-2.0
//
// Protocol v3 as the server offers it: one V3Service for the daemon, one session per connection.
// The service is thread-safe; sessions run on their connection's strand and block only on workers.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "core/catalog/catalog.h"
#include "core/log/log.h"
#include "core/os/clock.h"
#include "core/os/file_system.h"
#include "core/os/random.h"
#include "core/plugin/registry.h"
#include "core/server/audit.h"
#include "core/server/maintenance.h"
#include "core/server/request_times.h"
#include "core/server/traffic.h"
#include "core/server/v3_archive.h"
#include "core/server/v3_policy.h"
#include "core/server/v3_settings.h"
#include "core/stream/buffer_pool.h"
#include "core/stream/connection.h"
#include "core/stream/workers.h"

namespace cb::server {

// Counters since the start, for `status` and metrics.
struct V3Counters {
  std::atomic<uint64_t> sessions{0};  // now
  std::atomic<uint64_t> uploads{0};   // now: begun and not yet confirmed or dropped
  std::atomic<uint64_t> sessions_total{0};
  std::atomic<uint64_t> registrations{0};
  std::atomic<uint64_t> uploads_confirmed{0};
  std::atomic<uint64_t> uploads_dropped{0};   // 1030, 1031, cut, timeout, malformed
  std::atomic<uint64_t> plain_bytes{0};       // of confirmed uploads
  std::atomic<uint64_t> requests_refused{0};  // answered 1601, 1606 or 1607
  RequestTimes requests{1000};
};

// The listener that a connection came in by.
struct V3Listener {
  std::string name;
  Dialect dialect = Dialect::usual;
  // Does it serve protocol 3 (still)? From any thread; does not block.
  std::function<bool()> serves;
};

class V3Service {
 public:
  // What the service works with; all outlive it.
  struct Parts {
    plugin::Registry* registry = nullptr;  // has crypto-legacy loaded
    plugin::Store* store = nullptr;
    V3Archive* archive = nullptr;
    const V3Policy* policy = nullptr;
    catalog::Catalog* catalog = nullptr;
    stream::Workers* workers = nullptr;
    stream::BufferPool* buffers = nullptr;
    Traffic* traffic = nullptr;          // null: nothing is limited
    Maintenance* maintenance = nullptr;  // null: the store is served as usual
    log::Log* log = nullptr;
    Audit* audit = nullptr;
    const os::Clock* clock = nullptr;
    os::Random* ids = nullptr;  // for client ids
    os::FileSystem* files = nullptr;
    os::Path spool_folder;  // for packets that come out of order; needs no durability
  };

  // Makes the crypto-legacy instances that the dialects need.
  static Result<std::unique_ptr<V3Service>> open(Parts parts, const V3Settings& settings);
  ~V3Service();

  // Serves one connection until it ends, and closes it. Never throws. The handshake has been done;
  // `first` are bytes that came already. When the listener does not serve protocol 3, the next
  // request is answered with 1607 and is the last.
  boost::asio::awaitable<void> serve(std::unique_ptr<stream::Connection> connection,
                                     V3Listener listener, ByteView first = {});

  // Takes new settings for sessions that begin from now on.
  void reconfigure(const V3Settings& settings);
  // What is in force.
  [[nodiscard]] V3Settings settings() const;

  // Why new uploads are refused at the moment; empty when they are not. Blocks (asks the store).
  [[nodiscard]] std::string refusal();

  [[nodiscard]] const V3Counters& counters() const;

 private:
  struct State;
  explicit V3Service(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace cb::server
