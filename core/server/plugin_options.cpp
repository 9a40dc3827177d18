// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "core/server/settings.h"

namespace cb::server {
namespace {

// Every use of a plugin, in the order of the file's tables.
template <typename S, typename F>
void for_each_use(S& settings, F f) {
  for (auto& listen : settings.listen)
    for (auto& use : listen.transport) f(use);
  for (auto& use : settings.store) f(use);
  f(settings.crypto);
  f(settings.compress);
}

}  // namespace

void load_plugins(const Settings& settings, plugin::Registry& registry,
                  config::Problems& problems) {
  std::map<std::string, config::Place> named;
  for_each_use(settings, [&](const PluginUse& use) { named.emplace(use.id, use.at); });
  named.emplace(kV3Crypto, config::Place{settings.file.string(), 0, 0});
  for (const std::string& id : settings.plugin_ids()) {
    const Status loaded = registry.load(id);
    if (loaded) continue;
    const auto place = named.find(id);
    if (place != named.end())
      problems.add(place->second, "", "plugin " + id + ": " + loaded.error().text());
    else  // nothing needs it: status shows the refusal
      problems.warn({settings.file.string(), 0, 0}, "plugins.load", loaded.error().text());
  }
}

void check_plugin_options(Settings& settings, const plugin::Registry& registry,
                          config::Problems& problems) {
  config::Surroundings from = config::surroundings(
      std::filesystem::absolute(settings.file).lexically_normal().parent_path());
  for_each_use(settings, [&](PluginUse& use) {
    const auto schema = registry.schema(use.id);
    if (!schema) return;
    use.values = config::check_table(&use.table, use.table_name, **schema, {}, from, problems);
  });
}

}  // namespace cb::server
