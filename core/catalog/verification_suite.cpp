// SPDX-License-Identifier: Apache-2.0
//
// What a Catalog promises about verification.
#include "core/catalog/index_suite.h"

namespace cb::catalog {
namespace {

using Numbers = std::vector<uint64_t>;

TEST_P(VerificationSuite, packs_come_oldest_first_and_those_found_good_not_again) {
  Verification& v = verification();
  ASSERT_TRUE(v.set_verified(number_of(1), false, 30));
  ASSERT_TRUE(v.set_verified(number_of(2), false, 10));
  EXPECT_EQ(named(*v.old_packs(repository_, 100, {}, 9)), (Numbers{3, 2, 1}));
  EXPECT_EQ(named(*v.old_packs(repository_, 30, {}, 9)), (Numbers{3, 2}));
  const auto first = *v.old_packs(repository_, 100, {}, 1);
  EXPECT_EQ(named(*v.old_packs(repository_, 100, first[0], 9)), (Numbers{2, 1}));
  EXPECT_EQ(v.due(repository_, 30)->packs, 2U);
  EXPECT_EQ(v.due(repository_, 30)->bytes, pack(2).size + pack(3).size);
  const VerifiedPack newest = (*v.old_packs(repository_, 100, {}, 9))[2];
  EXPECT_EQ(newest.verified_ns, 30);
  EXPECT_EQ(newest.size, pack(1).size);
  EXPECT_EQ(newest.digest, pack(1).digest);
}

TEST_P(VerificationSuite, a_bad_pack_is_due_until_it_is_found_good) {
  Verification& v = verification();
  for (const uint64_t number : {1, 2, 3}) ASSERT_TRUE(v.set_verified(number_of(number), false, 90));
  ASSERT_TRUE(v.set_verified(number_of(2), true, 95));
  EXPECT_EQ(named(*v.bad_packs(repository_, 0, 9)), (Numbers{2}));
  EXPECT_TRUE(v.bad_packs(repository_, number_of(2), 9)->empty());
  EXPECT_EQ(named(*v.old_packs(repository_, 100, {}, 9)), (Numbers{1, 3}));
  EXPECT_EQ(v.due(repository_, 50)->packs, 1U);
  EXPECT_EQ((*v.bad_packs(repository_, 0, 9))[0].verified_ns, 90);
  ASSERT_TRUE(v.set_verified(number_of(2), false, 99));
  EXPECT_TRUE(v.bad_packs(repository_, 0, 9)->empty());
}

TEST_P(VerificationSuite, private_packs_are_not_looked_at) {
  const int64_t owner = *index().new_intake(repository_);
  ASSERT_TRUE(index().add_pack(repository_, pack(4, owner), std::array<BlobRow, 1>{blob(4)}, {}));
  EXPECT_EQ(verification().all_packs(repository_, 0, 99)->size(), 3U);
  EXPECT_EQ(verification().due(repository_, 100)->packs, 3U);
}

TEST_P(VerificationSuite, the_blobs_of_a_pack_come_with_what_is_known_of_them) {
  put(5, mine_, {blob(7), blob(8, {7})});
  const auto packs = *verification().all_packs(repository_, number_of(3), 9);
  ASSERT_EQ(packs.size(), 1U);
  want(mine_, 7);
  condemn(mine_, 7);
  const auto blobs = *verification().blobs(packs[0].number);
  ASSERT_EQ(blobs.size(), 2U);
  EXPECT_EQ(blobs[0].blob.id, id_of(7));
  EXPECT_EQ(blobs[0].domain, mine_);
  EXPECT_TRUE(blobs[0].is_condemned);
  EXPECT_TRUE(blobs[0].is_wanted);
  EXPECT_EQ(blobs[1].blob.children, blob(8, {7}).children);
  EXPECT_EQ(blobs[1].blob.offset, blob(8).offset);
  EXPECT_FALSE(blobs[1].is_condemned);
  EXPECT_FALSE(blobs[1].is_wanted);
}

TEST_P(VerificationSuite, what_is_wanted_is_so_from_the_condemning_until_it_is_sent_again) {
  want(kOpenDomain, 1);
  EXPECT_EQ(wanted({}), 0U);
  condemn(kOpenDomain, 1);
  reopen();
  EXPECT_EQ(wanted({}), 1U);
  EXPECT_EQ(wanted({mine_}), 1U);
  EXPECT_EQ(verification().wanted(repository_, {}, {}, 9)->at(0).kind, 1);
  EXPECT_EQ(verification().wanted(repository_, {}, {}, 9)->at(0).since_ns, 50);
  put(4, kOpenDomain, {blob(1)});
  EXPECT_EQ(wanted({}), 0U);
  EXPECT_EQ(*verification().drop_settled(repository_), 1U);
  condemn(kOpenDomain, 1);  // for another reason
  EXPECT_EQ(wanted({}), 0U);
}

TEST_P(VerificationSuite, what_turns_out_to_be_whole_is_missing_no_more) {
  const std::array<Bytes32, 2> ids = {id_of(1), id_of(2)};
  want(kOpenDomain, 1);
  condemn(kOpenDomain, 1);
  condemn(kOpenDomain, 2);  // for another reason
  EXPECT_EQ(*verification().absolve(repository_, kOpenDomain, ids), 1U);
  EXPECT_TRUE(sees({}, 1));
  EXPECT_FALSE(sees({}, 2));
  EXPECT_EQ(*verification().drop_settled(repository_), 0U);
}

TEST_P(VerificationSuite, each_device_is_asked_for_what_it_lacks_itself) {
  put(4, mine_, {blob(10)});
  put(5, theirs_, {blob(10), blob(2)});
  want(mine_, 10);
  condemn(mine_, 10);
  want(kOpenDomain, 2);
  condemn(kOpenDomain, 2);
  EXPECT_EQ(wanted({mine_}), 2U);    // its own 10, and 2 that it leant on
  EXPECT_EQ(wanted({theirs_}), 0U);  // has both
  EXPECT_EQ(wanted({}), 1U);         // 2
  EXPECT_EQ(wanted({kOpenDomain, true}), 2U);
  put(6, mine_, {blob(2)});
  EXPECT_EQ(wanted({mine_}), 1U);
}

TEST_P(VerificationSuite, what_is_wanted_comes_in_pages_and_only_what_is_there) {
  want(mine_, 1);  // no such copy
  for (const uint64_t number : {1, 2, 3}) {
    want(kOpenDomain, number);
    condemn(kOpenDomain, number);
  }
  const auto first = *verification().wanted(repository_, {}, {}, 2);
  ASSERT_EQ(first.size(), 2U);
  const auto second = *verification().wanted(repository_, {}, first[1].id, 2);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_LT(first[0].id, first[1].id);
  EXPECT_LT(first[1].id, second[0].id);
}

}  // namespace
}  // namespace cb::catalog
