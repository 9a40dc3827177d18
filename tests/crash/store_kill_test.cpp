// SPDX-License-Identifier: Apache-2.0
//
// Kills a process at random moments while several of its threads put, replace, abort and remove
// objects, opens the store again and looks: every object is whole or absent, what was acknowledged
// is there, and nothing else is left. One thread.
//
// CB_KILL_ROUNDS (default 60) and CB_KILL_SEED set length and course.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <random>

#include "tests/crash/churn_watch.h"
#include "tests/suites/store_fixture.h"

namespace cb::test {
namespace {

class StoreKill : public testing::TestWithParam<const char*> {
 protected:
  // Runs a child until it told `lines` lines and then for some microseconds, and kills it.
  void churn_and_kill(uint64_t seed, uint64_t lines, std::chrono::microseconds then) {
    Child child(GetParam(), folder_.path(), "churn", seed);
    ASSERT_TRUE(watch_.hear(child, lines + 1)) << "the child ended by itself";
    const auto end = std::chrono::steady_clock::now() + then;
    while (std::chrono::steady_clock::now() < end) continue;
    child.kill();
    EXPECT_EQ(child.wait(), -SIGKILL);
    watch_.hear_rest(child);
  }

  TemporaryFolder folder_;
  ChurnWatch watch_;
};

TEST_P(StoreKill, every_object_is_whole_or_absent_after_a_kill_at_any_moment) {
  const uint64_t rounds = number_of("CB_KILL_ROUNDS", 60);
  const uint64_t seed = number_of("CB_KILL_SEED", std::random_device{}());
  SCOPED_TRACE("CB_KILL_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  Subject subject(GetParam(), folder_.path());
  for (uint64_t round = 0; round < rounds && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    churn_and_kill(round + 1, random() % 60, std::chrono::microseconds(random() % 4000));
    plugin::Store store = value(subject.open());
    EXPECT_EQ(subject.leftovers(), 0u);
    EXPECT_EQ(watch_.look(store), "");
  }
  std::printf("%s: %llu rounds, %llu acknowledged commits, seed %llu\n", GetParam(),
              static_cast<unsigned long long>(rounds),
              static_cast<unsigned long long>(watch_.acknowledged()),
              static_cast<unsigned long long>(seed));
  EXPECT_GT(watch_.acknowledged(), rounds);
}

INSTANTIATE_TEST_SUITE_P(stores, StoreKill, testing::Values("store-fs", "store-sqlite"), test_name);

}  // namespace
}  // namespace cb::test
