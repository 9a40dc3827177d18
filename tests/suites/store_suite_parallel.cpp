// SPDX-License-Identifier: Apache-2.0
//
// The suite that every store passes unchanged: several threads and processes at one store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <random>
#include <set>
#include <thread>

#include "tests/crash/child.h"
#include "tests/suites/store_fixture.h"

namespace cb::test {
namespace {

using testing::ElementsAre;

TEST_P(StoreSuite, of_racing_puts_if_absent_exactly_one_wins) {
  constexpr size_t kThreads = 8;
  for (uint64_t round = 0; round < 10; ++round) {
    const std::string name = "race/" + std::to_string(round);
    std::barrier start(kThreads);
    std::atomic<uint64_t> winner = kThreads;
    std::atomic<size_t> losers = 0;
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < kThreads; ++i)
      threads.emplace_back([&, i] {
        plugin::Put put = value(store().put_begin(name, 0, true));
        EXPECT_TRUE(write_pattern(put, i, 0, 1000 + i));
        start.arrive_and_wait();
        const Status done = put.commit();
        if (done)
          winner = i;
        else if (done.error().code == Code::exists)
          ++losers;
      });
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(losers, kThreads - 1);
    EXPECT_EQ(value(read_object(store(), name)), pattern(winner, 0, 1000 + winner));
  }
  EXPECT_EQ(subject().leftovers(), 0u);
}

TEST_P(StoreSuite, racing_replacements_leave_one_whole_object) {
  constexpr uint64_t kThreads = 4;
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 10; ++round) EXPECT_TRUE(put(store(), "hot", i, 300'000 + i));
    });
  for (std::thread& thread : threads) thread.join();
  const Bytes last = value(read_object(store(), "hot"));
  const uint64_t writer = last.size() - 300'000;
  ASSERT_LT(writer, kThreads);
  EXPECT_TRUE(last == pattern(writer, 0, last.size()));
  EXPECT_EQ(subject().leftovers(), 0u);
}

TEST_P(StoreSuite, a_reader_of_a_name_that_is_replaced_all_the_time_sees_whole_objects) {
  ASSERT_OK(put(store(), "hot", 1, 400'001));
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (uint64_t seed = 2; !stop; ++seed) EXPECT_TRUE(put(store(), "hot", seed, 400'000 + seed));
  });
  for (int i = 0; i < 100; ++i) {
    const Bytes seen = value(read_object(store(), "hot"));
    const uint64_t seed = seen.size() - 400'000;
    EXPECT_TRUE(seen == pattern(seed, 0, seen.size())) << seed;
  }
  stop = true;
  writer.join();
}

// Puts, replaces and removes names that are not in the list's sight but in its way.
void make_noise(plugin::Store& store, const std::atomic<bool>& stop, uint64_t seed) {
  std::mt19937_64 random(seed);
  while (!stop) {
    const std::string name = "list/n" + std::to_string(seed) + "-" + std::to_string(random() % 40);
    if (random() % 3 == 0) {
      const Status removed = store.remove(name);
      EXPECT_TRUE(removed || removed.error().code == Code::not_found);
    } else {
      EXPECT_TRUE(put(store, name, seed, random() % 2000));
    }
  }
}

TEST_P(StoreSuite, a_list_during_writes_holds_what_existed_throughout_exactly_once) {
  std::set<std::string> stable;
  for (int i = 0; i < 400; ++i) stable.insert("list/" + std::to_string(i * 7919 % 1000));
  for (const std::string& name : stable) ASSERT_OK(put(store(), name, 1, 5));
  std::atomic<bool> stop = false;
  std::vector<std::thread> writers;
  for (uint64_t seed = 1; seed <= 2; ++seed)
    writers.emplace_back([&, seed] { make_noise(store(), stop, seed); });
  for (int round = 0; round < 30; ++round) {
    const std::vector<std::string> seen = value(names(store(), "list/"));
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_TRUE(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
    EXPECT_TRUE(std::includes(seen.begin(), seen.end(), stable.begin(), stable.end()));
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
}

TEST_P(StoreSuite, threads_put_and_read_objects_side_by_side) {
  constexpr uint64_t kThreads = 6;
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      for (uint64_t n = 0; n < 8; ++n) {
        const std::string name = "side/" + std::to_string(i) + "/" + std::to_string(n);
        EXPECT_TRUE(put(store(), name, i * 100 + n, 200'000 * n + i));
        EXPECT_TRUE(value(read_object(store(), name)) == pattern(i * 100 + n, 0, 200'000 * n + i));
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(value(names(store(), "side/")).size(), kThreads * 8);
}

TEST_P(StoreSuite, ten_thousand_objects_are_listed_and_found) {
  // In memory where possible: this is about numbers, not about the disk.
  const bool has_memory = ::access("/dev/shm", W_OK) == 0;
  const TemporaryFolder place(has_memory ? "/dev/shm" : "");
  Subject many(GetParam(), place.path());
  plugin::Store store = value(many.open());
  std::set<std::string> expected;
  std::mt19937_64 random(1);
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = to_hex(pattern(random(), 0, 8));
    expected.insert("packs/" + id);
    ASSERT_OK(put(store, "packs/" + id, 3, 40));
  }
  const std::vector<std::string> seen = value(names(store));
  ASSERT_TRUE(std::equal(seen.begin(), seen.end(), expected.begin(), expected.end()));
  const std::string middle = seen[5000];
  const std::vector<std::string> rest = value(names(store, "packs/", middle));
  EXPECT_TRUE(std::equal(rest.begin(), rest.end(), seen.begin() + 5001, seen.end()));
  EXPECT_EQ(value(read_object(store, middle)), pattern(3, 0, 40));
}

TEST_P(StoreSuite, leftovers_of_a_killed_process_are_removed_at_the_next_opening) {
  close();
  Child child(GetParam(), folder(), "leave", 5);
  std::string line;
  ASSERT_TRUE(child.read_line(line));
  ASSERT_EQ(line, "ready");
  EXPECT_GT(subject().leftovers(), 0u);
  child.kill();
  EXPECT_EQ(child.wait(), -SIGKILL);
  EXPECT_GT(subject().leftovers(), 0u);
  reopen();
  EXPECT_EQ(subject().leftovers(), 0u);
  EXPECT_THAT(value(names(store())), testing::IsEmpty());
}

// A killed process that nobody has waited for keeps its number: it is dead all the same.
TEST_P(StoreSuite, leftovers_of_a_zombie_are_removed_too) {
  close();
  Child child(GetParam(), folder(), "leave", 5);
  std::string line;
  ASSERT_TRUE(child.read_line(line));
  child.kill();
  while (child.read_line(line)) continue;
  child.wait_until_dead();
  EXPECT_GT(subject().leftovers(), 0u);
  reopen();
  EXPECT_EQ(subject().leftovers(), 0u);
}

TEST_P(StoreSuite, the_unfinished_object_of_a_living_process_survives_an_opening) {
  Child child(GetParam(), folder(), "hold", 1);
  std::string line;
  ASSERT_TRUE(child.read_line(line));
  ASSERT_EQ(line, "ready");
  close();
  reopen();
  plugin::Store second = value(subject().open());
  EXPECT_CODE(store().stat("held"), Code::not_found);
  child.poke();
  ASSERT_TRUE(child.read_line(line)) << "the commit failed";
  EXPECT_EQ(line, "done");
  EXPECT_TRUE(value(read_object(store(), "held")) == pattern(77, 0, 900'000));
  EXPECT_EQ(child.wait(), 0);
}

TEST_P(StoreSuite, the_unfinished_object_of_the_same_process_survives_an_opening) {
  plugin::Put put = value(store().put_begin("slow"));
  ASSERT_OK(write_pattern(put, 1, 0, 800'000));
  const plugin::Store second = value(subject().open());
  ASSERT_OK(write_pattern(put, 1, 800'000, 900'000));
  ASSERT_OK(put.commit());
  EXPECT_TRUE(value(read_object(store(), "slow")) == pattern(1, 0, 900'000));
}

TEST_P(StoreSuite, two_processes_put_read_and_remove_in_one_store) {
  Child child(GetParam(), folder(), "put", 1);
  for (uint64_t i = 0; i < 50; ++i) {
    const std::string name = "parent/" + std::to_string(i);
    ASSERT_OK(put(store(), name, i, 900 * i));
    if (i % 5 == 0) ASSERT_OK(store().remove(name));
    EXPECT_TRUE(names(store()));
  }
  EXPECT_EQ(child.wait(), 0);
  for (const char* who : {"child/", "parent/"}) EXPECT_EQ(value(names(store(), who)).size(), 40u);
  EXPECT_EQ(value(read_object(store(), "child/49")), pattern(49, 0, 49'000));
  EXPECT_EQ(subject().leftovers(), 0u);
}

TEST_P(StoreSuite, an_open_get_outlives_removal_by_another_process) {
  ASSERT_OK(put(store(), "child/0", 9, 2'000'000));
  plugin::Get reading = value(store().get_open("child/0"));
  Child child(GetParam(), folder(), "put", 1);
  EXPECT_EQ(child.wait(), 0);
  EXPECT_CODE(store().stat("child/0"), Code::not_found);
  EXPECT_TRUE(value(read_all(reading)) == pattern(9, 0, 2'000'000));
}

TEST_P(StoreSuite, between_processes_too_only_one_put_if_absent_wins) {
  Child child(GetParam(), folder(), "absent", 1000);
  std::set<std::string> mine;
  for (uint64_t i = 0; i < 50; ++i) {
    const Status done = put(store(), "raced/" + std::to_string(i), 2000, 1000, true);
    if (done)
      mine.insert(std::to_string(i));
    else
      EXPECT_EQ(done.error().code, Code::exists) << done.error().text();
  }
  std::set<std::string> others;
  for (std::string line; child.read_line(line);) others.insert(line.substr(4));
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(mine.size() + others.size(), 50u);
  for (const std::string& i : mine)
    EXPECT_EQ(value(read_object(store(), "raced/" + i)), pattern(2000, 0, 1000));
  for (const std::string& i : others)
    EXPECT_EQ(value(read_object(store(), "raced/" + i)), pattern(1000, 0, 1000));
}

}  // namespace
}  // namespace cb::test
