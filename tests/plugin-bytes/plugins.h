// SPDX-License-Identifier: Apache-2.0
//
// Plugins through the real loader, for fuzz targets that feed them bytes. A failure to make one
// ends the program. One thread.
#pragma once

#include <cstdlib>
#include <map>
#include <string>

#include "core/plugin/registry.h"
#include "tests/conversation/invariant.h"

namespace cb::test {

inline plugin::Registry& plugin_registry() {
  static conversation::FuzzLog log;
  static plugin::Registry made(
      [] {
        plugin::HostServices services;
        services.log = &log;
        services.clock = &os::system_clock();
        services.random = [](const std::string&) -> os::Random& { return os::system_random(); };
        return services;
      }(),
      [] {
        plugin::LoadOptions options;
        options.folder = conversation::plugin_folder();
        options.check_owner = false;
        options.probe_unknown = false;
        return options;
      }());
  return made;
}

inline config::Values options_of(const std::string& id,
                                 const std::map<std::string, std::string>& written = {}) {
  conversation::must(plugin_registry().load(id));
  const config::Schema* schema = conversation::must(plugin_registry().schema(id));
  return conversation::must(config::values_from(*schema, written));
}

// After each input: whatever came, the plugin kept the contract.
inline void check_plugins() {
  for (const plugin::InstanceStatus& one : plugin_registry().instances())
    if (one.quarantined) conversation::broken(one.id + " was put out: " + one.reason);
}

}  // namespace cb::test
