// SPDX-License-Identifier: Apache-2.0
//
// Where the client finds its plugins and keeps its files. Functions read the environment; call them
// before other threads exist.
#pragma once

#include <string>

#include "core/os/file_system.h"

namespace cb {

// `given` if not empty, else CYBERBACKUP_PLUGIN_DIR, else ../plugins or ../lib/cyberbackup/plugins
// beside the program, whichever exists.
Result<os::Path> plugin_folder(const std::string& given);

// Why plugins could not be loaded, as users of this program can act on it: what is missing is a
// part of the program, not something they named.
Error plugin_trouble(Error error);

// `given` if not empty, else CYBERBACKUP_CONFIG_DIR, else cyberbackup in XDG_CONFIG_HOME or
// ~/.config.
Result<os::Path> config_folder(const std::string& given);

// `given` if not empty, else CYBERBACKUP_CACHE_DIR, else cyberbackup in XDG_CACHE_HOME or ~/.cache;
// empty when there is no home.
os::Path cache_folder(const std::string& given = {});

}  // namespace cb
