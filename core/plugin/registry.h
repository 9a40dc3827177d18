// SPDX-License-Identifier: Apache-2.0
//
// The registry: which plugins this host has loaded, and the instances made of them. Loading and
// making instances is for one thread at a time ([setup]); status() and instances() may be called
// beside it, and instances are used from anywhere their handles allow. Modules are never unloaded.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/config/schema.h"
#include "core/log/log.h"
#include "core/os/clock.h"
#include "core/os/file_system.h"
#include "core/os/random.h"
#include "core/plugin/compress.h"
#include "core/plugin/crypto.h"
#include "core/plugin/gate.h"
#include "core/plugin/store.h"
#include "core/plugin/transport.h"

namespace cb::plugin {

enum class Pins { off, warn, enforce };

// What a plugin gets from the host, and what tests may replace.
struct HostServices {
  log::Log* log = nullptr;
  const os::Clock* clock = nullptr;
  // The source of randomness for a plugin, by id; the shipped programs give every one the system's.
  std::function<os::Random&(const std::string& plugin_id)> random;
  std::string host_name;
  std::string host_version;
};

struct LoadOptions {
  os::Path folder;
  Pins pins = Pins::off;
  std::map<std::string, std::string> sha256;  // plugin id -> 64 hex digits
  // Owner and permissions of the file and the folders above it are checked.
  bool check_owner = true;
  // Runs a file of unknown hash in a child first, so that one that aborts or hangs at load is
  // refused. Needs `probe_program`: without one nothing is probed.
  bool probe_unknown = true;
  os::Path probe_program;  // cyberbackup-plugin-probe, beside the daemon
  std::chrono::nanoseconds probe_timeout = std::chrono::seconds(5);
  // Folder that keeps the hashes of files that passed; while there is none, or this is empty, all
  // are probed every time. A refusal is not kept, so that a repaired system is noticed.
  os::Path probe_cache;
};

// How an instance fares.
struct InstanceStatus {
  std::string id;
  bool quarantined = false;  // broke the contract: not entered any more
  bool unhealthy = false;    // blocked a thread of the host's
  std::string reason;        // of either
  GateCounters counters;
};

// A plugin that was loaded, or one that was refused and why.
struct PluginStatus {
  std::string id;  // as asked for
  os::Path file;
  std::string sha256;
  std::string interface_id;
  std::string version, vendor, license, summary, maturity, posture;
  uint64_t capabilities = 0;
  std::optional<Error> refused;
};

class Registry {
 public:
  Registry(HostServices services, LoadOptions options);
  ~Registry();  // all instances are gone by then; runs deinit, unless one is left (logged)
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Loads the plugin `id` from folder/id.so. A refusal is also kept for status().
  Status load(const std::string& id);

  [[nodiscard]] std::vector<PluginStatus> status() const;
  // The instances that live now.
  [[nodiscard]] std::vector<InstanceStatus> instances() const;
  // The options of a loaded plugin. Code::not_found names what is loaded.
  Result<const config::Schema*> schema(const std::string& id) const;

  // Makes an instance of a loaded plugin: check, then create. `lower` is the store below for a
  // STORE_FILTER.
  Result<std::shared_ptr<Instance>> make(const std::string& id, const config::Values& values,
                                         std::shared_ptr<Instance> lower = nullptr);

  // The same, and Code::invalid when the plugin's interface is another one.
  Result<Store> make_store(const std::string& id, const config::Values& values,
                           std::shared_ptr<Instance> lower = nullptr);
  Result<Crypto> make_crypto(const std::string& id, const config::Values& values);
  Result<Compress> make_compress(const std::string& id, const config::Values& values);
  Result<Transport> make_transport(const std::string& id, const config::Values& values);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cb::plugin
