// SPDX-License-Identifier: Apache-2.0
//
// What lies behind the sessions: plugins, store, catalog, the server's key and the vault over them.
// The daemon and the commands that work on its files open the same. Opening is for one thread; the
// parts are then used from any.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/catalog/catalog.h"
#include "core/log/line_log.h"
#include "core/os/clock.h"
#include "core/os/random.h"
#include "core/plugin/registry.h"
#include "core/repository/upload.h"
#include "core/server/settings.h"

namespace cb::server {

// What tests may replace.
struct Seams {
  log::LineLog* log = nullptr;  // required
  const os::Clock* clock = &os::system_clock();
  os::FileSystem* files = &os::real_file_system();
  os::Random* ids = &os::system_random();  // for ids of v3 clients
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

class Backend {
 public:
  // Opens everything; `settings` has been prepared with `registry`. All arguments outlive it.
  static Result<std::unique_ptr<Backend>> open(const Settings& settings, plugin::Registry& registry,
                                               const Seams& seams);
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  [[nodiscard]] plugin::Store& store() { return *store_; }
  [[nodiscard]] catalog::Catalog& catalog() { return *catalog_; }
  [[nodiscard]] repository::Vault& vault() { return *vault_; }

 private:
  Backend() = default;
  Status open_crypto(const Settings& settings, plugin::Registry& registry, const Seams& seams);
  Status open_store(const Settings& settings, plugin::Registry& registry);
  Status open_catalog(const Settings& settings, const Seams& seams);

  std::optional<plugin::Crypto> crypto_;
  std::optional<plugin::KeyPair> key_;
  std::optional<plugin::Compress> compress_;
  std::optional<plugin::Store> store_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::optional<repository::Vault> vault_;
};

}  // namespace cb::server
