// SPDX-License-Identifier: Apache-2.0
//
// What lies behind the sessions: plugins, store, catalog, the server's keys, the engine and the
// archive of v3 uploads. The daemon and the commands that work on its files open the same. Opening
// is for one thread; the parts are then used from any.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/catalog/catalog.h"
#include "core/identity/signing.h"
#include "core/log/line_log.h"
#include "core/os/clock.h"
#include "core/os/random.h"
#include "core/plugin/registry.h"
#include "core/repository/engine.h"
#include "core/server/account_notes.h"
#include "core/server/events.h"
#include "core/server/job_kinds.h"
#include "core/server/limit_book.h"
#include "core/server/retention_book.h"
#include "core/server/settings.h"
#include "core/server/v3_archive.h"
#include "core/server/watch_book.h"

namespace cb::server {

// What tests may replace.
struct Seams {
  log::LineLog* log = nullptr;  // required
  const os::Clock* clock = &os::system_clock();
  os::FileSystem* files = &os::real_file_system();
  os::Random* ids = &os::system_random();  // for ids of v3 clients
  os::Path catalog;                        // a file in place of the settings'; empty: theirs
  EventSink* events = nullptr;             // in place of whoever passes them on
  bool is_read_only = false;               // completes nothing that a crash broke off
  FurtherJobs further_jobs = {};           // beside the server's own
  // Runs what binds addresses: some of them only root may bind.
  std::function<Status(const std::function<Status()>& bind)> binding = [](const auto& bind) {
    return bind();
  };
  // Called once when all that is opened as whoever started the daemon is open, and before anybody
  // is served; an error ends the start.
  std::function<Status()> before_serving = [] { return Status(); };
  // Randomness for a plugin, by id.
  std::function<os::Random&(const std::string&)> plugin_random =
      [](const std::string&) -> os::Random& { return os::system_random(); };
};

// The registry that these settings ask for, with nothing loaded. `log` and `seams` outlive it.
std::unique_ptr<plugin::Registry> make_registry(const Settings& settings, const Seams& seams,
                                                log::Log& log);

// Loads the plugins and checks their options; sets PluginUse::values. Code::invalid with every
// problem on a line of its own.
Status prepare_plugins(Settings& settings, plugin::Registry& registry);

// Makes the seed that signs commit records, if there is none yet. For who holds the folder's lock.
Status ensure_signing_key(const Settings& settings, const Seams& seams);

class Backend {
 public:
  // Opens everything; `settings` has been prepared with `registry`. All arguments outlive it.
  static Result<std::unique_ptr<Backend>> open(const Settings& settings, plugin::Registry& registry,
                                               const Seams& seams);
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  [[nodiscard]] plugin::Store& store() { return *store_; }
  [[nodiscard]] catalog::Catalog& catalog() { return *catalog_; }
  [[nodiscard]] V3Archive& archive() { return *archive_; }
  [[nodiscard]] repository::Engine& engine() { return *engine_; }
  [[nodiscard]] AccountNotes& notes() { return *notes_; }
  [[nodiscard]] RetentionBook& retention() { return *retention_; }
  [[nodiscard]] LimitBook& limits() { return *limits_; }
  [[nodiscard]] WatchBook& watch() { return *watch_; }
  // What opens and seals the repositories of v3 clients.
  [[nodiscard]] V3Keys::Parts v3_parts();
  // Signs commit records. Code::not_found in a folder without ensure_signing_key.
  [[nodiscard]] Result<repository::SigningPublic> signing_public() const;

  // Asks the stores to give up what they wait for (cb_host.cancelled), for good. Thread-safe.
  void cancel_stores();

 private:
  Backend() = default;
  Status open_crypto(const Settings& settings, plugin::Registry& registry, const Seams& seams);
  Status open_store(const Settings& settings, plugin::Registry& registry);
  Status open_catalog(const Settings& settings, const Seams& seams);
  Status open_signing_key(const Settings& settings, const Seams& seams);
  Status open_engine(const Settings& settings, const Seams& seams);

  const os::Clock* clock_ = nullptr;
  std::optional<plugin::Crypto> crypto_;
  std::optional<plugin::KeyPair> key_;
  std::optional<plugin::Compress> compress_;
  std::optional<plugin::Store> store_;
  std::vector<std::shared_ptr<plugin::Instance>> stores_;  // filters and all, from below
  std::unique_ptr<catalog::Catalog> catalog_;
  std::optional<identity::SigningKey> signing_key_;
  std::optional<LimitBook> limits_;
  std::unique_ptr<repository::Engine> engine_;
  std::optional<AccountNotes> notes_;
  std::optional<RetentionBook> retention_;
  std::optional<WatchBook> watch_;
  std::optional<V3Archive> archive_;
};

}  // namespace cb::server
