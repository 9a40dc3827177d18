// SPDX-License-Identifier: Apache-2.0
//
// What a run of retention would do with the snapshots of a repository, and why. Pure.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/catalog/retention.h"
#include "core/repository/engine.h"
#include "core/retention/evaluate.h"

namespace cb::server {

// Where a snapshot comes from, by the server's record: device[16] and source[32]; in rules empty
// for the whole repository.
using SourceKey = Bytes;
SourceKey source_of(const repository::CommitRecord& commit);

struct SourceRules {
  SourceKey source;  // empty: the repository's
  retention::Rules rules;
  int64_t set_ns = 0;  // 0: nobody set them, so everything is kept
  std::string set_by;
};

// A stay in the trash that was shortened: what lay there before stays as long as it was to.
struct ShortenedStay {
  SourceKey source;
  int64_t before_ns = 0;  // the stay
  int64_t when_ns = 0;
};

struct RetentionInput {
  std::vector<repository::SnapshotInfo> snapshots;  // with the trash
  std::vector<repository::Engine::Trashed> trash;
  std::vector<catalog::PinRow> pins;
  std::vector<SourceRules> rules;
  // Of which nothing goes, and until when: an anomaly was seen (docs/watch.md).
  std::map<SourceKey, int64_t> frozen;
  std::vector<ShortenedStay> shortened;
  // Snapshots that a person let go to the trash, and when.
  std::map<repository::BlobId, int64_t> let_go;
  int64_t now_ns = 0;
  uint64_t most_removed = 50;  // percent of a source, see PlannedSource::objection
};

enum class RetentionAct {
  keep,
  trash,   // goes there now
  wait,    // lies there, and not long enough
  remove,  // lies there, and long enough
};
const char* name_of(RetentionAct act);

struct PlannedSnapshot {
  repository::CommitRecord commit;
  RetentionAct act = RetentionAct::keep;
  std::vector<std::string> reasons;  // why it stays
  int64_t due_ns = 0;                // when it may be removed, of what lies in the trash
  bool counts = false;               // whole, and the first of its source in a day
};

struct PlannedSource {
  SourceKey source;
  SourceRules rules;                       // in force
  std::vector<PlannedSnapshot> snapshots;  // oldest first
  // Why a person is to look first; empty: it may be done. More than `most_removed` percent of the
  // snapshots that count, at least three, would go, or the newest whole one. What somebody let go
  // already does not go twice.
  std::string objection;

  [[nodiscard]] size_t count(RetentionAct act) const;
};

// The rules in force for a source: its own, else the repository's, else those that keep all.
SourceRules rules_for(std::span<const SourceRules> rules, const SourceKey& source);

// By source.
std::vector<PlannedSource> plan_retention(const RetentionInput& input);

}  // namespace cb::server
