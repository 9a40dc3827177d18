// SPDX-License-Identifier: Apache-2.0
//
// Each kind of fault happens as plugins/store-fault/README.md says, and no other. One thread.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>

#include "tests/fault/faulty_store.h"
#include "tests/suites/store_fixture.h"

namespace cb::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StoreFault : public testing::TestWithParam<const char*> {
 protected:
  StoreFault() : faulty_(GetParam(), folder_.path()) {}

  plugin::Store& open(const FaultOptions& options = {}) {
    store_.reset();
    store_.emplace(value(faulty_.open(options)));
    return *store_;
  }
  plugin::Store& with(const std::string& rules, const std::string& seed = "1") {
    return open({{"rules", rules}, {"seed", seed}});
  }
  plugin::Store& store() { return *store_; }
  size_t events() { return faulty_.log().count("its call"); }

  TemporaryFolder folder_;
  FaultyStore faulty_;
  std::optional<plugin::Store> store_;
};

TEST_P(StoreFault, every_status_can_be_injected_into_every_function) {
  constexpr const char* kStatuses[] = {
      "invalid",     "not_found", "exists",  "denied",    "io",        "no_space",
      "corrupt",     "auth",      "timeout", "cancelled", "no_memory", "busy",
      "unsupported", "limit",     "closed",  "too_small", "state",     "internal"};
  std::vector<Code> seen;
  for (const char* status : kStatuses) {
    plugin::Store& all = with(std::string("any:") + status);
    const auto code = [&](const auto& result) {
      return result ? Code::invalid : result.error().code;
    };
    const Code first = code(all.stat("a"));
    EXPECT_EQ(code(all.put_begin("a")), first) << status;
    EXPECT_EQ(code(all.get_open("a")), first);
    EXPECT_EQ(code(all.remove("a")), first);
    EXPECT_EQ(code(all.list_open()), first);
    EXPECT_EQ(code(all.space()), first);
    EXPECT_THAT(all.stat("a").error().text(), HasSubstr("injected fault 7: stat of \"a\""));
    seen.push_back(first);
  }
  EXPECT_THAT(seen, testing::Each(testing::Ne(Code{})));
  EXPECT_EQ(std::set<Code>(seen.begin(), seen.end()).size(), std::size(kStatuses));
}

TEST_P(StoreFault, functions_of_handles_fail_too) {
  ASSERT_OK(put(open(), "a", 1, 1000));
  plugin::Put written = value(with("put_write:no_space@2").put_begin("b"));
  EXPECT_TRUE(written.write(pattern(1, 0, 10)));
  EXPECT_CODE(written.write(pattern(1, 10, 10)), Code::no_space);
  EXPECT_CODE(written.write(pattern(1, 10, 10)), Code::state);
  written.abort();
  EXPECT_CODE(put(with("put_commit:io"), "b", 1, 10), Code::io);
  EXPECT_CODE(read_object(with("get_read:denied"), "a"), Code::denied);
  EXPECT_CODE(names(with("list_next:timeout")), Code::timeout);
  EXPECT_THAT(value(names(open())), ElementsAre("a"));
}

TEST_P(StoreFault, rules_strike_at_the_calls_they_name) {
  const auto struck = [&](const std::string& when) {
    plugin::Store& one = with("stat:io@" + when);
    std::vector<int> calls;
    for (int call = 1; call <= 9; ++call)
      if (one.stat("a").error().code == Code::io) calls.push_back(call);
    return calls;
  };
  EXPECT_THAT(struck("3"), ElementsAre(3));
  EXPECT_THAT(struck("3-5"), ElementsAre(3, 4, 5));
  EXPECT_THAT(struck("8-"), ElementsAre(8, 9));
  EXPECT_THAT(struck("/4"), ElementsAre(4, 8));
  EXPECT_THAT(struck("0%"), IsEmpty());
  EXPECT_EQ(struck("100%").size(), 9u);
}

TEST_P(StoreFault, a_rule_counts_and_strikes_only_names_with_its_part) {
  plugin::Store& some = with("stat(/packs/):io@2");
  EXPECT_CODE(some.stat("v4/packs/a"), Code::not_found);
  EXPECT_CODE(some.stat("v4/commits/a"), Code::not_found);
  EXPECT_CODE(some.stat("v4/packs/b"), Code::io);
}

TEST_P(StoreFault, chances_follow_from_the_seed) {
  const auto course = [&](const char* seed) {
    plugin::Store& chancy = with("stat:io@20%,stat:busy@5%", seed);
    std::string told;
    for (int i = 0; i < 400; ++i) {
      const Code code = chancy.stat("a").error().code;
      told += code == Code::io ? 'i' : code == Code::busy ? 'b' : '.';
    }
    return told;
  };
  const std::string first = course("7");
  EXPECT_EQ(course("7"), first);
  EXPECT_NE(course("8"), first);
  const auto struck = std::count(first.begin(), first.end(), 'i');
  EXPECT_GT(struck, 40);
  EXPECT_LT(struck, 130);
  EXPECT_GT(std::count(first.begin(), first.end(), 'b'), 0);
}

TEST_P(StoreFault, each_fault_is_one_numbered_line_of_the_log) {
  plugin::Store& two = with("stat:io@/2");
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(two.stat("some/name"));
  EXPECT_EQ(events(), 2u) << faulty_.log().text();
  EXPECT_TRUE(faulty_.log().contains("fault 1: stat of"));
  EXPECT_TRUE(faulty_.log().contains("rule stat:io@/2, its call 4"));
}

TEST_P(StoreFault, a_torn_write_is_an_error_and_leaves_nothing) {
  EXPECT_CODE(put(with("put_write:torn@2"), "a", 1, 300'000), Code::io);
  EXPECT_THAT(value(names(store())), IsEmpty());
  EXPECT_CODE(store().stat("a"), Code::not_found);
}

TEST_P(StoreFault, a_torn_commit_leaves_a_beginning_and_is_an_error) {
  EXPECT_CODE(put(with("put_commit:torn"), "a", 1, 300'000), Code::io);
  const Bytes left = value(read_object(store(), "a"));
  EXPECT_LT(left.size(), 300'000u);
  EXPECT_TRUE(left == pattern(1, 0, left.size()));
}

TEST_P(StoreFault, unsaid_work_is_done_and_denied) {
  EXPECT_CODE(put(with("put_commit:unsaid,remove:unsaid"), "a", 1, 1000), Code::io);
  EXPECT_TRUE(value(read_object(store(), "a")) == pattern(1, 0, 1000));
  EXPECT_CODE(store().remove("a"), Code::io);
  EXPECT_CODE(store().stat("a"), Code::not_found);
}

TEST_P(StoreFault, a_lost_commit_says_ok_and_keeps_nothing) {
  ASSERT_OK(put(with("put_commit:lose@2"), "a", 1, 1000));
  ASSERT_OK(put(store(), "b", 1, 1000));
  EXPECT_THAT(value(names(store())), ElementsAre("a"));
}

TEST_P(StoreFault, flipped_reads_differ_in_one_bit) {
  ASSERT_OK(put(with("get_read:flip@1"), "a", 1, 1000));
  const Bytes read = value(read_object(store(), "a"));
  const Bytes right = pattern(1, 0, 1000);
  ASSERT_EQ(read.size(), right.size());
  int wrong = 0;
  for (size_t i = 0; i < read.size(); ++i)
    wrong += std::popcount(std::to_integer<unsigned>(read[i] ^ right[i]));
  EXPECT_EQ(wrong, 1);
  EXPECT_TRUE(value(read_object(store(), "a")) == right);
}

TEST_P(StoreFault, cut_reads_end_early_and_stay_ended) {
  ASSERT_OK(put(with("get_read:cut@2"), "a", 1, 1000));
  plugin::Get get = value(store().get_open("a"));
  EXPECT_EQ(value(read_all(get, 100)).size(), 100u);
  std::byte one{};
  EXPECT_EQ(value(get.read({&one, 1})), 0u);
}

TEST_P(StoreFault, a_delay_takes_its_time_and_then_goes_on) {
  plugin::Store& slow = with("put_commit:delay=60ms@1");
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_OK(put(slow, "a", 1, 10));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(60));
  EXPECT_THAT(value(names(slow)), ElementsAre("a"));
  plugin::Store& all = open({{"delay", "20ms"}});
  const auto again = std::chrono::steady_clock::now();
  ASSERT_OK(all.stat("a"));
  EXPECT_GE(std::chrono::steady_clock::now() - again, std::chrono::milliseconds(20));
}

TEST_P(StoreFault, a_long_delay_ends_when_the_work_is_cancelled) {
  plugin::Store& slow = with("stat:delay=10h");
  slow.instance()->cancel(true);
  EXPECT_CODE(slow.stat("a"), Code::cancelled);
}

TEST_P(StoreFault, a_budget_counts_what_is_kept) {
  plugin::Store& small = open({{"budget", "100KiB"}});
  ASSERT_OK(put(small, "a", 1, 60'000));
  const uint64_t left = value(small.space()).free;
  EXPECT_EQ(left, 102'400u - 60'000);
  EXPECT_CODE(put(small, "b", 1, 60'000), Code::no_space);  // aborted, so given back
  EXPECT_EQ(value(small.space()).free, left);
  ASSERT_OK(put(small, "b", 1, 40'000));
  ASSERT_OK(put(small, "a", 2, 2'400));  // fits beside the 60000, and frees them
  EXPECT_EQ(value(small.space()).free, 60'000u);
  ASSERT_OK(small.remove("b"));
  EXPECT_EQ(value(small.space()).free, 100'000u);
  EXPECT_TRUE(faulty_.log().contains("the budget is used up"));
}

TEST_P(StoreFault, a_crash_loses_what_is_not_committed_and_nothing_else) {
  for (int seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    plugin::Store& doomed = with("stat:crash@1", std::to_string(seed));
    const std::string mine = std::to_string(seed);
    ASSERT_OK(put(doomed, "kept/" + mine, 1, 70'000));
    plugin::Put open_put = value(doomed.put_begin("lost/" + mine));
    ASSERT_OK(write_pattern(open_put, 1, 0, 70'000));
    plugin::Get open_get = value(doomed.get_open("kept/" + mine));
    EXPECT_CODE(doomed.stat("kept/" + mine), Code::io);
    EXPECT_CODE(open_put.commit(), Code::io);
    EXPECT_CODE(read_all(open_get), Code::io);
    EXPECT_CODE(names(doomed), Code::io);
    plugin::Store& again = open();
    EXPECT_TRUE(value(read_object(again, "kept/" + mine)) == pattern(1, 0, 70'000));
    EXPECT_CODE(again.stat("lost/" + mine), Code::not_found);
  }
  EXPECT_EQ(value(names(store(), "kept/")).size(), 12u);
}

TEST_P(StoreFault, a_crash_inside_a_commit_or_removal_leaves_all_or_nothing) {
  int committed = 0;
  int removed = 0;
  for (int seed = 1; seed <= 24; ++seed) {
    const std::string name = "o/" + std::to_string(seed);
    EXPECT_CODE(put(with("put_commit:crash", std::to_string(seed)), name, 1, 5000), Code::io);
    const auto found = read_object(open(), name);
    if (found) {
      ++committed;
      EXPECT_TRUE(*found == pattern(1, 0, 5000));
    } else {
      EXPECT_EQ(found.error().code, Code::not_found);
      ASSERT_OK(put(store(), name, 1, 5000));
    }
    EXPECT_CODE(with("remove:crash", std::to_string(seed)).remove(name), Code::io);
    removed += open().stat(name) ? 0 : 1;
  }
  EXPECT_GT(committed, 4);
  EXPECT_LT(committed, 20);
  EXPECT_GT(removed, 4);
  EXPECT_LT(removed, 20);
}

TEST_P(StoreFault, a_crash_that_lies_loses_the_newest_commits) {
  plugin::Store& lying = with("stat:crash=2");
  for (const char* name : {"a", "b", "c", "d"}) ASSERT_OK(put(lying, name, 1, 10));
  EXPECT_CODE(lying.stat("a"), Code::io);
  EXPECT_THAT(value(names(open())), ElementsAre("a", "b"));
  EXPECT_TRUE(faulty_.log().contains("the crash lost"));
}

TEST_P(StoreFault, listings_lag_by_a_number_of_listings) {
  ASSERT_OK(put(open({{"list_lag", "2"}}), "old", 1, 10));
  for (int i = 0; i < 2; ++i) EXPECT_THAT(value(names(store())), IsEmpty());
  EXPECT_THAT(value(names(store())), ElementsAre("old"));
  ASSERT_OK(put(store(), "new", 1, 20));
  EXPECT_EQ(value(store().stat("new")).length, 20u);
  EXPECT_EQ(value(read_object(store(), "new")).size(), 20u);
  ASSERT_OK(store().remove("old"));
  EXPECT_CODE(store().stat("old"), Code::not_found);
  for (int i = 0; i < 2; ++i) EXPECT_THAT(value(names(store())), ElementsAre("old"));
  EXPECT_THAT(value(names(store())), ElementsAre("new"));
  EXPECT_THAT(value(names(store(), "x")), IsEmpty());
}

TEST_P(StoreFault, late_listings_stay_in_order_and_know_prefix_and_after) {
  plugin::Store& late = open();
  for (const char* name : {"a", "b/1", "b/2", "b/3", "c"}) ASSERT_OK(put(late, name, 1, 10));
  faulty_.control("lag=9\n");
  for (const char* name : {"b/1", "b/3", "c"}) ASSERT_OK(late.remove(name));
  ASSERT_OK(put(late, "b/4", 1, 10));
  ASSERT_OK(put(late, "b/3", 1, 10));
  EXPECT_THAT(value(names(late)), ElementsAre("a", "b/1", "b/2", "b/3", "c"));
  EXPECT_THAT(value(names(late, "b/", "b/1")), ElementsAre("b/2", "b/3"));
  faulty_.control("");
  EXPECT_THAT(value(names(late)), ElementsAre("a", "b/2", "b/3", "b/4"));
}

TEST_P(StoreFault, listings_lag_by_a_time) {
  plugin::Store& late = open({{"list_lag_time", "50ms"}});
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_OK(put(late, "a", 1, 10));
  bool hidden = false;
  while (value(names(late)).empty()) hidden = true;
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(50));
  EXPECT_TRUE(hidden);
}

TEST_P(StoreFault, the_control_file_switches_faults_on_and_off) {
  plugin::Store& steered = open();
  ASSERT_OK(put(steered, "a", 1, 10));
  faulty_.control("# a rehearsal\n\n  put_write:no_space  \nstat:io@2\n");
  EXPECT_CODE(put(steered, "b", 1, 10), Code::no_space);
  ASSERT_OK(steered.stat("a"));
  EXPECT_CODE(steered.stat("a"), Code::io);
  faulty_.control("stat:io@2\n");
  ASSERT_OK(put(steered, "b", 1, 10));
  ASSERT_OK(steered.stat("a"));  // counts anew
  EXPECT_CODE(steered.stat("a"), Code::io);
  std::filesystem::remove(folder_.path() / "faults");
  ASSERT_OK(put(steered, "c", 1, 10));
  EXPECT_TRUE(faulty_.log().contains("2 rules of faults are in force now"));
}

TEST_P(StoreFault, a_control_file_that_is_wrong_changes_nothing_and_is_reported) {
  plugin::Store& steered = open();
  faulty_.control("stat:io\n");
  EXPECT_CODE(steered.stat("a"), Code::io);
  faulty_.control("stat:io\nput_write:bogus\n");
  EXPECT_CODE(steered.stat("a"), Code::io);
  EXPECT_CODE(steered.stat("a"), Code::io);
  EXPECT_EQ(faulty_.log().count("line 2"), 1u) << faulty_.log().text();
  EXPECT_TRUE(faulty_.log().contains("there is no fault"));
  faulty_.control("");
  EXPECT_CODE(steered.stat("a"), Code::not_found);
}

TEST_P(StoreFault, the_control_file_takes_the_store_down_and_up_again) {
  plugin::Store& steered = open();
  ASSERT_OK(put(steered, "a", 1, 10));
  ASSERT_OK(put(steered, "b", 1, 10));
  faulty_.control("crash=1\n");
  EXPECT_CODE(steered.stat("a"), Code::io);
  EXPECT_CODE(put(steered, "c", 1, 10), Code::io);
  faulty_.control("");
  EXPECT_THAT(value(names(steered)), ElementsAre("a"));
  faulty_.control("stat:crash\n");
  EXPECT_CODE(steered.stat("a"), Code::io);
  faulty_.control("");
  EXPECT_CODE(names(steered), Code::io);
  faulty_.control("recover\n");
  EXPECT_THAT(value(names(steered)), ElementsAre("a"));
}

TEST_P(StoreFault, a_budget_of_the_control_file_counts_from_then_on) {
  plugin::Store& steered = open();
  ASSERT_OK(put(steered, "a", 1, 50'000));
  faulty_.control("budget=0\n");
  EXPECT_EQ(value(steered.space()).free, 0u);
  EXPECT_CODE(put(steered, "b", 1, 1), Code::no_space);
  ASSERT_OK(steered.remove("a"));
  ASSERT_OK(put(steered, "b", 1, 50'000));
  faulty_.control("");
  ASSERT_OK(put(steered, "c", 1, 500'000));
}

TEST_P(StoreFault, rules_that_make_no_sense_are_refused_and_quoted) {
  for (const char* rule : {"bogus:io",
                           "stat:bogus",
                           "stat",
                           "stat:io@0",
                           "stat:io@x",
                           "stat:io@5-x",
                           "stat:io@200%",
                           "stat:io=5",
                           "stat:delay",
                           "stat:delay=5",
                           "stat:torn",
                           "get:flip",
                           "get_read:lose",
                           "stat(a:io",
                           "put_commit:crash=-1",
                           "budget",
                           "budget=1TB",
                           "lag=",
                           "recover=1",
                           "@7",
                           "stat:io@1-2-3",
                           "put_write:no_space@99999999999999999999"}) {
    const auto refused = faulty_.open({{"rules", rule}});
    ASSERT_FALSE(refused) << rule;
    EXPECT_EQ(refused.error().code, Code::invalid) << refused.error().text();
    EXPECT_THAT(refused.error().text(), HasSubstr(rule));
  }
}

INSTANTIATE_TEST_SUITE_P(stores, StoreFault, testing::Values("store-fs", "store-sqlite"),
                         test_name);

}  // namespace
}  // namespace cb::test
