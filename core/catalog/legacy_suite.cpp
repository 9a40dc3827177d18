// SPDX-License-Identifier: Apache-2.0
//
// What a Catalog promises about the way of v3 clients out of protocol 3.
#include <algorithm>
#include <thread>
#include <vector>

#include "core/catalog/catalog_suite.h"

namespace cb::catalog {
namespace {

constexpr int64_t kNow = 1'800'000'000'000'000'000;

LegacyUse make_use(const std::string& address, int64_t when_ns) {
  return {"office", address, when_ns, when_ns, 1, 0, 0};
}

TEST_P(CatalogSuite, a_client_about_which_nothing_was_decided_has_the_defaults) {
  const LegacyClient alice = make_client("alice", 1);
  ASSERT_TRUE(catalog_->add_client(alice));
  const auto policy = catalog_->legacy_policy(alice.id);
  ASSERT_TRUE(policy);
  EXPECT_EQ(*policy, LegacyPolicy{});
  EXPECT_EQ(policy->min_version, 3);
  EXPECT_FALSE(policy->ratchet);
}

TEST_P(CatalogSuite, a_policy_comes_back_as_it_was_changed_and_for_its_client_alone) {
  const LegacyClient alice = make_client("alice", 1);
  const LegacyClient bob = make_client("bob", 2);
  ASSERT_TRUE(catalog_->add_client(alice));
  ASSERT_TRUE(catalog_->add_client(bob));
  const LegacyPolicy all{4, false, 1, 2, 3, true, 4, 5};
  ASSERT_TRUE(
      catalog_->change_legacy_policy(alice.id, [&](LegacyPolicy& policy) { policy = all; }));
  reopen();
  EXPECT_EQ(*catalog_->legacy_policy(alice.id), all);
  EXPECT_EQ(*catalog_->legacy_policy(bob.id), LegacyPolicy{});
  ASSERT_TRUE(catalog_->change_legacy_policy(alice.id, [](LegacyPolicy& policy) {
    EXPECT_EQ(policy.ended_ns, 1);
    policy.ratchet.reset();
    policy.lifted_until_ns = 77;
  }));
  LegacyPolicy changed = all;
  changed.ratchet.reset();
  changed.lifted_until_ns = 77;
  EXPECT_EQ(*catalog_->legacy_policy(alice.id), changed);
}

TEST_P(CatalogSuite, an_unknown_client_has_no_policy_and_no_use) {
  const ClientId nobody = make_client("nobody", 9).id;
  EXPECT_EQ(catalog_->legacy_policy(nobody).error().code, Code::not_found);
  EXPECT_EQ(catalog_->change_legacy_policy(nobody, [](LegacyPolicy&) {}).error().code,
            Code::not_found);
  EXPECT_EQ(catalog_->note_legacy_use(nobody, make_use("192.0.2.1", 1)).error().code,
            Code::not_found);
  EXPECT_EQ(catalog_->take_over_legacy(nobody, 1).error().code, Code::not_found);
  EXPECT_TRUE(catalog_->legacy_uses(nobody)->empty());
}

TEST_P(CatalogSuite, of_many_who_change_a_policy_at_once_no_change_is_lost) {
  const LegacyClient alice = make_client("alice", 1);
  ASSERT_TRUE(catalog_->add_client(alice));
  constexpr int kThreads = 4;
  constexpr int kEach = 25;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, mine = second()] {
      for (int i = 0; i < kEach; ++i)
        EXPECT_TRUE(
            mine->change_legacy_policy(alice.id, [](LegacyPolicy& policy) { ++policy.ended_ns; }));
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(catalog_->legacy_policy(alice.id)->ended_ns, kThreads * kEach);
}

TEST_P(CatalogSuite, uses_of_one_listener_and_address_add_up) {
  const LegacyClient alice = make_client("alice", 1);
  ASSERT_TRUE(catalog_->add_client(alice));
  ASSERT_TRUE(catalog_->note_legacy_use(alice.id, make_use("192.0.2.1", 20)));
  ASSERT_TRUE(catalog_->note_legacy_use(alice.id, {"office", "192.0.2.1", 30, 30, 0, 1, 4'000}));
  ASSERT_TRUE(catalog_->note_legacy_use(alice.id, make_use("192.0.2.1", 10)));
  ASSERT_TRUE(catalog_->note_legacy_use(alice.id, make_use("192.0.2.2", 40)));
  ASSERT_TRUE(catalog_->note_legacy_use(alice.id, {"attic", "192.0.2.1", 50, 50, 1, 0, 0}));
  reopen();
  const std::vector<LegacyUse> expected = {{"attic", "192.0.2.1", 50, 50, 1, 0, 0},
                                           {"office", "192.0.2.1", 10, 30, 2, 1, 4'000},
                                           {"office", "192.0.2.2", 40, 40, 1, 0, 0}};
  EXPECT_EQ(*catalog_->legacy_uses(alice.id), expected);
}

TEST_P(CatalogSuite, the_newest_addresses_of_a_listener_are_kept_and_the_others_still_count) {
  const LegacyClient alice = make_client("alice", 1);
  ASSERT_TRUE(catalog_->add_client(alice));
  constexpr int kMore = 3;
  for (int i = 0; i < kLegacyAddresses + kMore; ++i)
    ASSERT_TRUE(catalog_->note_legacy_use(
        alice.id, {"office", "192.0.2." + std::to_string(i), 100 + i, 100 + i, 1, 1, 10}));
  ASSERT_TRUE(catalog_->note_legacy_use(alice.id, {"attic", "192.0.2.0", 1, 1, 1, 0, 0}));
  const auto uses = *catalog_->legacy_uses(alice.id);
  ASSERT_EQ(uses.size(), kLegacyAddresses + 2u);
  EXPECT_EQ(uses[0].listener, "attic");
  EXPECT_EQ(uses[1], (LegacyUse{"office", "", 100, 100 + kMore - 1, 3, 3, 30}));
  EXPECT_TRUE(std::none_of(uses.begin() + 2, uses.end(),
                           [](const LegacyUse& use) { return use.last_ns < 100 + kMore; }));
}

TEST_P(CatalogSuite, what_is_taken_over_keeps_its_versions_and_loses_its_keys) {
  const LegacyClient alice = make_client("alice", 1);
  const LegacyClient bob = make_client("bob", 2);
  for (const LegacyClient& client : {alice, bob}) {
    ASSERT_TRUE(catalog_->add_client(client));
    ASSERT_TRUE(catalog_->add_version(make_version(client, "f", 1)));
    ASSERT_TRUE(catalog_->add_legacy_repository(client.id, {Bytes(1), Bytes(1)}));
  }
  ASSERT_TRUE(catalog_->take_over_legacy(alice.id, kNow));
  reopen();
  EXPECT_FALSE(*catalog_->legacy_repository(alice.id));
  EXPECT_EQ(catalog_->legacy_policy(alice.id)->migrated_ns, kNow);
  const auto versions = *catalog_->versions(alice.id);
  ASSERT_EQ(versions.size(), 1u);
  EXPECT_TRUE(versions[0].taken_over);
  EXPECT_FALSE(*catalog_->newest_version(alice.id));
  EXPECT_TRUE(*catalog_->legacy_repository(bob.id));
  EXPECT_FALSE(catalog_->versions(bob.id)->front().taken_over);
  EXPECT_EQ(catalog_->legacy_policy(bob.id)->migrated_ns, 0);
}

TEST_P(CatalogSuite, what_comes_after_a_take_over_counts_on_and_is_not_taken_over_with_it) {
  const LegacyClient alice = make_client("alice", 1);
  ASSERT_TRUE(catalog_->add_client(alice));
  ASSERT_TRUE(catalog_->add_version(make_version(alice, "f", 1)));
  ASSERT_TRUE(catalog_->add_legacy_repository(alice.id, {Bytes(1), Bytes(1)}));
  ASSERT_TRUE(catalog_->take_over_legacy(alice.id, kNow));
  // Another repository: its commits count from 1 again, versions of a file do not.
  ASSERT_TRUE(catalog_->add_legacy_repository(alice.id, {Bytes(2), Bytes(2)}));
  EXPECT_EQ(catalog_->add_version(make_version(alice, "f", 1)).value_or(0), 2u);
  ASSERT_TRUE(catalog_->take_over_legacy(alice.id, kNow + 1));
  EXPECT_EQ(catalog_->legacy_policy(alice.id)->migrated_ns, kNow);
  EXPECT_EQ((*catalog_->legacy_repository(alice.id))->record.size(), 2u);
  const auto newest = *catalog_->newest_version(alice.id);
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->version, 2u);
  EXPECT_FALSE(newest->taken_over);
}

}  // namespace
}  // namespace cb::catalog
