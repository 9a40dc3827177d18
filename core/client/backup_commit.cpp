// SPDX-License-Identifier: Apache-2.0
#include "core/client/backup_commit.h"

#include <algorithm>

namespace cb::client {

using repository::BlobKind;

Result<repository::CommitRequest> seal_snapshot(const Backup::Parts& parts,
                                                const BackupRequest& request, BlobLine& line,
                                                const SnapshotFacts& facts) {
  repository::SnapshotRecord record;
  record.device = parts.device;
  record.time_ns = parts.clock->wall().count();
  record.host = request.host;
  record.user = request.user;
  record.paths = facts.paths;
  std::sort(record.paths.begin(), record.paths.end());
  record.tags = request.tags;
  record.excludes = request.excludes;
  record.program = request.program;
  record.flags = facts.flags;
  record.files = facts.files;
  record.bytes = facts.bytes;
  record.errors = facts.errors;
  record.previous = facts.previous;
  if (parts.head) {
    CB_ASSIGN(const ChainPlace head, parts.head());
    record.head_sequence = head.sequence;
    record.head_hash = head.hash;
  }
  const Bytes plain = repository::encode(record);
  if (plain.size() > repository::kMaxSnapshot)
    return failed(Code::limit, "snapshot", "names more than 64 KiB of paths, tags and excludes",
                  "put the patterns into fewer, wider ones, or the paths into one folder");
  repository::CommitRequest commit;
  CB_ASSIGN(commit.snapshot, line.blob(BlobKind::snapshot, {facts.root}, plain));
  CB_TRY(line.drain());
  CB_TRY(parts.random->fill(commit.commit_id.bytes));
  commit.root = facts.root;
  CB_ASSIGN(commit.device_signature,
            parts.sign(repository::snapshot_signed_part(parts.record->id, commit.snapshot)));
  CB_ASSIGN(commit.source, parts.keys->source_hash(parts.device, facts.paths));
  for (const std::string& tag : request.tags) {
    CB_ASSIGN(const auto hash, parts.keys->tag_hash(tag));
    commit.tags.push_back(hash);
  }
  commit.flags = facts.flags;
  commit.files = facts.files;
  commit.bytes = facts.bytes;
  commit.report = facts.report;
  if (commit.report) {
    const BlobLineCounts counts = line.counts();
    commit.report->plain_bytes = counts.data_plain;
    commit.report->stored_bytes = counts.data_stored;
  }
  return commit;
}

}  // namespace cb::client
