// SPDX-License-Identifier: Apache-2.0
//
// What Index promises, as tests.
#include <chrono>
#include <cstdio>
#include <thread>

#include "core/catalog/index_suite.h"

namespace cb::catalog {

void IndexSuite::SetUp() {
  CatalogSuite::SetUp();
  ASSERT_TRUE(catalog_->accounts().add_account({0, "alice", AccountKind::v4, false, 1}));
  const auto number = index().add_repository(Bytes16{}, "alice", as_bytes("record"));
  ASSERT_TRUE(number);
  repository_ = *number;
}

namespace {

TEST_P(IndexSuite, a_repository_comes_back_and_needs_its_account) {
  expect_code(index().add_repository(Bytes16{}, "alice", {}), Code::exists);
  expect_code(index().add_repository(short_id(1), "bob", {}), Code::not_found);
  reopen();
  const auto found = index().repository(Bytes16{});
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->number, repository_);
  EXPECT_EQ(as_text((*found)->record), "record");
  EXPECT_FALSE(index().repository(short_id(1))->has_value());
  EXPECT_EQ(index().repositories()->size(), 1u);
}

TEST_P(IndexSuite, the_repository_of_an_account_is_found_among_others) {
  const auto account = [&](const char* name) {
    return (*catalog_->accounts().account_by_name(name))->number;
  };
  ASSERT_TRUE(catalog_->accounts().add_account({0, "bob", AccountKind::v4, false, 1}));
  ASSERT_TRUE(catalog_->accounts().add_account({0, "carol", AccountKind::v4, false, 1}));
  ASSERT_TRUE(index().add_repository(short_id(2), "bob", as_bytes("bob's")));
  const auto of_alice = *index().repository_of(account("alice"));
  ASSERT_TRUE(of_alice);
  EXPECT_EQ(of_alice->number, repository_);
  const auto of_bob = *index().repository_of(account("bob"));
  ASSERT_TRUE(of_bob);
  EXPECT_EQ(of_bob->id, short_id(2));
  EXPECT_EQ(as_text(of_bob->record), "bob's");
  EXPECT_FALSE(*index().repository_of(account("carol")));
}

TEST_P(IndexSuite, slots_are_replaced_and_removed_but_the_last_stays) {
  ASSERT_TRUE(index().set_slot(repository_, short_id(1), as_bytes("one")));
  ASSERT_TRUE(index().set_slot(repository_, short_id(1), as_bytes("uno")));
  expect_code(index().remove_slot(repository_, short_id(1)), Code::denied);
  ASSERT_TRUE(index().set_slot(repository_, short_id(2), as_bytes("two")));
  EXPECT_EQ(index().slots(repository_)->size(), 2u);
  expect_code(index().remove_slot(repository_, short_id(3)), Code::not_found);
  ASSERT_TRUE(index().remove_slot(repository_, short_id(2)));
  EXPECT_EQ(as_text(index().slots(repository_)->front()), "uno");
}

TEST_P(IndexSuite, blobs_of_a_pack_are_found_with_their_place_and_their_children) {
  const std::array<BlobRow, 2> rows = {blob(1), blob(2, {1, 9})};
  const std::array<SessionRow, 1> sessions = {{{short_id(1), to_bytes(as_bytes("session"))}}};
  ASSERT_TRUE(index().add_pack(repository_, pack(1), rows, sessions));
  reopen();
  const std::array<Bytes32, 3> ids = {id_of(9), id_of(2), id_of(1)};
  EXPECT_EQ(*index().have(repository_, {}, ids), (std::vector<bool>{false, true, true}));
  auto places = *index().places(repository_, {}, ids);
  ASSERT_EQ(places.size(), 2u);
  EXPECT_EQ(places[0].id, id_of(2));
  EXPECT_EQ(places[0].kind, 4);
  EXPECT_EQ(places[0].child_count, 2u);
  EXPECT_EQ(places[0].session, short_id(1));
  EXPECT_EQ(places[0].size, 100u);
  EXPECT_EQ(places[0].pack, pack(1).name);
  EXPECT_EQ(places[0].offset, 50u);
  const auto links = *index().links(repository_, {}, ids);
  EXPECT_FALSE(links[0]);
  EXPECT_EQ(links[1]->children, rows[1].children);
  EXPECT_FALSE(links[1]->closed);
  EXPECT_TRUE(links[2]->closed);  // has no children
  EXPECT_EQ(as_text(**index().session(repository_, 0, short_id(1))), "session");
  EXPECT_FALSE(index().session(repository_, 0, short_id(2))->has_value());
  EXPECT_TRUE(*index().knows_pack(repository_, pack(1).name));
  EXPECT_FALSE(*index().knows_pack(repository_, pack(2).name));
  EXPECT_EQ(index().blobs_of_pack(index().packs(repository_, 0, 9)->front().number)->size(), 2u);
}

TEST_P(IndexSuite, a_second_copy_is_garbage_and_a_condemned_blob_moves_to_its_new_pack) {
  const std::array<BlobRow, 2> rows = {blob(1), blob(2)};
  ASSERT_TRUE(index().add_pack(repository_, pack(1), rows, {}));
  ASSERT_TRUE(index().condemn(repository_, 0, std::array<Bytes32, 1>{id_of(2)}));
  const std::array<Bytes32, 2> ids = {id_of(1), id_of(2)};
  EXPECT_EQ(*index().have(repository_, {}, ids), (std::vector<bool>{true, false}));
  EXPECT_EQ(index().places(repository_, {}, ids)->size(), 1u);
  EXPECT_FALSE((*index().links(repository_, {}, ids))[1]);
  ASSERT_TRUE(index().add_pack(repository_, pack(2), rows, {}));
  EXPECT_EQ(*index().have(repository_, {}, ids), (std::vector<bool>{true, true}));
  const auto packs = *index().packs(repository_, 0, 9);
  ASSERT_EQ(packs.size(), 2u);
  for (const PackRow& one : packs) {
    EXPECT_EQ(one.blobs, 1u);
    EXPECT_EQ(one.garbage, 100u);
  }
  EXPECT_EQ(index().blobs_of_pack(packs[1].number)->front().id, id_of(2));
  EXPECT_EQ(index().counts(repository_)->blobs, 2u);
}

TEST_P(IndexSuite, a_pack_that_cannot_be_added_leaves_nothing) {
  ASSERT_TRUE(index().add_pack(repository_, pack(1), std::array<BlobRow, 1>{blob(1)}, {}));
  BlobRow wrong = blob(3);
  wrong.children = Bytes(31);
  EXPECT_FALSE(index().add_pack(repository_, pack(2), std::array<BlobRow, 2>{blob(2), wrong}, {}));
  expect_code(index().add_pack(repository_, pack(1), std::array<BlobRow, 1>{blob(2)}, {}),
              Code::exists);
  EXPECT_EQ(*index().have(repository_, {}, std::array<Bytes32, 1>{id_of(2)}),
            std::vector<bool>{false});
  EXPECT_EQ(index().packs(repository_, 0, 9)->size(), 1u);
}

TEST_P(IndexSuite, private_rows_are_their_intake_s_until_its_commit) {
  const int64_t mine = *index().new_intake(repository_);
  const int64_t other = *index().new_intake(repository_);
  EXPECT_NE(mine, other);
  const std::array<SessionRow, 1> sessions = {{{short_id(1), to_bytes(as_bytes("session"))}}};
  const std::array<BlobRow, 2> rows = {blob(1), blob(2)};
  ASSERT_TRUE(index().add_pack(repository_, pack(1, mine), rows, sessions));
  ASSERT_TRUE(index().add_pack(repository_, pack(2, other), rows, sessions));
  ASSERT_TRUE(index().add_pack(repository_, pack(3), std::array<BlobRow, 1>{blob(2)}, {}));
  const std::array<Bytes32, 2> ids = {id_of(1), id_of(2)};
  EXPECT_EQ(*index().have(repository_, {}, ids), (std::vector<bool>{false, true}));
  EXPECT_EQ(*index().have(repository_, {mine}, ids), (std::vector<bool>{true, true}));
  EXPECT_EQ(index().counts(repository_)->packs, 1u);
  EXPECT_FALSE(index().session(repository_, 0, short_id(1))->has_value());

  ASSERT_TRUE(index().mark_intake(mine, commit(1, 1, 77).commit_id));
  ASSERT_TRUE(index().add_commit(repository_, commit(1, 1, 77), {}));
  EXPECT_EQ(*index().have(repository_, {}, ids), (std::vector<bool>{true, true}));
  EXPECT_TRUE(index().session(repository_, 0, short_id(1))->has_value());
  EXPECT_EQ(index().counts(repository_)->blobs, 2u);
  EXPECT_EQ(index().packs(repository_, 0, 9)->front().garbage, 100u);
  EXPECT_EQ(*index().open_intakes(repository_), std::vector<int64_t>{other});

  EXPECT_EQ(*index().drop_intake(other), std::vector<Bytes16>{pack(2).name});
  EXPECT_TRUE(index().open_intakes(repository_)->empty());
  EXPECT_TRUE(index().drop_intake(mine)->empty());  // is everybody's now
  EXPECT_EQ(index().packs(repository_, 0, 9)->size(), 2u);
}

TEST_P(IndexSuite, a_condemned_blob_gives_way_to_a_private_one_and_is_garbage) {
  ASSERT_TRUE(index().add_pack(repository_, pack(1), std::array<BlobRow, 2>{blob(1), blob(2)}, {}));
  ASSERT_TRUE(index().condemn(repository_, 0, std::array<Bytes32, 1>{id_of(1)}));
  const int64_t mine = *index().new_intake(repository_);
  ASSERT_TRUE(index().add_pack(repository_, pack(2, mine), std::array<BlobRow, 1>{blob(1)}, {}));
  ASSERT_TRUE(index().mark_intake(mine, commit(1, 1, 77).commit_id));
  ASSERT_TRUE(index().add_commit(repository_, commit(1, 1, 77), {}));
  EXPECT_TRUE((*index().have(repository_, {}, std::array<Bytes32, 1>{id_of(1)}))[0]);
  const auto packs = *index().packs(repository_, 0, 9);
  ASSERT_EQ(packs.size(), 2u);
  EXPECT_EQ(packs[0].blobs, 1u);
  EXPECT_EQ(packs[0].garbage, 100u);
  EXPECT_EQ(packs[1].blobs, 1u);
  EXPECT_EQ(packs[1].garbage, 0u);
}

TEST_P(IndexSuite, a_commit_closes_blobs_and_moves_its_snapshot) {
  ASSERT_TRUE(index().add_pack(repository_, pack(1), std::array<BlobRow, 1>{blob(2, {1})}, {}));
  const std::array<Bytes32, 1> ids = {id_of(2)};
  const std::array<int64_t, 1> walked = {(*index().links(repository_, {}, ids))[0]->number};
  CommitEffect effect;
  effect.walked = walked;
  ASSERT_TRUE(index().add_commit(repository_, commit(1, 1, 77), effect));
  EXPECT_TRUE((*index().links(repository_, {}, ids))[0]->closed);
  expect_code(index().add_commit(repository_, commit(1, 1, 78), {}), Code::exists);
  ASSERT_TRUE(index().add_commit(repository_, commit(2, 1, 78), {}));
  CommitRow again = commit(3, 1, 79);
  again.commit_id = commit(2, 1, 78).commit_id;
  expect_code(index().add_commit(repository_, again, {}), Code::exists);

  ASSERT_TRUE(index().add_commit(repository_, commit(3, 2, 77), {}));
  effect = {};
  effect.changes_snapshot = false;
  ASSERT_TRUE(index().add_commit(repository_, commit(4, 2, 78), effect));
  reopen();
  ASSERT_EQ(index().snapshots(repository_, false)->size(), 1u);
  const auto all = *index().snapshots(repository_, true);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_TRUE(all[0].in_trash);
  EXPECT_EQ(as_text(all[0].record), "record 1");
  EXPECT_TRUE((*index().snapshot(repository_, id_of(77)))->in_trash);
  EXPECT_FALSE(index().snapshot(repository_, id_of(79))->has_value());
  ASSERT_TRUE(index().add_commit(repository_, commit(5, 3, 77), {}));
  EXPECT_EQ(index().snapshots(repository_, false)->size(), 2u);
  ASSERT_TRUE(index().add_commit(repository_, commit(6, 4, 77), {}));
  EXPECT_EQ(index().snapshots(repository_, true)->size(), 1u);
  EXPECT_EQ((*index().last_commit(repository_))->sequence, 6u);
  EXPECT_EQ((*index().commit_by_id(repository_, short_id(502)))->sequence, 2u);
  EXPECT_EQ((*index().commit_of(repository_, id_of(77), 2))->sequence, 3u);
  EXPECT_FALSE(index().commit_of(repository_, id_of(79), 2)->has_value());
  const auto some = *index().commits(repository_, 2, 3);
  ASSERT_EQ(some.size(), 3u);
  EXPECT_EQ(some[0].sequence, 2u);
  EXPECT_EQ(some[2].sequence, 4u);
}

TEST_P(IndexSuite, four_thousand_are_looked_up_in_one_go_while_packs_are_added) {
  constexpr uint64_t kBlobs = 50'000;
  std::vector<BlobRow> rows;
  for (uint64_t i = 0; i < kBlobs; ++i) rows.push_back(blob(i));
  ASSERT_TRUE(index().add_pack(repository_, pack(1), rows, {}));
  std::vector<Bytes32> ids;
  for (uint64_t i = 0; i < 4096; ++i) ids.push_back(id_of(i * 20));
  std::thread writer([&] {
    for (uint64_t i = 0; i < 20; ++i)
      EXPECT_TRUE(index().add_pack(repository_, pack(2 + i),
                                   std::array<BlobRow, 1>{blob(kBlobs * 10 + i)}, {}));
  });
  std::chrono::nanoseconds best = std::chrono::hours(1);
  for (int round = 0; round < 10; ++round) {
    const auto begun = std::chrono::steady_clock::now();
    const auto there = *index().have(repository_, {}, ids);
    best = std::min<std::chrono::nanoseconds>(best, std::chrono::steady_clock::now() - begun);
    for (size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(there[i], i * 20 < kBlobs) << i;
  }
  writer.join();
  std::printf("4,096 look-ups: %.1f ms\n", static_cast<double>(best.count()) / 1e6);
}

}  // namespace
}  // namespace cb::catalog
