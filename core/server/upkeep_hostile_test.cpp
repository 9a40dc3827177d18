// SPDX-License-Identifier: Apache-2.0
//
// What a hostile device may try with the trash, the chain, deduplication and the server's clock
// while the server keeps house, each attack by its name; retention_hostile_test.cpp has those on
// rules. None of them removes, hides, blocks or alters a snapshot of somebody else.
#include <limits>

#include "core/repository/pack.h"
#include "core/server/retention_fixture.h"

namespace cb::server {
namespace {

using repository::BlobId;
using repository::BlobKind;
using repository::CommitRequest;
using repository::Engine;
using repository::Intake;
using repository::StoredBlob;
using repository::TestSnapshot;
using repository::Viewer;
using retention::kDay;
using retention::kYear;

class HostileUpkeep : public RetentionHouse {
 protected:
  HostileUpkeep() {
    set_rules("keep-daily 7, trash-stay 2d");
    good_ = back_up(1, 1, other_writer_);
    dead_ = back_up(2, 2, owner_);
    back_up(3, 2, owner_);  // so that the one before is not the newest of its source
  }

  TestSnapshot back_up(uint64_t number, uint8_t source, const Viewer& device) {
    TestSnapshot snapshot = repository::make_snapshot(9000 + number, 4, 400);
    snapshot.request.source.bytes.fill(std::byte{source});
    send(snapshot, device);
    EXPECT_TRUE(commit_now(snapshot.request, device).missing.empty());
    return snapshot;
  }
  void send(const TestSnapshot& snapshot, const Viewer& device) {
    const auto intake = must(engine().begin(repository_, device, false));
    for (const StoredBlob& blob : snapshot.blobs) must(repository::put_blob(*intake, blob));
  }
  repository::CommitAnswer commit_now(const CommitRequest& asked, const Viewer& device) {
    return must(must(engine().begin(repository_, device, false))->commit(asked));
  }
  // The same ids under a session of the liar's own, and other bytes.
  static TestSnapshot garbage_like(const TestSnapshot& snapshot) {
    TestSnapshot bad = snapshot;
    bad.blobs[0] = repository::session_record(666);
    for (size_t i = 1; i < bad.blobs.size(); ++i) {
      bad.blobs[i].head.session = repository::session_of(666);
      for (std::byte& byte : bad.blobs[i].stored) byte = std::byte{0xbb};
    }
    return bad;
  }

  Engine::Collected collect() {
    Engine::CollectOptions at_once;
    at_once.wait = {};
    return must(engine().collect(repository_, at_once, {}));
  }
  // All that may go, goes: condemned by one run, deleted by the next.
  void collect_and_compact() {
    for (int times = 0; times < 3; ++times) {
      collect();
      must(engine().compact(repository_, {}, {}));
      set_time(now_ - kBegin + 2 * retention::kHour);
    }
  }
  bool is_whole(const TestSnapshot& snapshot, const Viewer& whose) {
    const auto found =
        must(read_all(engine(), repository_, repository::ids_of(snapshot.blobs), whose));
    return std::all_of(snapshot.blobs.begin(), snapshot.blobs.end(), [&](const StoredBlob& blob) {
      const auto at = found.find(blob.head.id);
      return at != found.end() && at->second.stored == blob.stored;
    });
  }
  // But for the record of its session, which the catalog keeps.
  bool is_gone(const TestSnapshot& snapshot) {
    const auto found = must(read_all(engine(), repository_, repository::ids_of(snapshot.blobs)));
    return std::all_of(found.begin(), found.end(),
                       [](const auto& one) { return one.second.head.kind == BlobKind::session; });
  }
  void expect_good() {
    EXPECT_TRUE(is_listed(good_.request.snapshot));
    EXPECT_TRUE(is_whole(good_, other_writer_));
  }
  uint64_t head() { return must(engine().head(repository_)).sequence; }

  TestSnapshot good_;  // of a writer that is honest
  TestSnapshot dead_;  // of an owner, to be removed
};

// --- the trash -----------------------------------------------------------------------------------

TEST_F(HostileUpkeep, leaning_on_what_lies_in_the_trash_keeps_it_there_no_longer) {
  must(engine().forget(repository_, dead_.request.snapshot, owner_.device));
  TestSnapshot leaning = dead_;  // the same tree under a snapshot of its own
  leaning.blobs.back() =
      repository::make_blob(BlobKind::snapshot, 4711, 150, {dead_.request.root}, 9002);
  leaning.request.snapshot = leaning.blobs.back().head.id;
  leaning.request.commit_id.bytes.fill(std::byte{0x1e});
  send(leaning, writer_);
  ASSERT_TRUE(commit_now(leaning.request, writer_).missing.empty());
  set_day(8);
  run();
  EXPECT_FALSE(is_listed(dead_.request.snapshot, true));
  collect_and_compact();
  EXPECT_TRUE(is_whole(leaning, writer_));
  expect_good();
}

TEST_F(HostileUpkeep, forgetting_what_is_no_snapshot_is_refused_and_leaves_no_trace) {
  const uint64_t before = head();
  for (const StoredBlob& blob : good_.blobs) {
    if (blob.head.id == good_.request.snapshot) continue;
    EXPECT_EQ(code_of(engine().forget(repository_, blob.head.id, owner_.device)), Code::not_found);
    EXPECT_EQ(code_of(engine().remove(repository_, blob.head.id)), Code::not_found);
  }
  EXPECT_EQ(head(), before);
  expect_good();
}

TEST_F(HostileUpkeep, a_wish_for_another_account_s_snapshot_finds_none) {
  const auto other = house_.create(2);
  const Viewer stranger = house_.add_device(9, repository::Role::owner, false, 2);
  EXPECT_EQ(code_of(engine().forget(other, good_.request.snapshot, stranger.device)),
            Code::not_found);
  EXPECT_EQ(code_of(engine().remove(other, good_.request.snapshot)), Code::not_found);
  expect_good();
}

// --- the chain -----------------------------------------------------------------------------------

TEST_F(HostileUpkeep, a_commit_id_of_another_s_commit_commits_nothing) {
  const uint64_t before = head();
  CommitRequest stolen = request({});
  send(made_, writer_);
  stolen.commit_id = good_.request.commit_id;
  EXPECT_EQ(code_of(must(engine().begin(repository_, writer_, false))->commit(stolen)),
            Code::invalid);
  EXPECT_EQ(head(), before);
  EXPECT_FALSE(is_listed(stolen.snapshot, true));
  expect_good();
}

TEST_F(HostileUpkeep, a_commit_over_another_device_s_tree_is_missing_all_of_it) {
  TestSnapshot mine = good_;
  mine.request.commit_id.bytes.fill(std::byte{0x2e});
  mine.blobs.back() =
      repository::make_blob(BlobKind::snapshot, 4712, 150, {good_.request.root}, 9001);
  mine.request.snapshot = mine.blobs.back().head.id;
  const auto intake = must(engine().begin(repository_, writer_, false));
  must(repository::put_blob(*intake, mine.blobs.front()));
  must(repository::put_blob(*intake, mine.blobs.back()));
  EXPECT_EQ(must(intake->commit(mine.request)).missing, std::vector{good_.request.root});
  EXPECT_FALSE(is_listed(mine.request.snapshot, true));
  expect_good();
}

TEST_F(HostileUpkeep, numbers_that_no_backup_has_harm_no_list_and_no_run) {
  CommitRequest asked = request({});
  asked.files = asked.bytes = std::numeric_limits<uint64_t>::max();
  asked.flags = std::numeric_limits<uint64_t>::max();
  send(made_, writer_);
  EXPECT_TRUE(commit_now(asked, writer_).missing.empty());
  set_day(20);
  EXPECT_FALSE(run().asks);
  EXPECT_EQ(listed().size(), 4u);
  expect_good();
}

// --- deduplication -------------------------------------------------------------------------------

TEST_F(HostileUpkeep, garbage_under_the_id_of_a_damaged_blob_heals_nobody) {
  const StoredBlob& victim = good_.blobs[1];
  const auto damaged = [&] {
    const int64_t number = must(house_.catalog().index().repository(repository_.bytes))->number;
    const std::array<catalog::Bytes32, 1> id = {victim.head.id.bytes};
    const auto place =
        must(house_.catalog().index().places(number, {catalog::kOpenDomain, true}, id)).at(0);
    const std::string object =
        repository::pack_object(repository_, repository::PackName{place.pack});
    Bytes bytes = house_.object(object);
    bytes.at(place.offset + repository::record_size(0) + 3) ^= std::byte{1};
    house_.put_object(object, bytes);
  };
  damaged();
  EXPECT_EQ(must(engine().verify(repository_, {}, {})).newly_wanted, 1u);
  send(garbage_like(good_), writer_);
  const std::array<BlobId, 1> id = {victim.head.id};
  EXPECT_FALSE(must(engine().have(repository_, other_writer_, id))[0]);
  EXPECT_EQ(must(engine().count_wanted(repository_, other_writer_)), 1u);
  send(good_, other_writer_);  // as its next backup does
  EXPECT_EQ(must(engine().count_wanted(repository_, other_writer_)), 0u);
  expect_good();
}

TEST_F(HostileUpkeep, copies_that_claim_to_have_no_children_take_none_from_the_honest_ones) {
  TestSnapshot bad = garbage_like(good_);
  for (StoredBlob& blob : bad.blobs)
    if (blob.head.kind == BlobKind::node) blob.head.children.clear();
  send(bad, writer_);
  set_day(3);
  collect_and_compact();
  expect_good();
}

TEST_F(HostileUpkeep, an_upload_that_never_ends_keeps_nothing_from_before_it) {
  must(engine().forget(repository_, dead_.request.snapshot, owner_.device));
  set_day(2);
  const auto held = must(engine().begin(repository_, writer_, false));
  must(repository::put_blob(*held, repository::session_record(7)));
  house_.clock().advance(std::chrono::hours(24 * 30));
  set_day(32);
  run();
  collect_and_compact();
  EXPECT_TRUE(is_gone(dead_));
  expect_good();
}

TEST_F(HostileUpkeep, children_that_are_not_there_stop_no_collection) {
  TestSnapshot bad = repository::make_snapshot(77, 3, 300);
  for (StoredBlob& blob : bad.blobs)
    if (blob.head.kind == BlobKind::node)
      blob.head.children = {repository::make_blob(BlobKind::data, 123'456, 10).head.id};
  send(bad, writer_);
  must(engine().forget(repository_, dead_.request.snapshot, owner_.device));
  set_day(8);
  run();
  collect_and_compact();
  EXPECT_TRUE(is_gone(dead_));
  expect_good();
}

// --- clocks --------------------------------------------------------------------------------------

TEST_F(HostileUpkeep, commits_while_the_clock_is_behind_fall_into_one_bucket) {
  std::vector<BlobId> days = commit_days(1, 7);
  set_day(-300);
  for (int i = 0; i < 30; ++i) {
    set_time(-300 * kDay + i * kDay);
    commit();
  }
  set_day(7);
  EXPECT_FALSE(run().asks);
  for (const BlobId& id : days) EXPECT_TRUE(is_listed(id)) << id.hex();
  expect_good();
}

TEST_F(HostileUpkeep, a_clock_that_leaps_ahead_takes_no_snapshot_out_of_a_running_backup) {
  const TestSnapshot slow = repository::make_snapshot(88, 4, 500);
  const auto intake = must(engine().begin(repository_, writer_, false));
  for (const StoredBlob& blob : slow.blobs) must(repository::put_blob(*intake, blob));
  must(intake->flush());
  set_time(20 * kYear);
  collect();
  collect();
  set_day(1);
  repository::CommitAnswer answer = must(intake->commit(slow.request));
  if (!answer.missing.empty()) {
    for (const StoredBlob& blob : slow.blobs) must(repository::put_blob(*intake, blob));
    answer = must(intake->commit(slow.request));
  }
  EXPECT_TRUE(answer.missing.empty());
  set_day(4);
  collect_and_compact();
  EXPECT_TRUE(is_whole(slow, writer_));
  expect_good();
}

TEST_F(HostileUpkeep, a_clock_that_leaps_back_and_forth_condemns_nothing_that_is_needed) {
  for (const int64_t leap : {20 * kYear, -kYear, 3 * kYear, int64_t{0}}) {
    set_time(leap);
    collect();
    must(engine().compact(repository_, {}, {}));
    must(engine().verify(repository_, {}, {}));
    EXPECT_EQ(must(engine().count_wanted(repository_, other_writer_)), 0u);
    expect_good();
  }
}

}  // namespace
}  // namespace cb::server
