// SPDX-License-Identifier: Apache-2.0
//
// What an import did, for people and for scripts. Functions are pure.
#pragma once

#include "core/report/json.h"
#include "core/server/legacy_import.h"

namespace cb::server {

struct ImportCounts {
  uint64_t clients = 0;  // made here
  uint64_t files = 0;    // imported
  uint64_t bytes = 0;
  uint64_t there = 0;  // files
  uint64_t skipped = 0;
  uint64_t failed = 0;
  uint64_t left = 0;
  uint64_t doubted = 0;  // of those that were imported, or are there
};
ImportCounts counts_of(const ImportPlan& plan);

// "imported", "there already", "skipped", "unreadable" or "left"; "would be imported" in a dry run.
std::string outcome_of(ImportFate fate, bool dry_run);

// The whole report: {"dry_run", "complete", "error", "counts", "clients", "files", "doubts"}.
report::Json json_of(const ImportResult& result);

// The same as tables, with what is to be said of single files below.
std::string text_of(const ImportResult& result);

}  // namespace cb::server
