// SPDX-License-Identifier: Apache-2.0
#include "core/server/retention_plan.h"

#include <algorithm>

namespace cb::server {
namespace {

using repository::BlobId;
using repository::CommitRecord;

// One snapshot in so long counts when it is asked, whatever cadence somebody set.
constexpr int64_t kCounted = retention::kDay;
constexpr const char* kFrozen = "frozen";
constexpr size_t kLeastAsked = 3;  // snapshots; fewer go without asking

bool is_checkpoint(const CommitRecord& commit) {
  return (commit.flags & repository::kSnapshotCheckpoint) != 0;
}

// The snapshots of one source while it is found what becomes of them.
class SourcePlan {
 public:
  SourcePlan(const RetentionInput& input, SourceKey source) : input_(input) {
    plan_.source = std::move(source);
    plan_.rules = rules_for(input.rules, plan_.source);
  }

  void add(const repository::SnapshotInfo& info) {
    plan_.snapshots.push_back({info.commit, {}, {}, 0, false});
    if (info.in_trash) plan_.snapshots.back().act = RetentionAct::wait;
  }

  PlannedSource finish(const std::map<BlobId, int64_t>& since) && {
    mark_counting();
    judge_kept();
    for (PlannedSnapshot& one : plan_.snapshots)
      if (one.act == RetentionAct::wait) judge_trashed(one, since);
    object();
    return std::move(plan_);
  }

 private:
  // Snapshots are in the order of their commits, which is that of time.
  void mark_counting() {
    std::set<int64_t> seen;
    for (PlannedSnapshot& one : plan_.snapshots) {
      const int64_t time = one.commit.time_ns;
      if (is_checkpoint(one.commit) || time > input_.now_ns) continue;
      newest_whole_ = &one;
      one.counts = seen.insert(time / kCounted).second;
    }
  }

  [[nodiscard]] bool is_frozen() const {
    const auto found = input_.frozen.find(plan_.source);
    return found != input_.frozen.end() && found->second > input_.now_ns;
  }

  [[nodiscard]] bool is_pinned(const BlobId& snapshot) const {
    return std::any_of(input_.pins.begin(), input_.pins.end(), [&](const catalog::PinRow& pin) {
      return pin.snapshot == snapshot.bytes && (pin.until_ns == 0 || pin.until_ns > input_.now_ns);
    });
  }

  void judge_kept() {
    std::vector<retention::Snapshot> given;
    std::vector<PlannedSnapshot*> judged;
    for (PlannedSnapshot& one : plan_.snapshots) {
      if (one.act == RetentionAct::wait) continue;
      std::vector<retention::Hash> tags;
      for (const repository::KeyedHash& tag : one.commit.tags) tags.push_back(tag.bytes);
      given.push_back({one.commit.snapshot.bytes, one.commit.sequence, one.commit.time_ns,
                       is_checkpoint(one.commit), is_pinned(one.commit.snapshot), tags});
      judged.push_back(&one);
    }
    const auto verdicts = retention::evaluate(given, plan_.rules.rules, input_.now_ns);
    for (size_t i = 0; i < judged.size(); ++i) {
      judged[i]->act = verdicts[i].keeps() ? RetentionAct::keep : RetentionAct::trash;
      for (const retention::Reason& reason : verdicts[i].reasons)
        judged[i]->reasons.push_back(retention::text_of(reason));
      if (verdicts[i].keeps() || !is_frozen()) continue;
      judged[i]->act = RetentionAct::keep;
      judged[i]->reasons.emplace_back(kFrozen);
    }
  }

  // As long as the rules say, and as they said when it came there.
  [[nodiscard]] int64_t stay(int64_t since_ns) const {
    int64_t stay = plan_.rules.rules.trash_stay_ns;
    for (const ShortenedStay& one : input_.shortened) {
      const bool is_of_this = one.source.empty() || one.source == plan_.source;
      if (is_of_this && one.when_ns >= since_ns) stay = std::max(stay, one.before_ns);
    }
    return stay;
  }

  void judge_trashed(PlannedSnapshot& one, const std::map<BlobId, int64_t>& since) {
    const auto found = since.find(one.commit.snapshot);
    // Put there while this was being looked at: its time has not come.
    const int64_t since_ns = found == since.end() ? input_.now_ns : found->second;
    one.due_ns = since_ns + stay(since_ns);
    if (is_pinned(one.commit.snapshot))
      one.reasons.emplace_back("pinned");
    else if (is_frozen())
      one.reasons.emplace_back(kFrozen);
    else if (one.due_ns <= input_.now_ns)
      one.act = RetentionAct::remove;
    trashed_since_[one.commit.snapshot] = since_ns;
  }

  // Did somebody look at its going before it went to the trash?
  [[nodiscard]] bool was_let_go(const PlannedSnapshot& one) const {
    const auto let_go = input_.let_go.find(one.commit.snapshot);
    const auto since = trashed_since_.find(one.commit.snapshot);
    return let_go != input_.let_go.end() && since != trashed_since_.end() &&
           let_go->second <= since->second;
  }

  void object() {
    size_t all = 0, going = 0;
    for (const PlannedSnapshot& one : plan_.snapshots) {
      const bool goes = one.act == RetentionAct::trash || one.act == RetentionAct::remove;
      if (one.counts) ++all;
      if (!goes || was_let_go(one)) continue;
      if (one.counts) ++going;
      if (&one == newest_whole_) plan_.objection = "the newest whole snapshot would be removed";
    }
    if (going >= kLeastAsked && going * 100 > input_.most_removed * all)
      plan_.objection = std::to_string(going) + " of " + std::to_string(all) +
                        " snapshots would go, more than " + std::to_string(input_.most_removed) +
                        " %";
  }

  const RetentionInput& input_;
  PlannedSource plan_;
  const PlannedSnapshot* newest_whole_ = nullptr;
  std::map<BlobId, int64_t> trashed_since_;
};

}  // namespace

SourceKey source_of(const CommitRecord& commit) {
  const auto& device = commit.device.bytes;
  const auto& source = commit.source.bytes;
  SourceKey key(device.size() + source.size());
  std::copy(source.begin(), source.end(), std::copy(device.begin(), device.end(), key.begin()));
  return key;
}

const char* name_of(RetentionAct act) {
  switch (act) {
    case RetentionAct::keep:
      return "keep";
    case RetentionAct::trash:
      return "trash";
    case RetentionAct::wait:
      return "in trash";
    case RetentionAct::remove:
      return "remove";
  }
  return "";
}

size_t PlannedSource::count(RetentionAct act) const {
  return static_cast<size_t>(
      std::count_if(snapshots.begin(), snapshots.end(),
                    [act](const PlannedSnapshot& one) { return one.act == act; }));
}

SourceRules rules_for(std::span<const SourceRules> rules, const SourceKey& source) {
  SourceRules found;
  for (const SourceRules& one : rules) {
    if (one.source.empty() && found.source.empty()) found = one;
    if (!source.empty() && one.source == source) found = one;
  }
  return found;
}

std::vector<PlannedSource> plan_retention(const RetentionInput& input) {
  std::map<SourceKey, SourcePlan> plans;
  for (const repository::SnapshotInfo& info : input.snapshots) {
    const SourceKey source = source_of(info.commit);
    plans.try_emplace(source, input, source).first->second.add(info);
  }
  std::map<BlobId, int64_t> since;
  for (const repository::Engine::Trashed& one : input.trash) since[one.snapshot] = one.since_ns;
  std::vector<PlannedSource> all;
  for (auto& [source, plan] : plans) all.push_back(std::move(plan).finish(since));
  return all;
}

}  // namespace cb::server
