// SPDX-License-Identifier: Apache-2.0
//
// What the daemon's configuration says: one schema for each table, and the typed result. Loading
// reads files and the given environment; the result is plain values.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/config/check.h"
#include "core/config/print.h"
#include "core/log/output.h"
#include "core/notify/target.h"
#include "core/plugin/registry.h"
#include "core/repository/engine.h"
#include "core/server/limit_set.h"
#include "core/server/store_mode.h"
#include "core/server/traffic_rule.h"
#include "core/server/upkeep_settings.h"
#include "core/server/v3_settings.h"
#include "core/server/v4_settings.h"
#include "core/server/watch_settings.h"

namespace cb::server {

// A plugin that is put to use, and the table with its options.
struct PluginUse {
  std::string name;        // as written: "tls"
  std::string id;          // of the plugin: "transport-tls"
  std::string table_name;  // for messages: "listen.tls"
  config::Place at;        // where it was named
  config::Node table;      // as written; empty if it was not
  config::Values values;   // set by check_plugin_options
};

// What a listener serves, in one word: protocol 3 alone; both, protocol 4 where the transport holds
// what it needs; protocol 4 alone, and nothing where the transport does not.
enum class ListenMode { legacy, compat, secure };

struct ListenSettings {
  std::string name;  // for logs and status
  std::string host;  // numeric
  uint16_t port = 0;
  std::vector<PluginUse> transport;  // top first; the last is the root
  std::optional<ListenMode> mode;
  std::vector<int> versions;  // as written, or as the mode means them; see Door::versions_for
  Dialect dialect = Dialect::usual;
  uint32_t max_connections = 0;
  config::Place at;

  [[nodiscard]] bool serves(int version) const {
    return std::find(versions.begin(), versions.end(), version) != versions.end();
  }
};

// The crypto plugin that protocol 3 speaks.
constexpr const char* kV3Crypto = "crypto-legacy";

// The listener of pages about the daemon (docs/operations.md, "Seeing in").
struct ObserveSettings {
  bool is_on = false;
  std::string host;
  uint16_t port = 0;
  bool allow_public = false;
};

// How little the daemon may do (docs/operations.md, "Confinement").
struct ConfinementSettings {
  std::string user;                // empty: whoever starts it
  bool filter = true;              // system calls
  std::vector<std::string> calls;  // beyond those of the filter
};

struct LimitSettings {
  uint32_t connections = 0;
  uint32_t connections_per_address = 0;
  std::chrono::nanoseconds handshake_timeout{};
};

// One option with its value in force, for `config show`. Options of plugins are not among them.
struct ShownOption {
  std::string table;
  std::string key;
  std::string value;  // as TOML
  bool is_default = false;
  bool reloadable = false;
};

struct Settings {
  os::Path file;
  os::Path data;  // keys/, catalog.sqlite, spool/, admin.sock, lock
  uint32_t io_threads = 0;
  uint32_t workers = 0;
  uint64_t memory = 0;  // bytes of transfer buffers
  std::chrono::nanoseconds drain_timeout{};
  log::OutputSettings log;
  plugin::LoadOptions plugins;
  std::vector<std::string> load;  // ids beyond those that are used
  std::vector<ListenSettings> listen;
  std::vector<PluginUse> store;  // top first
  StoreSettings store_mode;
  PluginUse crypto;
  PluginUse compress;
  V3Settings v3;
  V4Settings v4;
  repository::EngineLimits engine;
  std::vector<std::string> advertise;  // HOST:PORT for tokens; empty: the v4 listeners' own
  LimitSettings limits;
  LimitDefaults quotas;
  std::vector<TrafficRule> traffic;
  ObserveSettings observe;
  UpkeepSettings upkeep;
  WatchSettings watch;
  std::vector<std::shared_ptr<const notify::Target>> notify;
  ConfinementSettings confinement;
  std::vector<uint32_t> operators;  // user numbers, beside root and the daemon's own
  std::vector<ShownOption> shown;   // in the order of settings_sections

  [[nodiscard]] os::Path keys_folder() const { return data / "keys"; }
  [[nodiscard]] os::Path key_file() const { return keys_folder() / "server.key"; }
  // The Ed25519 seed that signs commit records.
  [[nodiscard]] os::Path signing_key_file() const { return keys_folder() / "signing.key"; }
  [[nodiscard]] os::Path catalog_file() const { return data / "catalog.sqlite"; }
  [[nodiscard]] os::Path admin_socket() const { return data / "admin.sock"; }
  // What was told with `cyberbackupd store mode`.
  [[nodiscard]] os::Path store_mode_file() const { return data / "store-mode"; }
  [[nodiscard]] os::Path spool_folder() const { return data / "spool"; }
  // Every plugin that is used or asked for, once each, in the order of first use.
  [[nodiscard]] std::vector<std::string> plugin_ids() const;
};

// The tables of the daemon's own options, without those of plugins.
const std::vector<config::Section>& settings_sections();

struct SettingsRequest {
  os::Path file;
  std::vector<std::string> environment;  // "NAME=value"; CYBERBACKUPD_* override the file
  std::vector<std::string> set;          // "server.io_threads=4"; override the environment
  os::Path default_plugin_folder;        // when [plugins] dir is not written
  os::Path probe_program;                // cyberbackup-plugin-probe; without it nothing is probed
  os::FileSystem* files = &os::real_file_system();
};

// Reads, overrides and checks everything but the options of plugins. What is wrong goes to
// `problems`; the Settings are then of no use. A file that cannot be read or is not TOML is an
// Error.
Result<Settings> load_settings(const SettingsRequest& request, config::Problems& problems);

// Loads the plugins that the settings name; each refusal is a problem at the place of its use, or
// only a warning when nothing uses the plugin.
void load_plugins(const Settings& settings, plugin::Registry& registry, config::Problems& problems);

// Checks the options of each plugin in use against its own schema and sets PluginUse::values.
// Plugins that are not loaded are skipped.
void check_plugin_options(Settings& settings, const plugin::Registry& registry,
                          config::Problems& problems);

// Splits "127.0.0.1:1256" or "[::1]:1256"; the host must be numeric ("localhost" is 127.0.0.1).
Result<std::pair<std::string, uint16_t>> parse_listen_address(const std::string& text);

}  // namespace cb::server
