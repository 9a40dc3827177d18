// SPDX-License-Identifier: Apache-2.0
//
// What Index promises of domains and of records that change, as tests.
#include "core/catalog/index_suite.h"

namespace cb::catalog {
namespace {

TEST_P(DomainsSuite, a_device_keeps_the_domain_that_was_drawn_for_it) {
  EXPECT_LT(mine_, kSharedDomain);
  EXPECT_LT(theirs_, kSharedDomain);
  EXPECT_NE(mine_, theirs_);
  reopen();
  EXPECT_EQ(*index().domain_of(repository_, short_id(1)), mine_);
  EXPECT_EQ(*index().device_of(theirs_), short_id(2));
  for (const int64_t none : {kOpenDomain, kSharedDomain, theirs_ - 1})
    EXPECT_FALSE(index().device_of(none)->has_value());
  expect_code(index().domain_of(repository_ + 1, short_id(1)), Code::not_found);
  const auto other = index().add_repository(short_id(5), "alice", {});
  EXPECT_LT(*index().domain_of(*other, short_id(1)), theirs_);
}

TEST_P(DomainsSuite, a_blob_is_seen_in_its_domain_and_an_open_one_by_all) {
  put(1, mine_, {blob(1)});
  put(2, kOpenDomain, {blob(2)});
  EXPECT_TRUE(sees({mine_}, 1));
  EXPECT_FALSE(sees({}, 1));
  EXPECT_FALSE(sees({theirs_}, 1));
  EXPECT_TRUE(sees({theirs_, true}, 1));
  for (const int64_t domain : {kOpenDomain, kSharedDomain, mine_, theirs_})
    EXPECT_TRUE(sees({domain}, 2));
  EXPECT_EQ(link({mine_}, 1)->domain, mine_);
  EXPECT_EQ(link({mine_}, 2)->domain, kOpenDomain);
}

TEST_P(DomainsSuite, of_several_copies_the_open_one_goes_first_then_ones_own_then_any) {
  put(1, theirs_, {blob(1)});
  EXPECT_EQ(place({mine_, true}, 1), 1u);
  EXPECT_EQ(place({mine_}, 1), 0u);
  put(2, mine_, {blob(1)});
  EXPECT_EQ(place({mine_, true}, 1), 2u);
  put(3, kOpenDomain, {blob(1)});
  EXPECT_EQ(place({mine_, true}, 1), 3u);
  EXPECT_EQ(place({theirs_}, 1), 3u);
  const auto alone = *index().places_in(repository_, theirs_, std::array<Bytes32, 1>{id_of(1)});
  ASSERT_EQ(alone.size(), 1u);
  EXPECT_EQ(alone[0].pack, pack(1).name);
  EXPECT_EQ(alone[0].domain, theirs_);
  EXPECT_TRUE(
      index().places_in(repository_, kSharedDomain, std::array<Bytes32, 1>{id_of(1)})->empty());
  const auto packs = *index().packs(repository_, 0, 9);
  for (const PackRow& one : packs) {
    EXPECT_EQ(one.blobs, 1u);  // each copy is whole
    EXPECT_EQ(one.garbage, 0u);
  }
}

TEST_P(DomainsSuite, a_condemned_copy_is_missing_in_its_domain_alone) {
  put(1, theirs_, {blob(1)});
  put(2, mine_, {blob(1)});
  condemn(theirs_, 1);
  EXPECT_FALSE(sees({theirs_}, 1));
  EXPECT_TRUE(sees({mine_}, 1));
  EXPECT_EQ(place({theirs_, true}, 1), 2u);
  EXPECT_EQ(place({theirs_}, 1), 0u);
  put(3, theirs_, {blob(1)});
  EXPECT_EQ(place({theirs_}, 1), 3u);
}

// Who condemns may lie; who reads verifies what it gets.
TEST_P(DomainsSuite, a_condemned_copy_is_read_by_who_wants_any_when_there_is_no_other) {
  put(1, theirs_, {blob(1)});
  put(2, mine_, {blob(1)});
  condemn(theirs_, 1);
  condemn(mine_, 1);
  EXPECT_EQ(place({theirs_, true}, 1), 1u);
  EXPECT_EQ(place({mine_, true}, 1), 2u);
  EXPECT_NE(place({kOpenDomain, true}, 1), 0u);
  EXPECT_EQ(place({mine_}, 1), 0u);
  EXPECT_FALSE(sees({mine_, true}, 1)) << "so it is sent again";
  EXPECT_FALSE(link({mine_, true}, 1)) << "and no commit leans on it";
  put(3, kOpenDomain, {blob(1)});
  EXPECT_EQ(place({theirs_, true}, 1), 3u);
}

TEST_P(DomainsSuite, what_is_sent_again_for_a_condemned_copy_has_its_own_kind_and_children) {
  BlobRow poison = blob(2, {9});
  put(1, mine_, {blob(1), poison});
  condemn(mine_, 2);
  put(2, mine_, {blob(2)});
  EXPECT_EQ(link({mine_}, 2)->kind, 1) << "the poisoner's was 4";
  EXPECT_TRUE(link({mine_}, 2)->closed);
  EXPECT_TRUE(link({mine_}, 2)->children.empty());
  condemn(mine_, 2);
  put(3, mine_, {blob(2, {1})});
  EXPECT_EQ(link({mine_}, 2)->kind, 4);
  EXPECT_FALSE(link({mine_}, 2)->closed);
}

TEST_P(DomainsSuite, what_was_closed_above_a_condemned_blob_is_so_no_more) {
  put(1, mine_, {blob(1), blob(2, {1}), blob(3, {2})});
  put(2, theirs_, {blob(4, {1})});
  put(3, kOpenDomain, {blob(5, {6}), blob(6)});
  close({mine_}, 3);
  close({theirs_}, 4);
  close({}, 5);
  condemn(mine_, 1);
  EXPECT_FALSE(link({mine_}, 3)->closed);
  EXPECT_TRUE(link({theirs_}, 4)->closed);
  EXPECT_TRUE(link({}, 5)->closed);
  condemn(kOpenDomain, 9);  // is not there
  EXPECT_TRUE(link({}, 5)->closed);
  condemn(kOpenDomain, 6);
  EXPECT_FALSE(link({}, 5)->closed);
  EXPECT_FALSE(link({theirs_}, 4)->closed);
}

TEST_P(DomainsSuite, copies_are_those_that_nobody_vouches_for) {
  put(1, kOpenDomain, {blob(1)});
  put(2, mine_, {blob(2), blob(3, {2})});
  put(3, kSharedDomain, {blob(4)});
  const int64_t intake = *index().new_intake(repository_);
  ASSERT_TRUE(index().add_pack(repository_, pack(4, intake), std::array<BlobRow, 1>{blob(5)}, {}));
  const auto all = *index().copies(repository_, 0, 9);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].id, id_of(2));
  EXPECT_EQ(all[0].domain, mine_);
  EXPECT_EQ(all[0].session, short_id(1));
  EXPECT_EQ(all[1].kind, 4);
  EXPECT_EQ(all[2].domain, kSharedDomain);
  EXPECT_EQ(index().copies(repository_, all[0].number, 1)->front().id, id_of(3));
  condemn(mine_, 2);
  EXPECT_EQ(index().copies(repository_, 0, 9)->size(), 2u);
}

TEST_P(DomainsSuite, a_blob_is_opened_up_after_its_children_or_together_with_them) {
  put(1, mine_, {blob(1), blob(2, {1}), blob(3, {2})});
  EXPECT_EQ(open_up(theirs_, {1}), 0u);
  EXPECT_EQ(open_up(mine_, {3, 2}), 0u);
  EXPECT_FALSE(sees({}, 2));
  EXPECT_EQ(open_up(mine_, {3, 2, 1, 8}), 3u);
  for (const uint64_t number : {1, 2, 3}) {
    EXPECT_TRUE(sees({theirs_}, number)) << number;
    EXPECT_TRUE(link({}, number)->closed) << number;
  }
  EXPECT_TRUE(index().copies(repository_, 0, 9)->empty());
  expect_code(index().open_up(repository_, kOpenDomain, {}, true), Code::invalid);
}

TEST_P(DomainsSuite, what_is_opened_up_is_closed_only_when_all_below_it_is) {
  // The owner's node lacks a child.
  put(1, kOpenDomain, {blob(1, {9})});
  put(2, mine_, {blob(9), blob(2, {1})});
  close({mine_}, 2);
  EXPECT_EQ(open_up(mine_, {2}), 1u);
  EXPECT_FALSE(link({}, 2)->closed);
}

TEST_P(DomainsSuite, a_copy_that_is_opened_up_beside_an_open_one_is_garbage) {
  put(1, kOpenDomain, {blob(1), blob(2)});
  put(2, mine_, {blob(1), blob(2)});
  condemn(kOpenDomain, 2);
  EXPECT_EQ(open_up(mine_, {1, 2}), 2u);
  EXPECT_EQ(place({}, 1), 1u);
  EXPECT_EQ(place({}, 2), 2u);
  const auto packs = *index().packs(repository_, 0, 9);
  for (const PackRow& one : packs) {
    EXPECT_EQ(one.blobs, 1u);
    EXPECT_EQ(one.garbage, 100u);
    EXPECT_EQ(index().blobs_of_pack(one.number)->size(), 1u);
  }
}

TEST_P(DomainsSuite, the_record_of_its_session_comes_with_a_blob_that_is_opened_up) {
  BlobRow session = blob(7);
  session.kind = 6;
  session.id = {};
  const Bytes16 name = short_id(1);
  std::copy(name.begin(), name.end(), session.id.begin());
  session.session = {};
  put(1, mine_, {session, blob(1)});
  const auto is_open = [&]() -> bool {
    return (*index().have(repository_, {}, std::array<Bytes32, 1>{session.id}))[0];
  };
  EXPECT_FALSE(is_open());
  EXPECT_EQ(open_up(mine_, {1}), 1u);
  EXPECT_TRUE(is_open());
}

TEST_P(DomainsSuite, a_record_is_replaced_with_all_of_its_slots_or_alone) {
  using Slots = std::vector<std::pair<Bytes16, Bytes>>;
  ASSERT_TRUE(index().set_slot(repository_, short_id(1), as_bytes("one")));
  ASSERT_TRUE(index().set_record(repository_, as_bytes("second"), nullptr));
  EXPECT_EQ(index().slots(repository_)->size(), 1u);
  const Slots slots = {{short_id(2), to_bytes(as_bytes("two"))}};
  ASSERT_TRUE(index().set_record(repository_, as_bytes("third"), &slots));
  reopen();
  EXPECT_EQ(as_text((*index().repository(Bytes16{}))->record), "third");
  ASSERT_EQ(index().slots(repository_)->size(), 1u);
  EXPECT_EQ(as_text(index().slots(repository_)->front()), "two");
  expect_code(index().set_record(repository_ + 1, as_bytes("x"), &slots), Code::not_found);
}

TEST_P(DomainsSuite, session_records_are_listed_by_id_and_replaced_all_or_none) {
  std::vector<SessionRow> rows;
  for (uint64_t i = 1; i < 6; ++i) rows.push_back({short_id(i), to_bytes(as_bytes("old"))});
  ASSERT_TRUE(index().add_pack(repository_, pack(1), std::array<BlobRow, 1>{blob(1)}, rows));
  const int64_t intake = *index().new_intake(repository_);
  ASSERT_TRUE(index().add_pack(repository_, pack(2, intake), std::array<BlobRow, 1>{blob(2)},
                               std::array<SessionRow, 1>{{{short_id(9), {}}}}));
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  const auto first = *index().sessions(repository_, {}, 3);
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(first[2].id, rows[2].id);
  EXPECT_EQ(as_text(first[0].record), "old");
  const auto rest = *index().sessions(repository_, first[2].id, 9);
  ASSERT_EQ(rest.size(), 2u);
  EXPECT_EQ(rest[1].id, rows[4].id);

  const std::array<SessionRow, 2> wrong = {
      {{rows[0].id, to_bytes(as_bytes("new"))}, {short_id(77), to_bytes(as_bytes("new"))}}};
  expect_code(index().set_sessions(repository_, wrong), Code::not_found);
  EXPECT_EQ(as_text(**index().session(repository_, 0, rows[0].id)), "old");
  ASSERT_TRUE(index().set_sessions(repository_, std::span(wrong).first(1)));
  EXPECT_EQ(as_text(**index().session(repository_, 0, rows[0].id)), "new");
  EXPECT_EQ(as_text(**index().session(repository_, 0, rows[1].id)), "old");
}

}  // namespace
}  // namespace cb::catalog
