// SPDX-License-Identifier: Apache-2.0
//
// What the server says of itself: jobs, audit log, check. Contents are in year_contents.cpp.
#include "tests/year/year_look.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/retention/evaluate.h"
#include "core/server/audit_check.h"

namespace cb::year {

using repository::BlobId;
using repository::CommitRecord;
using repository::CommitType;
using repository::must;

namespace {

constexpr size_t kPage = 500;

std::vector<CommitRecord> chain_of(Course& course, size_t account) {
  std::vector<CommitRecord> chain;
  for (;;) {
    const auto page =
        must(course.house().engine().commits(course.repository(account), chain.size() + 1, kPage));
    for (const Bytes& record : page) chain.push_back(must(repository::decode_commit(record)));
    if (page.empty()) return chain;
  }
}

std::set<BlobId> listed(Course& course, size_t account, bool with_trash) {
  std::set<BlobId> ids;
  for (const auto& info :
       must(course.house().engine().snapshots(course.repository(account), with_trash)))
    ids.insert(info.commit.snapshot);
  return ids;
}

using Row = std::vector<const Snapshot*>;

// By source, oldest first.
std::array<Row, kSources> by_source(const Course& course) {
  std::array<Row, kSources> rows;
  for (const Snapshot& one : course.snapshots()) rows.at(one.source).push_back(&one);
  return rows;
}

// Those up to a moment.
std::span<const Snapshot* const> until(const Row& row, int64_t time_ns) {
  const auto end =
      std::upper_bound(row.begin(), row.end(), time_ns,
                       [](int64_t time, const Snapshot* one) { return time < one->time_ns; });
  return {row.begin(), end};
}

std::vector<bool> kept_by_core(std::span<const Snapshot* const> snapshots, const Policy& policy,
                               int64_t now_ns) {
  const std::string text = *policy.text == '\0' ? "keep-all" : policy.text;
  std::vector<retention::Snapshot> given;
  for (const Snapshot* one : snapshots) {
    retention::Snapshot same;
    same.id = one->id.bytes;
    same.sequence = one->sequence;
    same.time_ns = one->time_ns;
    same.is_checkpoint = one->is_checkpoint;
    same.is_pinned = one->is_pinned;
    if (one->is_tagged) same.tags.push_back(kept_tag().bytes);
    given.push_back(std::move(same));
  }
  std::vector<bool> keep;
  for (const auto& verdict : retention::evaluate(given, must(retention::parse_rules(text)), now_ns))
    keep.push_back(verdict.keeps());
  return keep;
}

int64_t last_run_of(Course& course, const std::string& job) {
  for (const catalog::JobRun& run : must(course.house().catalog().jobs().history(job, 0, 10)))
    if (run.outcome == catalog::JobOutcome::done) return run.begun_ns;
  return 0;
}

void look_at_source(Course& course, size_t source, const Row& row, const std::set<BlobId>& ids) {
  const int64_t now_ns = last_run_of(course, "retention");
  const auto all = until(row, now_ns);
  const auto keep = kept(all, course.policy_of(source), now_ns);
  EXPECT_EQ(keep, kept_by_core(all, course.policy_of(source), now_ns))
      << course.source(source).name() << ": two readings of the same rules";
  EXPECT_GT(std::count(keep.begin(), keep.end(), true), 4) << course.source(source).name();
  for (size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(ids.contains(all[i]->id), keep[i])
        << course.source(source).name() << " day " << (all[i]->time_ns / kDay.count())
        << ": the rules " << (keep[i] ? "keep " : "do not keep ") << all[i]->id.hex();
}

// Each forget and removal of the chain, in its order.
void look_at_removals(Course& course, size_t account, const std::array<Row, kSources>& rows) {
  std::map<BlobId, const Snapshot*> known;
  for (const Snapshot& one : course.snapshots()) known[one.id] = &one;
  std::map<BlobId, int64_t> trashed_ns;
  for (const CommitRecord& record : chain_of(course, account)) {
    if (record.type == CommitType::commit) continue;
    ASSERT_TRUE(known.contains(record.snapshot)) << record.snapshot.hex();
    const size_t source = known[record.snapshot]->source;
    const Policy& policy = course.policy_of(source);
    if (record.type == CommitType::forget) {
      trashed_ns[record.snapshot] = record.time_ns;
      const auto all = until(rows.at(source), record.time_ns);
      const auto keep = kept(all, policy, record.time_ns);
      const auto at = std::find(all.begin(), all.end(), known[record.snapshot]) - all.begin();
      EXPECT_FALSE(keep[static_cast<size_t>(at)]) << record.snapshot.hex() << " went too early";
    } else {
      ASSERT_EQ(record.type, CommitType::removal);
      EXPECT_GE(record.time_ns - trashed_ns.at(record.snapshot),
                policy.days_in_trash * kDay.count());
    }
  }
}

}  // namespace

void look_at_retention(Course& course) {
  const auto rows = by_source(course);
  std::array<std::set<BlobId>, kAccounts> ids;
  for (size_t account = 0; account < kAccounts; ++account) {
    ids[account] = listed(course, account, false);
    look_at_removals(course, account, rows);
  }
  for (size_t source = 0; source < kSources; ++source)
    look_at_source(course, source, rows[source], ids[course.source(source).account]);
  EXPECT_TRUE(must(course.house().book().requests()).empty()) << "somebody still waits";
}

void look_at_health(Course& course) {
  for (size_t account = 0; account < kAccounts; ++account) {
    const auto& repository = course.repository(account);
    const auto checked = must(course.house().engine().check(repository, true, {}));
    for (const std::string& finding : checked.findings) ADD_FAILURE() << finding;
    EXPECT_EQ(must(course.house().engine().count_wanted(repository, {})), 0u);
  }
  EXPECT_EQ(must(course.house().engine().remove_leftovers()), 0u);
  EXPECT_GE(course.house().log().count("verify.damage"), course.tally().rot);
}

void look_at_jobs(Course& course) {
  auto runs = must(course.house().catalog().jobs().history("", 0, 1'000'000));
  std::reverse(runs.begin(), runs.end());
  std::map<std::string, uint64_t> done;
  for (size_t i = 0; i < runs.size(); ++i) {
    const catalog::JobRun& run = runs[i];
    EXPECT_GE(run.begun_ns, i == 0 ? 0 : runs[i - 1].ended_ns) << run.job << " overlaps";
    EXPECT_GT(run.ended_ns, 0) << run.job << " never ended";
    EXPECT_TRUE(tells_of_crash(run.summary) || run.outcome != catalog::JobOutcome::failed)
        << run.job << ": " << run.summary;
    done[run.job] += run.outcome == catalog::JobOutcome::done ? 1 : 0;
  }
  EXPECT_EQ(course.house().overlaps(), 0u);
  EXPECT_GT(done["retention"], kDays / 3);
  EXPECT_GT(done["clean"], kDays * 9 / 10);
  EXPECT_GT(done["collect"], kDays / 4);
  EXPECT_GT(done["compact"], kDays / 9);
  EXPECT_GT(done["verify"], kDays / 14);
}

// On a full store, too.
uint64_t freed_on_full_days(Course& course) {
  uint64_t freed = 0;
  for (const auto& run : must(course.house().catalog().jobs().history("collect", 0, 1'000'000)))
    for (const auto& [first, end] : kFullDays) {
      const int64_t day = (run.begun_ns - kBegin.count()) / kDay.count();
      if (day < first || day >= end || run.outcome != catalog::JobOutcome::done) continue;
      freed += must(report::parse_json(run.detail))["result"].value("bytes_freed", uint64_t{0});
    }
  return freed;
}

void look_at_audit(Course& course) {
  server::AuditCheck check;
  check.expect(course.house().audit().head());
  std::map<std::string, uint64_t> acts;
  int64_t after = 0;
  for (;;) {
    const auto rows = must(course.house().catalog().audit().rows(after, kPage));
    for (const catalog::AuditRow& row : rows) {
      check.take(row);
      after = row.sequence;
      ++acts[must(server::decode_audit_record(row.record)).event.action];
    }
    if (rows.empty()) break;
  }
  check.finish();
  for (const std::string& finding : check.findings()) ADD_FAILURE() << finding;
  uint64_t removals = 0;
  for (size_t account = 0; account < kAccounts; ++account)
    for (const CommitRecord& record : chain_of(course, account))
      removals += record.type == CommitType::removal ? 1 : 0;
  // One that was killed between an act and its record told nobody of it.
  EXPECT_LE(acts["retention.snapshot.removed"], removals);
  EXPECT_GE(acts["retention.snapshot.removed"] + course.tally().kills, removals);
  EXPECT_GT(removals, course.snapshots().size() / 2);
}

}  // namespace cb::year
