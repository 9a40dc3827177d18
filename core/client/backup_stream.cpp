// SPDX-License-Identifier: Apache-2.0
//
// A backup of what another program writes, as one file.
#include <unistd.h>

#include "core/client/backup_run.h"

namespace cb::client {
namespace {

constexpr size_t kStreamBuffer = 256 * 1024;

}  // namespace

Status BackupRun::read_input(BlobLine& line, EntryQueue& queue) {
  WaitingEntry fresh;
  repository::Entry& entry = fresh.cached.entry;
  entry.path = request_.input_name;
  entry.mode = 0600;
  entry.uid = ::geteuid();
  entry.gid = ::getegid();
  entry.user = names_.user(entry.uid);
  entry.group = names_.group(entry.gid);
  entry.mtime_ns = parts_.clock->wall().count();
  fresh.open = true;
  WaitingEntry& waiting = queue.push(std::move(fresh));
  const repository::Cutter cutter(parts_.keys->gear(), parts_.record->cutting);
  PieceStream content(cutter, line, PieceStream::Content::of_one_file);
  Bytes buffer(kStreamBuffer);
  uint64_t& size = waiting.cached.entry.size;
  while (true) {
    CB_TRY(going());
    CB_ASSIGN(const size_t got, request_.input(buffer));
    if (got == 0) break;
    size += got;
    CB_TRY(content.append(ByteView(buffer).first(got), waiting.stretches));
    CB_TRY(queue.drain());
    report_.at(size, request_.input_name);
  }
  CB_TRY(content.end());
  queue.close(waiting);
  result_.counts.bytes_read = size;
  return {};
}

Result<BackupResult> BackupRun::stream() {
  if (!repository::is_snapshot_path(request_.input_name))
    return failed(Code::invalid, request_.input_name, "is no name for a file in a snapshot");
  paths_ = {request_.input_name};
  CB_TRY(connect());
  CB_ASSIGN(const auto sealer, new_session());
  BlobLine line(line_parts(*sealer, nullptr));
  const auto problem = [this](const std::string& path, Error error) {
    report_.unreadable(path, std::move(error));
  };
  EntryQueue queue({parts_.keys->gear()[0], &line, nullptr, nullptr, problem});
  {
    const std::lock_guard lock(mutex_);
    if (cancelled_) return failed(Code::cancelled, "backup", "was cancelled");
    line_ = &line;
  }
  const auto ran = [&]() -> Status {
    CB_TRY(line.begin());
    report_.phase("backup");
    CB_TRY(read_input(line, queue));
    CB_ASSIGN(const auto root, queue.finish());
    report_.phase("finish");
    result_.counts.files = queue.counts().files;
    result_.counts.bytes = queue.counts().bytes;
    return finish_stream(line, root);
  }();
  const std::lock_guard lock(mutex_);
  line_ = nullptr;
  count(line);
  if (ran) return std::move(result_);
  if (ran.error().code != Code::closed) return failed(ran.error());
  return failed(Error(ran.error()).with_advice("run it again: what was read cannot be read twice"));
}

// A stream cannot be read again, so nothing that is missing can be made good.
Status BackupRun::finish_stream(BlobLine& line, const repository::BlobId& root) {
  if (request_.dry_run) return line.drain();
  SnapshotFacts facts;
  facts.root = root;
  facts.paths = paths_;
  facts.files = result_.counts.files;
  facts.bytes = result_.counts.bytes;
  CB_ASSIGN(const auto ended, send_commit(line, facts));
  if (ended == End::committed) return {};
  return failed(Code::state, request_.input_name, "the repository lost blobs of the running backup",
                "run it again");
}

}  // namespace cb::client
