// SPDX-License-Identifier: Apache-2.0
//
// See collection_jobs.h.
#include "core/server/collection_jobs.h"

#include "core/base/units.h"

namespace cb::server {

using repository::Engine;
using repository::RepositoryId;

namespace {

// One run over the repositories.
class RepositoryRound {
 public:
  RepositoryRound(const CollectionParts& parts, const JobCall& call)
      : parts_(parts), call_(call), begun_(parts.clock->monotonic()) {}

  // Calls `work(repository, progress)`, which says how it went; ends early where the caller stops
  // it (Code::cancelled) or the time is up. Other errors are kept for result().
  template <typename Work>
  Status each(const Work& work) {
    CB_ASSIGN(const auto repositories, list());
    for (const RepositoryId& id : repositories) {
      if (is_over_) return {};
      const Status done = work(id, [this](uint64_t step, uint64_t of) { return go_on(step, of); });
      if (!done && done.error().code == Code::cancelled && !is_over_) return done;
      if (!done && done.error().code != Code::cancelled && !failed_) failed_ = done.error();
    }
    return {};
  }

  void end() { is_over_ = true; }
  [[nodiscard]] bool is_over() const { return is_over_; }

  // The job's result, unless a repository failed.
  Result<JobResult> result(std::string summary, report::Json detail) const {
    if (failed_) return failed(*failed_);
    JobResult result;
    result.summary = std::move(summary);
    result.detail = std::move(detail);
    result.is_short = is_over_;
    return result;
  }

 private:
  Result<std::vector<RepositoryId>> list() const {
    if (call_.account) {
      CB_ASSIGN(const auto one, parts_.engine->of_account(*call_.account));
      if (!one) return std::vector<RepositoryId>();
      return std::vector<RepositoryId>{*one};
    }
    std::vector<RepositoryId> all;
    CB_ASSIGN(const auto rows, parts_.catalog->index().repositories());
    for (const auto& row : rows) all.push_back(RepositoryId{row.id});
    return all;
  }

  bool go_on(uint64_t step, uint64_t of) {
    if (call_.progress && !call_.progress(step, of, "steps")) return false;
    const bool has_limit = call_.most_time.count() > 0;
    if (has_limit && parts_.clock->monotonic() - begun_ > call_.most_time) is_over_ = true;
    return !is_over_;
  }

  const CollectionParts& parts_;
  const JobCall& call_;
  const std::chrono::nanoseconds begun_;
  bool is_over_ = false;
  std::optional<Error> failed_;
};

void add(Engine::Collected& sum, const Engine::Collected& more) {
  sum.blobs += more.blobs;
  sum.bytes += more.bytes;
  sum.dead += more.dead;
  sum.dead_bytes += more.dead_bytes;
  sum.condemned += more.condemned;
  sum.deleted += more.deleted;
  sum.deleted_bytes += more.deleted_bytes;
  sum.packs_removed += more.packs_removed;
  sum.bytes_freed += more.bytes_freed;
  sum.freeable_bytes += more.freeable_bytes;
  sum.waits = sum.waits || more.waits;
  sum.lacking.insert(sum.lacking.end(), more.lacking.begin(), more.lacking.end());
}

std::string summary_of(const Engine::Collected& sum, bool dry_run) {
  std::string text = std::to_string(sum.dead) + " of " + std::to_string(sum.blobs) +
                     " blobs are needed by no snapshot (" + format_size(sum.dead_bytes) + ")";
  if (dry_run)
    return text + "; collection would free " + format_size(sum.freeable_bytes) +
           ", compaction the rest";
  text += "; " + std::to_string(sum.deleted) + " deleted, " + format_size(sum.bytes_freed) +
          " freed in " + std::to_string(sum.packs_removed) + " packs";
  if (sum.waits) text += "; some wait for uploads that are under way";
  if (!sum.lacking.empty())
    text += "; what the devices of " + std::to_string(sum.lacking.size()) +
            " snapshots put stays: they lack something, see check";
  return text;
}

report::Json detail_of(const Engine::Collected& sum) {
  return {{"blobs", sum.blobs},
          {"bytes", sum.bytes},
          {"dead", sum.dead},
          {"dead_bytes", sum.dead_bytes},
          {"condemned", sum.condemned},
          {"deleted", sum.deleted},
          {"deleted_bytes", sum.deleted_bytes},
          {"packs_removed", sum.packs_removed},
          {"bytes_freed", sum.bytes_freed},
          {"freeable_bytes", sum.freeable_bytes},
          {"waits", sum.waits},
          {"lacking", sum.lacking}};
}

Result<JobResult> run_collect(const CollectionParts& parts, const JobCall& call) {
  Engine::CollectOptions options = parts.collect;
  options.dry_run = call.dry_run;
  Engine::Collected sum;
  RepositoryRound round(parts, call);
  CB_TRY(round.each([&](const RepositoryId& id, const Engine::CheckProgress& progress) -> Status {
    CB_ASSIGN(const auto one, parts.engine->collect(id, options, progress));
    add(sum, one);
    return {};
  }));
  return round.result(summary_of(sum, call.dry_run), detail_of(sum));
}

void add(Engine::Compacted& sum, const Engine::Compacted& more) {
  sum.sources += more.sources;
  sum.source_bytes += more.source_bytes;
  sum.packs += more.packs;
  sum.bytes += more.bytes;
  sum.blobs += more.blobs;
  sum.has_no_room = sum.has_no_room || more.has_no_room;
  sum.damaged.insert(sum.damaged.end(), more.damaged.begin(), more.damaged.end());
}

std::string summary_of(const Engine::Compacted& sum, bool dry_run) {
  const uint64_t freed = sum.source_bytes > sum.bytes ? sum.source_bytes - sum.bytes : 0;
  std::string text = std::to_string(sum.sources) + (dry_run ? " packs would be" : " packs were") +
                     " written anew; " + format_size(sum.source_bytes) + " become " +
                     format_size(sum.bytes) + ", which frees " + format_size(freed) +
                     (dry_run ? "" : " when collection removes the old ones");
  if (sum.has_no_room) text += "; it ended because the store has no room for new packs";
  if (!sum.damaged.empty())
    text += "; " + std::to_string(sum.damaged.size()) + " packs are damaged and stay";
  return text;
}

report::Json detail_of(const Engine::Compacted& sum) {
  return {{"sources", sum.sources}, {"source_bytes", sum.source_bytes},
          {"packs", sum.packs},     {"bytes", sum.bytes},
          {"blobs", sum.blobs},     {"has_no_room", sum.has_no_room},
          {"damaged", sum.damaged}};
}

Result<JobResult> run_compact(const CollectionParts& parts, const JobCall& call) {
  Engine::Compacted sum;
  RepositoryRound round(parts, call);
  CB_TRY(round.each([&](const RepositoryId& id, const Engine::CheckProgress& progress) -> Status {
    Engine::CompactOptions options;
    options.least_live = parts.least_live;
    options.dry_run = call.dry_run;
    if (call.most_bytes > 0) options.most_bytes = call.most_bytes - sum.bytes;
    CB_ASSIGN(const auto one, parts.engine->compact(id, options, progress));
    add(sum, one);
    const bool is_spent = call.most_bytes > 0 && sum.bytes >= call.most_bytes;
    if (one.is_short || (is_spent && !call.dry_run)) round.end();
    return {};
  }));
  return round.result(summary_of(sum, call.dry_run), detail_of(sum));
}

}  // namespace

JobKind collect_job(const CollectionParts& parts) {
  return {"collect", "Removes what no snapshot needs any more, the trash included in what does.",
          [parts](const JobCall& call) { return run_collect(parts, call); }, "every 6h"};
}

JobKind compact_job(const CollectionParts& parts) {
  return {"compact", "Writes packs anew that are mostly dead, and joins small ones.",
          [parts](const JobCall& call) { return run_compact(parts, call); }, "weekly sun 04:00"};
}

}  // namespace cb::server
