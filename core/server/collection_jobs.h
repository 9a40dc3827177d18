// SPDX-License-Identifier: Apache-2.0
//
// The jobs that give space back (docs/collection.md). They go over the repositories one after the
// other; one that fails does not keep the next from its turn, and is told at the end.
#pragma once

#include "core/catalog/catalog.h"
#include "core/os/clock.h"
#include "core/repository/engine.h"
#include "core/server/job.h"

namespace cb::server {

struct CollectionParts {
  catalog::Catalog* catalog = nullptr;
  repository::Engine* engine = nullptr;
  const os::Clock* clock = nullptr;
  repository::Engine::CollectOptions collect = {};
  // Percent of a pack; what has less is written anew. No pack is more than a tenth dead then.
  unsigned least_live = 90;
};

// What the parts point to outlives the jobs.
JobKind collect_job(const CollectionParts& parts);
JobKind compact_job(const CollectionParts& parts);

}  // namespace cb::server
