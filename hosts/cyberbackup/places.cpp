// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/places.h"

#include <cstdlib>

namespace cb {
namespace {

std::string variable_of(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// `variable`, or `under_home` in the home folder; empty when neither is set. The specification of
// these variables wants relative paths ignored.
os::Path base_folder(const char* variable, const char* under_home) {
  const os::Path set = variable_of(variable);
  if (set.is_absolute()) return set;
  const os::Path home = variable_of("HOME");
  return home.is_absolute() ? home / under_home : os::Path();
}

}  // namespace

Result<os::Path> plugin_folder(const std::string& given) {
  if (!given.empty()) return os::Path(given);
  if (const std::string set = variable_of("CYBERBACKUP_PLUGIN_DIR"); !set.empty())
    return os::Path(set);
  std::error_code error;
  const os::Path program = std::filesystem::read_symlink("/proc/self/exe", error);
  const os::Path top = program.parent_path().parent_path();
  for (const os::Path& folder : {top / "plugins", top / "lib" / "cyberbackup" / "plugins"})
    if (std::filesystem::is_directory(folder, error)) return folder;
  return failed(plugin_trouble(
      fail(Code::not_found, "plugins",
           "are in neither ../plugins nor ../lib/cyberbackup/plugins beside " + program.string())));
}

Error plugin_trouble(Error error) {
  if (error.code != Code::not_found) return error;
  error.code = Code::state;
  error.advice =
      "install the program's plugins, or give their folder with --plugin-dir or "
      "CYBERBACKUP_PLUGIN_DIR";
  return error;
}

Result<os::Path> config_folder(const std::string& given) {
  if (!given.empty()) return os::Path(given);
  if (const std::string set = variable_of("CYBERBACKUP_CONFIG_DIR"); !set.empty())
    return os::Path(set);
  const os::Path base = base_folder("XDG_CONFIG_HOME", ".config");
  if (!base.empty()) return base / "cyberbackup";
  return failed(Code::state, "configuration folder", "cannot be told, HOME is not set",
                "give it with --config-dir or CYBERBACKUP_CONFIG_DIR");
}

os::Path cache_folder(const std::string& given) {
  if (!given.empty()) return given;
  if (const std::string set = variable_of("CYBERBACKUP_CACHE_DIR"); !set.empty()) return set;
  const os::Path base = base_folder("XDG_CACHE_HOME", ".cache");
  return base.empty() ? base : base / "cyberbackup";
}

}  // namespace cb
