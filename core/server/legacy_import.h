// SPDX-License-Identifier: Apache-2.0
//
// Takes over what an old server of protocol v3 kept: its clients, who log in as before, and their
// files with their dates, as versions. For one thread, for who holds the data folder's lock unless
// it is a dry run; blocks.
#pragma once

#include "core/server/backend.h"
#include "core/server/legacy_import_plan.h"

namespace cb::server {

struct ImportRequest {
  os::Path database;  // empty: there is none
  os::Path folder;    // with the files
  bool dry_run = false;
};

struct ImportParts {
  Backend* backend = nullptr;
  plugin::Registry* registry = nullptr;
  log::Log* log = nullptr;
  os::Tree* tree = &os::real_tree();                // of the files
  os::FileSystem* files = &os::real_file_system();  // for the database
  const os::Clock* clock = &os::system_clock();
  os::Path scratch;  // folder for a copy of the database
  // Bytes of files that were taken, and of all that are to be.
  std::function<void(uint64_t done, uint64_t total)> progress;
  // Called before each change, with its name.
  std::function<void(const std::string& step)> step;
};

struct ImportResult {
  ImportPlan plan;               // what became of it
  std::optional<Error> stopped;  // why the rest was left
  bool dry_run = false;
};

// Does the plan, or only makes it. What was imported before is there already, so that an import
// that was broken off, however, is done by doing it again. An error comes before any change.
Result<ImportResult> import_legacy(const ImportRequest& request, const ImportParts& parts);

}  // namespace cb::server
