// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as the daemon's whole configuration file, with the real schema: settings, or problems
// that name a place.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/server/settings.h"

using namespace cb;
using namespace cb::server;

namespace {

const os::Path& file() {
  static const os::Path path = std::filesystem::temp_directory_path() /
                               ("cyberbackup-settings-fuzz-" + std::to_string(::getpid()));
  return path;
}

void remove_file() {
  std::error_code ignored;
  std::filesystem::remove(file(), ignored);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  std::atexit(remove_file);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::ofstream(file(), std::ios::binary) << text;
  SettingsRequest request;
  request.file = file();
  request.default_plugin_folder = "/nonexistent";
  config::Problems problems;
  const auto settings = load_settings(request, problems);
  for (const auto& problem : problems.list)
    if (problem.text().empty()) std::abort();
  if (!settings || problems.has_errors()) return 0;
  // What was taken can be used as it is.
  for (const ListenSettings& listen : settings->listen)
    if (listen.transport.empty() || listen.host.empty()) std::abort();
  (void)settings->plugin_ids();
  return 0;
}
