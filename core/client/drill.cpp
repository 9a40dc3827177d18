// SPDX-License-Identifier: Apache-2.0
#include "core/client/drill.h"

#include <algorithm>

#include "core/base/units.h"
#include "core/client/drill_compare.h"
#include "core/client/drill_sample.h"
#include "core/client/entry_walk.h"
#include "core/client/snapshot_proof.h"

namespace cb::client {
namespace {

using repository::Entry;
using repository::EntryKind;
using repository::SnapshotInfo;

constexpr size_t kMostDrillProblems = 1000;
// More are drawn than are wanted: some are larger than what is left of the bytes.
constexpr uint64_t kSpareDraws = 4;

// Can it be restored, and is it known what it was?
bool is_drillable(const Entry& entry) {
  return entry.kind == EntryKind::file && (entry.flags & repository::kEntryUnreadable) == 0;
}

// A scratch folder that cannot hold an owner or an attribute is no fault of the backup.
bool is_of_scratch(const Error& error) {
  return error.code == Code::unsupported || error.code == Code::denied;
}

std::string name_of_entry(const Entry& entry) {
  return entry.path.substr(entry.path.rfind('/') + 1);
}

Status check_drill(const DrillRequest& request) {
  if (request.snapshots.empty() || request.snapshots.size() > repository::kMostDrilled)
    return failed(Code::invalid, "drill", "takes 1 to 64 snapshots");
  if (request.most_files == 0 || request.most_bytes == 0)
    return failed(Code::invalid, "drill", "would restore nothing",
                  "give it some files and some bytes");
  return {};
}

}  // namespace

Result<DrillResult> Drill::run(const DrillRequest& request) {
  CB_TRY(check_drill(request));
  request_ = request;
  result_.begun_ns = parts_.clock->wall().count();
  CB_ASSIGN(DrillScratch scratch, DrillScratch::make(request.scratch_parent, request.keep));
  const size_t count = request_.snapshots.size();
  uint64_t bytes = request_.most_bytes;
  for (size_t i = 0; i < count; ++i) {
    // An equal share of what those before left.
    const size_t left = count - i;
    const size_t before = picked_.size();
    shares_left_ = left;
    CB_TRY(pick(request_.snapshots[i], (request_.most_files - before + left - 1) / left,
                bytes / left));
    for (size_t at = before; at < picked_.size(); ++at) bytes -= picked_[at].file.size;
    result_.snapshots.push_back(request_.snapshots[i].commit.snapshot);
  }
  CB_TRY(check_picked());
  CB_TRY(try_all(scratch));
  std::sort(result_.snapshots.begin(), result_.snapshots.end());
  if (request.keep) result_.kept = scratch.path();
  CB_TRY(scratch.remove());
  // By a clock that may have been set back meanwhile.
  result_.ended_ns = std::max(result_.begun_ns, parts_.clock->wall().count());
  return std::move(result_);
}

void Drill::cancel() {
  cancelled_ = true;
  const std::lock_guard hold(mutex_);
  if (running_ != nullptr) running_->cancel();
}

// Whose signature stands over a snapshot is looked at before anything is drawn from it.
Status Drill::pick(const SnapshotInfo& snapshot, uint64_t most_files, uint64_t most_bytes) {
  parts_.fetcher->read_as(snapshot.commit.device);
  if (const auto proven = prove_snapshot(*parts_.fetcher, snapshot.commit); !proven) {
    if (!is_damage(proven.error())) return failed(proven.error());
    problem(snapshot, "", proven.error());
    return {};
  }
  CB_ASSIGN(std::vector<Entry> drawn, draw(snapshot, most_files * kSpareDraws, most_bytes));
  uint64_t files = 0, bytes = 0;
  for (Entry& file : drawn) {
    if (files == most_files) break;
    if (file.size > most_bytes - bytes) continue;
    ++files;
    bytes += file.size;
    picked_.push_back({&snapshot, std::move(file)});
  }
  return {};
}

// A drill that restored nothing must not pass for one that found everything well.
Status Drill::check_picked() const {
  if (!picked_.empty() || result_.problem_count > 0 || result_.files_listed == 0) return {};
  return failed(Code::limit, "drill",
                "found no file that fits into " + format_size(request_.most_bytes),
                "give it --bytes " + std::to_string(least_needed_) + " or more");
}

Result<std::vector<Entry>> Drill::draw(const SnapshotInfo& snapshot, uint64_t most,
                                       uint64_t most_bytes) {
  const auto since = request_.since_ns.find(snapshot.commit.snapshot);
  const int64_t since_ns = since == request_.since_ns.end() ? 0 : since->second;
  WeightedSample<Entry> sample(*parts_.random, most);
  EntryWalk walk(parts_.fetcher->walking_source(),
                 [&](const LostStretch& lost) { problem(snapshot, lost.last, lost.error); });
  if (const Status begun = walk.begin(snapshot.commit.root); !begun) {
    if (!is_damage(begun.error())) return failed(begun.error());
    problem(snapshot, "", begun.error());
    return std::vector<Entry>();
  }
  for (;;) {
    if (cancelled_) return failed(Code::cancelled, "drill", "was cancelled");
    CB_ASSIGN(auto entry, walk.next());
    if (!entry) return sample.take();
    if (!is_drillable(*entry)) continue;
    ++result_.files_listed;
    if (entry->size > most_bytes) {
      least_needed_ = std::min(least_needed_, entry->size * shares_left_);
      continue;
    }
    const double weight = drill_weight(*entry, since_ns);
    CB_TRY(sample.offer(std::move(*entry), weight));
  }
}

Status Drill::try_all(const DrillScratch& scratch) {
  for (size_t i = 0; i < picked_.size(); ++i) {
    show(i, picked_[i].file.path);
    const os::Path folder = scratch.path() / std::to_string(i);
    const Status done = try_one(picked_[i], folder);
    scratch.drop(folder);
    CB_TRY(done);
  }
  show(picked_.size(), "");
  return {};
}

Status Drill::try_one(const Picked& picked, const os::Path& folder) {
  if (cancelled_) return failed(Code::cancelled, "drill", "was cancelled");
  parts_.fetcher->read_as(picked.snapshot->commit.device);
  const auto restored = restore(picked, folder);
  ++result_.files;
  if (!restored) {
    if (!is_damage(restored.error())) return failed(restored.error());
    problem(*picked.snapshot, picked.file.path, restored.error());
    return {};
  }
  bool is_whole = true;
  for (const RestoreProblem& one : restored->problems) note(picked, one, is_whole);
  if (!is_whole) return {};
  result_.bytes += picked.file.size;
  return compare(picked, folder);
}

Result<RestoreResult> Drill::restore(const Picked& picked, const os::Path& folder) {
  RestoreRequest wanted;
  wanted.root = picked.snapshot->commit.root;
  wanted.path = picked.file.path;
  wanted.target = folder;
  wanted.verify = true;
  wanted.owners = false;
  Restore::Parts parts;
  parts.fetcher = parts_.fetcher;
  parts.clock = parts_.clock;
  Restore run(std::move(parts));
  {
    const std::lock_guard hold(mutex_);
    running_ = &run;
    if (cancelled_) run.cancel();
  }
  auto restored = run.run(wanted);
  const std::lock_guard hold(mutex_);
  running_ = nullptr;
  return restored;
}

Status Drill::compare(const Picked& picked, const os::Path& folder) {
  const std::string name = name_of_entry(picked.file);
  if (const Status same = compare_restored(folder, name, picked.file); !same) {
    const bool is_missing = same.error().code == Code::not_found;
    if (same.error().code != Code::corrupt && !is_missing) return same;
    problem(*picked.snapshot, picked.file.path, same.error());
    return {};
  }
  const bool has_changed = (picked.file.flags & repository::kEntryChanged) != 0;
  if (request_.live_device.is_zero() || has_changed ||
      picked.snapshot->commit.device != request_.live_device)
    return {};
  CB_ASSIGN(const LiveState live,
            compare_live(folder, name, request_.live_root / picked.file.path, picked.file));
  if (live == LiveState::unknown) return {};
  ++result_.live;
  if (live == LiveState::different)
    problem(*picked.snapshot, picked.file.path,
            fail(Code::corrupt, picked.file.path,
                 "differs from the source, whose size and time are as they were",
                 "compare both: one of them is damaged"));
  return {};
}

void Drill::note(const Picked& picked, const RestoreProblem& one, bool& is_whole) {
  if (!is_of_scratch(one.error)) {
    is_whole = false;
    problem(*picked.snapshot, picked.file.path, one.error);
  } else if (result_.notes.size() < kMostDrillProblems) {
    result_.notes.push_back({picked.snapshot->commit.snapshot, picked.file.path, one.error});
  }
}

void Drill::problem(const SnapshotInfo& snapshot, const std::string& path, Error error) {
  ++result_.problem_count;
  if (result_.problems.size() < kMostDrillProblems)
    result_.problems.push_back({snapshot.commit.snapshot, path, std::move(error)});
}

void Drill::show(size_t done, const std::string& current) const {
  if (!parts_.progress) return;
  report::Progress progress;
  progress.phase = "drill";
  progress.done = done;
  progress.total = picked_.size();
  progress.unit = "files";
  progress.current = current;
  parts_.progress(progress);
}

repository::DrillRecord record_of(const DrillResult& result, const repository::DeviceId& device) {
  return {device,       result.begun_ns, result.ended_ns, result.snapshots,     result.files_listed,
          result.files, result.bytes,    result.live,     result.problem_count, {}};
}

}  // namespace cb::client
