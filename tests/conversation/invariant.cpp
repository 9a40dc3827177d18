// SPDX-License-Identifier: Apache-2.0
#include "tests/conversation/invariant.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "tests/folders.h"

namespace cb::conversation {

namespace fs = std::filesystem;

void broken(const std::string& what) {
  std::fprintf(stderr, "INVARIANT BROKEN: %s\n", what.c_str());
  std::abort();
}

FuzzLog::FuzzLog() : shows_(std::getenv("CYBERBACKUP_FUZZ_SHOW") != nullptr) {}

void FuzzLog::write_fields(log::Level, std::string_view event, std::span<const log::Field> fields) {
  if (shows_) show("  server: " + log::text_line(event, fields));
}

void FuzzLog::show(const std::string& line) const {
  if (shows_) std::fprintf(stderr, "%s\n", line.c_str());
}

std::string plugin_folder() {
  const char* given = std::getenv("CYBERBACKUP_FUZZ_PLUGINS");
  return given != nullptr ? given : test::plugins();
}

namespace {

std::vector<fs::path>& scratch_folders() {
  static auto* const all = new std::vector<fs::path>;
  return *all;
}

void remove_scratch() {
  std::error_code ignored;
  for (const fs::path& folder : scratch_folders()) fs::remove_all(folder, ignored);
}

}  // namespace

std::string scratch_folder(const std::string& name) {
  const bool has_memory = ::access("/dev/shm", W_OK) == 0;
  const fs::path place = has_memory ? fs::path("/dev/shm") : fs::temp_directory_path();
  const fs::path folder = place / ("cyberbackup-" + name + "-" + std::to_string(::getpid()));
  fs::remove_all(folder);
  fs::create_directories(folder);
  if (scratch_folders().empty()) std::atexit(remove_scratch);
  scratch_folders().push_back(folder);
  return folder;
}

}  // namespace cb::conversation
