// SPDX-License-Identifier: Apache-2.0
//
// Several devices in one repository of which one may lie: a writer that puts garbage under the ids
// of others' blobs harms nobody but itself.
#include <gtest/gtest.h>

#include "core/repository/engine_closure.h"
#include "core/repository/engine_fixture.h"
#include "core/repository/local_remote.h"

namespace cb::repository {
namespace {

class EngineDomains : public testing::TestWithParam<const char*> {
 protected:
  EngineDomains() : house_(GetParam()), repository_(house_.create()) {
    owner_ = house_.add_device(1, Role::owner);
    honest_ = house_.add_device(2, Role::writer);
    liar_ = house_.add_device(3, Role::writer);
    sharer_ = house_.add_device(4, Role::writer, true);
    sharing_liar_ = house_.add_device(5, Role::writer, true);
  }

  Engine& engine() { return house_.engine(); }
  std::unique_ptr<Intake> begin(const Viewer& viewer) {
    return must(engine().begin(repository_, viewer, false));
  }

  // The same ids and children under a session of the liar's own, and other bytes.
  static TestSnapshot poisoned(const TestSnapshot& snapshot) {
    TestSnapshot bad = snapshot;
    const uint64_t session = 666;
    bad.blobs[0] = session_record(session);
    for (size_t i = 1; i < bad.blobs.size(); ++i) {
      bad.blobs[i].head.session = session_of(session);
      for (std::byte& byte : bad.blobs[i].stored) byte = std::byte{0xbb};
    }
    return bad;
  }

  void put(const Viewer& viewer, const TestSnapshot& snapshot) {
    const auto intake = begin(viewer);
    for (const StoredBlob& blob : snapshot.blobs) must(put_blob(*intake, blob));
    must(intake->flush());
  }
  std::vector<BlobId> commit(const Viewer& viewer, const TestSnapshot& snapshot) {
    return must(begin(viewer)->commit(snapshot.request)).missing;
  }
  void back_up(const Viewer& viewer, const TestSnapshot& snapshot) {
    put(viewer, snapshot);
    EXPECT_TRUE(commit(viewer, snapshot).empty());
  }

  // How many of the blobs a viewer may lean on; the session record is not counted.
  size_t leans_on(const Viewer& viewer, const TestSnapshot& snapshot) {
    const auto ids = ids_of(std::span(snapshot.blobs).subspan(1));
    const auto there = must(engine().have(repository_, viewer, ids));
    return static_cast<size_t>(std::count(there.begin(), there.end(), true));
  }
  static size_t size(const TestSnapshot& snapshot) { return snapshot.blobs.size() - 1; }

  // Is what this viewer reads byte for byte the snapshot's?
  bool reads(const Viewer& whose, const TestSnapshot& snapshot, bool exact = false) {
    const auto ids = ids_of(snapshot.blobs);
    const auto found = must(read_all(engine(), repository_, ids, whose, exact));
    return std::all_of(snapshot.blobs.begin(), snapshot.blobs.end(), [&](const StoredBlob& blob) {
      const auto at = found.find(blob.head.id);
      return at != found.end() && at->second.stored == blob.stored &&
             at->second.head.session == blob.head.session;
    });
  }

  Status verdict(const Viewer& whose, std::vector<BlobId> ids, bool bad) {
    return engine().verified(repository_, whose, ids, bad);
  }
  std::vector<BlobId> content_of(const TestSnapshot& snapshot) {
    return ids_of(std::span(snapshot.blobs).subspan(1));
  }

  void expect_whole() {
    const auto checked = must(engine().check(repository_, true, {}));
    for (const std::string& finding : checked.findings) ADD_FAILURE() << finding;
    EXPECT_EQ(must(engine().remove_leftovers()), 0u);
  }

  EngineHouse house_;
  RepositoryId repository_;
  Viewer owner_, honest_, liar_, sharer_, sharing_liar_;
};

INSTANTIATE_TEST_SUITE_P(Stores, EngineDomains, testing::Values("store-fs", "store-sqlite"),
                         [](const auto& one) {
                           return std::string(one.param) == "store-fs" ? "fs" : "sqlite";
                         });

TEST_P(EngineDomains,
       the_record_of_another_devices_session_is_refused_whether_it_was_named_or_not) {
  const TestSnapshot snapshot = make_snapshot(1, 3, 500);
  back_up(honest_, snapshot);
  SessionRecord record = must(decode_session(snapshot.blobs.front().stored));
  record.epoch = 0xffffffff;
  StoredBlob forged = snapshot.blobs.front();
  forged.stored = encode(record);
  forged.head.stored_size = static_cast<uint32_t>(forged.stored.size());
  for (const bool is_named : {false, true}) {
    const auto intake = begin(liar_);
    if (is_named) must(put_blob(*intake, make_blob(BlobKind::data, 4711, 100, {}, 1)));
    const Status done = put_blob(*intake, forged);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::invalid);
  }
  ASSERT_OK(put_blob(*begin(liar_), snapshot.blobs.front()));
}

TEST_P(EngineDomains, a_writer_leans_on_itself_and_on_owners_and_nobody_on_it) {
  const TestSnapshot by_owner = make_snapshot(1, 4, 1000);
  const TestSnapshot by_writer = make_snapshot(2, 4, 1000);
  back_up(owner_, by_owner);
  back_up(honest_, by_writer);
  for (const Viewer& viewer : {owner_, honest_, liar_, sharer_})
    EXPECT_EQ(leans_on(viewer, by_owner), size(by_owner));
  EXPECT_EQ(leans_on(honest_, by_writer), size(by_writer));
  for (const Viewer& viewer : {owner_, liar_, sharer_}) EXPECT_EQ(leans_on(viewer, by_writer), 0u);
  house_.reopen();
  EXPECT_EQ(leans_on(honest_, by_writer), size(by_writer));
  expect_whole();
}

TEST_P(EngineDomains, those_that_share_lean_on_each_other) {
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  back_up(sharer_, snapshot);
  EXPECT_EQ(leans_on(sharing_liar_, snapshot), size(snapshot));
  EXPECT_EQ(leans_on(honest_, snapshot), 0u);
  EXPECT_EQ(leans_on(owner_, snapshot), 0u);
  const auto other = begin(sharing_liar_);
  for (const StoredBlob& blob : snapshot.blobs) ASSERT_OK(put_blob(*other, blob));
  ASSERT_OK(other->flush());
  EXPECT_EQ(must(engine().counts(repository_)).blobs, snapshot.blobs.size());
  expect_whole();
}

TEST_P(EngineDomains, what_was_condemned_wrongly_is_read_all_the_same) {
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  back_up(honest_, snapshot);
  ASSERT_OK(verdict(honest_, content_of(snapshot), true));
  EXPECT_EQ(leans_on(honest_, snapshot), 0u) << "so it is sent again";
  EXPECT_TRUE(reads(honest_, snapshot));
  EXPECT_TRUE(reads(owner_, snapshot));
  EXPECT_FALSE(reads(honest_, snapshot, true));
}

TEST_P(EngineDomains, a_child_that_many_name_is_looked_up_once) {
  const auto intake = begin(honest_);
  ASSERT_OK(put_blob(*intake, session_record(1)));
  std::vector<BlobId> leaves, nodes;
  for (uint64_t i = 0; i < 50; ++i) {
    const StoredBlob leaf = make_blob(BlobKind::data, i, 10);
    ASSERT_OK(put_blob(*intake, leaf));
    leaves.push_back(leaf.head.id);
  }
  for (uint64_t i = 0; i < 20; ++i) {
    const StoredBlob node = make_blob(BlobKind::node, 100 + i, 10, leaves);
    ASSERT_OK(put_blob(*intake, node));
    nodes.push_back(node.head.id);
  }
  const StoredBlob root = make_blob(BlobKind::node, 999, 10, nodes);
  ASSERT_OK(put_blob(*intake, root));
  ASSERT_OK(intake->flush());
  catalog::Index& index = house_.catalog().index();
  const int64_t number = must(index.repository(repository_.bytes))->number;
  const catalog::View view{must(index.domain_of(number, honest_.device.bytes))};
  ClosureWalk walk(index, number, view, ClosureWalk::Trust::nothing);
  ASSERT_OK(walk.walk(root.head.id));
  EXPECT_EQ(walk.asked(), 71u);
  EXPECT_EQ(walk.walked().size(), 21u);
  EXPECT_TRUE(walk.missing().empty());
  ASSERT_OK(walk.walk(make_blob(BlobKind::data, 5000, 10).head.id));
  EXPECT_EQ(walk.missing().size(), 1u);
}

TEST_P(EngineDomains, garbage_that_comes_before_the_honest_blobs_harms_nobody) {
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  put(liar_, poisoned(snapshot));
  put(sharing_liar_, poisoned(snapshot));
  const auto intake = begin(honest_);
  EXPECT_EQ(must(intake->commit(snapshot.request)).missing.size(), 2u);  // snapshot and root
  for (const StoredBlob& blob : snapshot.blobs) ASSERT_OK(put_blob(*intake, blob));
  EXPECT_TRUE(must(intake->commit(snapshot.request)).missing.empty());
  EXPECT_TRUE(reads(honest_, snapshot));
  EXPECT_TRUE(reads(honest_, snapshot, true));
  EXPECT_TRUE(reads(liar_, poisoned(snapshot), true));
  expect_whole();
}

TEST_P(EngineDomains, garbage_that_comes_after_the_honest_blobs_harms_nobody) {
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  back_up(honest_, snapshot);
  put(liar_, poisoned(snapshot));
  put(sharing_liar_, poisoned(snapshot));
  EXPECT_TRUE(reads(honest_, snapshot));
  EXPECT_TRUE(commit(honest_, snapshot).empty());
  expect_whole();
}

TEST_P(EngineDomains, garbage_in_the_shared_domain_harms_no_owner_and_no_lonely_writer) {
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  put(sharing_liar_, poisoned(snapshot));
  EXPECT_EQ(leans_on(sharer_, snapshot), size(snapshot));  // that is the bargain
  back_up(owner_, snapshot);
  EXPECT_TRUE(reads(owner_, snapshot));
  EXPECT_TRUE(reads(honest_, snapshot));
  // The open copy goes first, for those that share, too.
  EXPECT_TRUE(reads(sharer_, snapshot));
  EXPECT_TRUE(reads(sharing_liar_, poisoned(snapshot), true));
  expect_whole();
}

TEST_P(EngineDomains, what_an_owner_puts_is_for_all_whatever_others_put_before) {
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  put(liar_, poisoned(snapshot));
  EXPECT_EQ(leans_on(owner_, snapshot), 0u);
  back_up(owner_, snapshot);
  for (const Viewer& viewer : {owner_, honest_, liar_, sharer_}) {
    EXPECT_EQ(leans_on(viewer, snapshot), size(snapshot));
    EXPECT_TRUE(reads(viewer, snapshot));
  }
  expect_whole();
}

TEST_P(EngineDomains, a_snapshot_is_read_from_its_devices_copies_and_else_from_any) {
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  back_up(honest_, snapshot);
  EXPECT_TRUE(reads(owner_, snapshot));
  EXPECT_TRUE(reads(liar_, snapshot));
  EXPECT_FALSE(reads(liar_, snapshot, true));
  EXPECT_FALSE(reads(owner_, snapshot, true));
  const auto found = must(read_all(engine(), repository_, ids_of(snapshot.blobs), owner_));
  for (const StoredBlob& blob : snapshot.blobs)
    EXPECT_EQ(found.at(blob.head.id).head.device, honest_.device);
}

TEST_P(EngineDomains, what_is_found_good_is_for_all_and_a_node_after_its_children) {
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  back_up(honest_, snapshot);
  put(liar_, poisoned(snapshot));
  std::vector<BlobId> data;
  std::vector<BlobId> rest;
  for (const StoredBlob& blob : snapshot.blobs) {
    if (blob.head.kind == BlobKind::data) data.push_back(blob.head.id);
    if (blob.head.kind == BlobKind::node || blob.head.kind == BlobKind::snapshot)
      rest.push_back(blob.head.id);
  }
  ASSERT_OK(verdict(honest_, rest, false));
  EXPECT_EQ(leans_on(owner_, snapshot), 0u);
  ASSERT_OK(verdict(honest_, data, false));
  EXPECT_EQ(leans_on(owner_, snapshot), data.size());
  ASSERT_OK(verdict(honest_, rest, false));
  for (const Viewer& viewer : {owner_, liar_, sharer_}) {
    EXPECT_EQ(leans_on(viewer, snapshot), size(snapshot));
    EXPECT_TRUE(reads(viewer, snapshot));
  }
  const auto left = must(engine().copies(repository_, 0, 100)).copies;
  EXPECT_TRUE(std::all_of(left.begin(), left.end(),
                          [&](const BlobCopy& copy) { return copy.device == liar_.device; }));
  EXPECT_EQ(left.size(), snapshot.blobs.size());
  expect_whole();
}

TEST_P(EngineDomains, what_is_found_bad_is_missing_for_its_device_alone) {
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  const TestSnapshot bad = poisoned(snapshot);
  back_up(liar_, bad);
  TestSnapshot honest = snapshot;
  honest.request.commit_id.bytes[0] ^= std::byte{1};
  put(honest_, honest);
  const BlobId node = snapshot.request.root;
  ASSERT_OK(verdict(liar_, {snapshot.blobs[1].head.id, node}, true));
  EXPECT_EQ(leans_on(liar_, snapshot), size(snapshot) - 2);
  EXPECT_EQ(leans_on(honest_, snapshot), size(snapshot));
  EXPECT_TRUE(reads(honest_, snapshot));
  EXPECT_EQ(must(engine().check(repository_, false, {})).findings.size(), 1u);  // the root
  house_.reopen();
  EXPECT_EQ(leans_on(liar_, snapshot), size(snapshot) - 2);
}

TEST_P(EngineDomains, a_commit_over_blobs_that_were_found_bad_says_what_is_missing) {
  const TestSnapshot first = make_snapshot(1, 4, 1000);
  back_up(liar_, first);
  const BlobId bad = first.blobs[1].head.id;
  ASSERT_OK(verdict(liar_, {bad}, true));
  // Another snapshot of the same tree, which an earlier commit found whole.
  const StoredBlob again = make_blob(BlobKind::snapshot, 77, 100, {first.request.root}, 1);
  CommitRequest request = first.request;
  request.snapshot = again.head.id;
  request.commit_id.bytes[0] ^= std::byte{1};
  const auto intake = begin(liar_);
  ASSERT_OK(put_blob(*intake, again));
  EXPECT_EQ(must(intake->commit(request)).missing, std::vector<BlobId>{bad});
  ASSERT_OK(put_blob(*intake, first.blobs[1]));
  EXPECT_TRUE(must(intake->commit(request)).missing.empty());
  expect_whole();
}

TEST_P(EngineDomains, an_owner_commits_only_over_what_all_may_lean_on) {
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  back_up(honest_, snapshot);
  const StoredBlob mine = make_blob(BlobKind::snapshot, 77, 100, {snapshot.request.root}, 9);
  CommitRequest request = snapshot.request;
  request.snapshot = mine.head.id;
  request.commit_id.bytes[0] ^= std::byte{1};
  const auto intake = begin(owner_);
  ASSERT_OK(put_blob(*intake, session_record(9)));
  ASSERT_OK(put_blob(*intake, mine));
  EXPECT_EQ(must(intake->commit(request)).missing, std::vector<BlobId>{snapshot.request.root});
}

TEST_P(EngineDomains, an_open_node_that_lacks_a_child_is_not_closed_by_a_writer_that_has_it) {
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  TestSnapshot torn = snapshot;
  torn.blobs.erase(torn.blobs.begin() + 1);
  put(owner_, torn);
  const auto intake = begin(honest_);
  EXPECT_EQ(must(intake->commit(snapshot.request)).missing.size(), 1u);
  ASSERT_OK(put_blob(*intake, snapshot.blobs[0]));
  ASSERT_OK(put_blob(*intake, snapshot.blobs[1]));
  EXPECT_TRUE(must(intake->commit(snapshot.request)).missing.empty());
  EXPECT_TRUE(reads(honest_, snapshot));
  expect_whole();
  const StoredBlob mine = make_blob(BlobKind::snapshot, 77, 100, {snapshot.request.root}, 1);
  CommitRequest request = snapshot.request;
  request.snapshot = mine.head.id;
  request.commit_id.bytes[0] ^= std::byte{1};
  const auto owners = begin(owner_);
  ASSERT_OK(put_blob(*owners, mine));
  EXPECT_EQ(must(owners->commit(request)).missing, std::vector<BlobId>{snapshot.blobs[1].head.id});
}

TEST_P(EngineDomains, running_intakes_lean_on_those_of_their_domain_and_on_owners) {
  const TestSnapshot snapshot = make_snapshot(1, 2, 1000);
  const StoredBlob& blob = snapshot.blobs[1];
  const std::array<BlobId, 1> id = {blob.head.id};
  const auto bad = begin(liar_);
  ASSERT_OK(put_blob(*bad, poisoned(snapshot).blobs[0]));
  ASSERT_OK(put_blob(*bad, poisoned(snapshot).blobs[1]));
  const auto mine = begin(honest_);
  const auto shared = begin(sharer_);
  const auto owners = begin(owner_);
  for (const auto* intake : {&mine, &shared, &owners}) EXPECT_FALSE(must((*intake)->have(id))[0]);
  ASSERT_OK(put_blob(*shared, snapshot.blobs[0]));
  ASSERT_OK(put_blob(*shared, blob));
  EXPECT_TRUE(must(begin(sharing_liar_)->have(id))[0]);
  EXPECT_FALSE(must(owners->have(id))[0]);
  ASSERT_OK(put_blob(*owners, snapshot.blobs[0]));
  ASSERT_OK(put_blob(*owners, blob));
  // Now there is one that all may lean on.
  EXPECT_TRUE(must(mine->have(id))[0]);
  ASSERT_OK(put_blob(*mine, snapshot.blobs[0]));
  ASSERT_OK(put_blob(*mine, blob));
  ASSERT_OK(mine->flush());
  EXPECT_FALSE(mine->settle({}));
  EXPECT_EQ(mine->durable(), 1u);
  ASSERT_OK(owners->close_old());
  EXPECT_TRUE(mine->settle({}));
  EXPECT_EQ(mine->durable(), 2u);
  ASSERT_OK(bad->flush());
  EXPECT_TRUE(must(read_all(engine(), repository_, id, honest_)).at(id[0]).stored == blob.stored);
}

TEST_P(EngineDomains, the_id_of_a_session_is_not_taken_from_whom_it_belongs_to) {
  const TestSnapshot snapshot = make_snapshot(1, 2, 1000);
  back_up(honest_, snapshot);
  StoredBlob stolen = session_record(5);
  stolen.head.id = snapshot.blobs[0].head.id;
  const auto intake = begin(liar_);
  const Status refused = put_blob(*intake, stolen);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_TRUE(reads(honest_, snapshot));
  EXPECT_TRUE(reads(owner_, snapshot));
  // Its own words under that session are opened with the right record, and found bad.
  ASSERT_OK(put_blob(*intake, make_blob(BlobKind::data, 70, 100, {}, 1)));
  ASSERT_OK(intake->flush());
  expect_whole();
}

TEST_P(EngineDomains, copies_come_in_pages_with_who_put_them) {
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  back_up(owner_, make_snapshot(2, 4, 1000));
  back_up(honest_, snapshot);
  put(sharing_liar_, poisoned(snapshot));
  std::map<DeviceId, size_t> counts;
  uint64_t cursor = 0;
  for (bool last = false; !last;) {
    const CopyPage page = must(engine().copies(repository_, cursor, 5));
    ASSERT_LE(page.copies.size(), 5u);
    for (const BlobCopy& copy : page.copies) ++counts[copy.device];
    cursor = page.cursor;
    last = page.last;
  }
  EXPECT_EQ(counts[honest_.device], snapshot.blobs.size());
  // One of those that share stands for all of them.
  EXPECT_EQ(counts[sharer_.device], snapshot.blobs.size());
  EXPECT_EQ(counts.size(), 2u);
}

TEST_P(EngineDomains, what_is_private_until_its_commit_is_an_owners) {
  const auto refused = engine().begin(repository_, honest_, true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
}

TEST_P(EngineDomains, a_local_remote_reads_the_copies_of_the_device_that_is_named) {
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  back_up(honest_, snapshot);
  back_up(liar_, poisoned(snapshot));
  const auto remote = must(make_local_remote(engine(), repository_, sharer_));
  const std::array<BlobId, 1> id = {snapshot.blobs[1].head.id};
  Bytes got;
  const auto sink = [&](StoredBlob blob) -> Status {
    got = std::move(blob.stored);
    return {};
  };
  ASSERT_OK(remote->get(id, CopyChoice{honest_.device, false}, sink));
  EXPECT_EQ(got, snapshot.blobs[1].stored);
  ASSERT_OK(remote->get(id, CopyChoice{liar_.device, true}, sink));
  EXPECT_EQ(got, poisoned(snapshot).blobs[1].stored);
  const Status none = remote->get(id, CopyChoice{owner_.device, true}, sink);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::not_found);
  const ChainPage page = must(remote->chain(1));
  EXPECT_EQ(page.commits.size(), 1u);
  EXPECT_TRUE(page.last);
}

}  // namespace
}  // namespace cb::repository
