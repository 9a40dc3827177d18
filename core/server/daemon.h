// SPDX-License-Identifier: Apache-2.0
//
// The daemon as an object: opens the back end and the listeners, serves until it is told to stop,
// and leaves no thread, file or socket behind. Start, reload and stop are for one thread; status
// and begin_drain for any.
#pragma once

#include <atomic>
#include <memory>

#include "core/os/process.h"
#include "core/report/json.h"
#include "core/server/backend.h"

namespace cb::server {

class Door;

class Daemon {
 public:
  // Checks everything, then opens everything, then accepts. When it fails, nothing stays open. The
  // seams outlive the daemon.
  static Result<std::unique_ptr<Daemon>> start(Settings settings, Seams seams);
  ~Daemon();  // stops
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // The listeners' ports, in the order of the settings.
  [[nodiscard]] std::vector<uint16_t> ports() const;
  // That of the pages for monitoring; 0 when there are none.
  [[nodiscard]] uint16_t observe_port() const;

  // Stops accepting at once, lets running uploads end for at most drain_timeout, ends all sessions,
  // then calls `drained` on an io thread. Only the first call counts.
  void begin_drain(std::function<void()> drained);

  // The same, and waits for it.
  void drain();

  // Ends all sessions and threads and closes everything. May be called again.
  void stop();

  // Takes over what can change while running, and rereads certificates. `fresh` has been loaded
  // without problems; what would need a restart is logged and left as it is. Code::invalid when the
  // options of its plugins are wrong, Code::unsupported when a listener is to serve what its
  // transport cannot bear; then nothing changes.
  Status reload(Settings fresh);

  // Connections that are open now.
  [[nodiscard]] size_t session_count() const;

  // What `cyberbackupd status` shows. Blocks (asks the store and the catalog).
  [[nodiscard]] report::Json status() const;

 private:
  struct State;
  explicit Daemon(std::unique_ptr<State> state);
  Status open();
  Status open_services();
  Status open_doors();
  Status open_jobs();
  Status open_admin();
  Status open_observe();
  [[nodiscard]] std::string metrics() const;
  [[nodiscard]] report::Json readiness() const;
  [[nodiscard]] report::Json diagnostics() const;
  void note(const std::string& action, const std::string& detail) const;
  Result<std::vector<std::vector<int>>> versions_after(const Settings& fresh) const;
  void change_versions(Door& door, const std::vector<int>& versions) const;
  void change_targets(const std::vector<std::shared_ptr<const notify::Target>>& targets) const;
  void warn_of_restart(const Settings& fresh) const;

  std::unique_ptr<State> state_;
};

// What the registry has loaded and refused, for `status` and `plugins list`.
report::Json plugins_as_json(const plugin::Registry& registry);

}  // namespace cb::server
