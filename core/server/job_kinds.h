// SPDX-License-Identifier: Apache-2.0
//
// Which jobs there are. The daemon and the commands that work on its files ask for the same list.
#pragma once

#include <functional>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/log/log.h"
#include "core/os/clock.h"
#include "core/os/file_system.h"
#include "core/os/random.h"
#include "core/plugin/registry.h"
#include "core/repository/engine.h"
#include "core/server/account_notes.h"
#include "core/server/alarms.h"
#include "core/server/audit.h"
#include "core/server/job.h"
#include "core/server/retention_book.h"
#include "core/server/upkeep_settings.h"
#include "core/server/watch_book.h"

namespace cb::server {

// The room of the store, and below which uploads are refused.
struct StoreRoom {
  uint64_t total = 0, free = 0, reserve = 0;
};

// A plugin that is in use; with a reason it is not entered any more.
struct PluginFault {
  std::string plugin;
  std::string reason;
};

class DrillBook;

// What jobs are made of. All outlive them.
struct JobParts {
  catalog::Catalog* catalog = nullptr;
  repository::Engine* engine = nullptr;
  const os::Clock* clock = nullptr;
  os::Random* random = nullptr;
  log::Log* log = nullptr;
  RetentionBook* retention = nullptr;
  WatchBook* watch = nullptr;
  Alarms* alarms = nullptr;
  Audit* audit = nullptr;                            // may be null
  DrillBook* drills = nullptr;                       // the same: without a daemon nobody is told
  std::function<UpkeepSettings()> upkeep;            // as they are in force; for any thread
  std::function<Result<StoreRoom>()> room;           // may be empty: nobody is told of room
  std::function<std::vector<PluginFault>()> faults;  // may be empty
  // For jobs of other libraries:
  AccountNotes* notes = nullptr;
  plugin::Registry* registry = nullptr;
  os::FileSystem* files = nullptr;
  os::Path keys;  // the folder of the server's keys
};

// Jobs of libraries above this one: who starts a server knows them.
using FurtherJobs = std::function<std::vector<JobKind>(const JobParts&)>;

// In the order in which they are listed, and run when several are due at once; `further` may be
// empty.
std::vector<JobKind> job_kinds(const JobParts& parts, const FurtherJobs& further = {});

}  // namespace cb::server
