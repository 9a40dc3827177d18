// SPDX-License-Identifier: Apache-2.0
//
// The suite that every store passes unchanged: what a single user of a store sees.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "core/plugin/instance.h"
#include "tests/suites/store_fixture.h"

namespace cb::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_P(StoreSuite, put_objects_come_back_byte_for_byte) {
  const std::vector<uint64_t> sizes = {1,      7,      4096,   65535,  65536,    65537,
                                       262143, 262144, 262145, 524288, 3'145'735};
  for (const uint64_t size : sizes) {
    const std::string name = "packs/size-" + std::to_string(size);
    ASSERT_OK(put(store(), name, size, size));
    EXPECT_EQ(value(read_object(store(), name)), pattern(size, 0, size)) << name;
    const plugin::StoredObject seen = value(store().stat(name));
    EXPECT_EQ(seen.name, name);
    EXPECT_EQ(seen.length, size);
  }
}

TEST_P(StoreSuite, objects_tell_when_they_were_stored) {
  const int64_t before = os::system_clock().wall().count();
  ASSERT_OK(put(store(), "timed", 1, 10));
  const int64_t after = os::system_clock().wall().count();
  const int64_t second = 1'000'000'000;
  EXPECT_GE(value(store().stat("timed")).modified_ns, before - second);
  EXPECT_LE(value(store().stat("timed")).modified_ns, after + second);
}

TEST_P(StoreSuite, an_object_may_be_empty) {
  ASSERT_OK(put(store(), "empty", 1, 0));
  EXPECT_EQ(value(store().stat("empty")).length, 0u);
  EXPECT_THAT(value(read_object(store(), "empty")), IsEmpty());
  EXPECT_THAT(value(names(store())), ElementsAre("empty"));
  EXPECT_CODE(store().get_open("empty", 0, 1), Code::limit);
}

TEST_P(StoreSuite, ranges_deliver_exactly_their_bytes) {
  constexpr uint64_t kSize = 1'000'003;
  ASSERT_OK(put(store(), "ranged", 5, kSize));
  std::mt19937_64 random(20240607);
  for (int i = 0; i < 200; ++i) {
    const uint64_t offset = random() % kSize;
    const uint64_t length = 1 + random() % std::min<uint64_t>(kSize - offset, 400'000);
    EXPECT_TRUE(value(read_object(store(), "ranged", offset, length)) == pattern(5, offset, length))
        << offset << '+' << length;
  }
  EXPECT_TRUE(value(read_object(store(), "ranged", 999'999)) == pattern(5, 999'999, 4));
  EXPECT_THAT(value(read_object(store(), "ranged", kSize)), IsEmpty());
}

TEST_P(StoreSuite, a_range_past_the_end_is_refused_before_any_byte) {
  ASSERT_OK(put(store(), "short", 1, 1000));
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  const std::vector<std::pair<uint64_t, uint64_t>> ranges = {{1001, 0},  {1000, 1},     {0, 1001},
                                                             {999, 2},   {kMost, 0},    {kMost, 2},
                                                             {1, kMost}, {kMost, kMost}};
  for (const auto& [offset, length] : ranges) {
    const auto opened = store().get_open("short", offset, length);
    ASSERT_FALSE(opened) << offset << '+' << length;
    EXPECT_EQ(opened.error().code, Code::limit);
    EXPECT_EQ(opened.error().retry, Retry::no);
  }
}

TEST_P(StoreSuite, a_read_may_take_any_room) {
  ASSERT_OK(put(store(), "steps", 9, 300'000));
  for (const size_t step : {size_t{1777}, size_t{65536}, size_t{262144}, size_t{1'000'000}}) {
    plugin::Get get = value(store().get_open("steps"));
    EXPECT_TRUE(value(read_all(get, step)) == pattern(9, 0, 300'000)) << step;
    std::byte one{};
    EXPECT_EQ(value(get.read({&one, 1})), 0u);
  }
}

TEST_P(StoreSuite, what_does_not_exist_is_not_found_and_named) {
  EXPECT_CODE(store().stat("nothing/here"), Code::not_found);
  EXPECT_CODE(store().get_open("nothing/here"), Code::not_found);
  EXPECT_CODE(store().remove("nothing/here"), Code::not_found);
  EXPECT_THAT(store().stat("nothing/here").error().text(), testing::HasSubstr("nothing/here"));
}

TEST_P(StoreSuite, an_aborted_put_leaves_nothing) {
  {
    plugin::Put put = value(store().put_begin("gone"));
    ASSERT_OK(write_pattern(put, 1, 0, 1'500'000));
    put.abort();
  }
  { const plugin::Put never_written = value(store().put_begin("gone")); }
  EXPECT_CODE(store().stat("gone"), Code::not_found);
  EXPECT_THAT(value(names(store())), IsEmpty());
  EXPECT_EQ(subject().leftovers(), 0u);
}

TEST_P(StoreSuite, an_object_is_invisible_before_commit) {
  plugin::Put put = value(store().put_begin("later"));
  ASSERT_OK(write_pattern(put, 1, 0, 1'000'000));
  EXPECT_CODE(store().stat("later"), Code::not_found);
  EXPECT_CODE(store().get_open("later"), Code::not_found);
  EXPECT_CODE(store().remove("later"), Code::not_found);
  EXPECT_THAT(value(names(store())), IsEmpty());
  ASSERT_OK(put.commit());
  EXPECT_EQ(value(store().stat("later")).length, 1'000'000u);
  EXPECT_THAT(value(names(store())), ElementsAre("later"));
}

TEST_P(StoreSuite, a_put_replaces_the_object_of_its_name) {
  ASSERT_OK(put(store(), "twice", 1, 600'000));
  ASSERT_OK(put(store(), "twice", 2, 100));
  EXPECT_EQ(value(read_object(store(), "twice")), pattern(2, 0, 100));
  EXPECT_THAT(value(names(store())), ElementsAre("twice"));
  EXPECT_EQ(subject().leftovers(), 0u);
}

TEST_P(StoreSuite, a_replacing_put_is_invisible_before_commit) {
  ASSERT_OK(put(store(), "twice", 1, 600'000));
  plugin::Put next = value(store().put_begin("twice"));
  ASSERT_OK(write_pattern(next, 2, 0, 700'000));
  EXPECT_EQ(value(store().stat("twice")).length, 600'000u);
  next.abort();
  EXPECT_TRUE(value(read_object(store(), "twice")) == pattern(1, 0, 600'000));
}

TEST_P(StoreSuite, an_open_get_outlives_replacement_and_removal) {
  ASSERT_OK(put(store(), "read", 1, 2'000'000));
  plugin::Get first = value(store().get_open("read"));
  ASSERT_OK(put(store(), "read", 2, 1'000'000));
  plugin::Get second = value(store().get_open("read"));
  ASSERT_OK(store().remove("read"));
  EXPECT_TRUE(value(read_all(first)) == pattern(1, 0, 2'000'000));
  EXPECT_TRUE(value(read_all(second)) == pattern(2, 0, 1'000'000));
  EXPECT_CODE(store().get_open("read"), Code::not_found);
}

TEST_P(StoreSuite, what_was_read_until_its_removal_is_cleaned_up_afterwards) {
  ASSERT_OK(put(store(), "read", 1, 2'000'000));
  {
    const plugin::Get reading = value(store().get_open("read"));
    ASSERT_OK(store().remove("read"));
  }
  ASSERT_OK(put(store(), "other", 2, 10));
  EXPECT_EQ(subject().leftovers(), 0u);
}

TEST_P(StoreSuite, if_absent_is_decided_at_commit) {
  plugin::Put early = value(store().put_begin("once", 0, true));
  ASSERT_OK(write_pattern(early, 1, 0, 500'000));
  ASSERT_OK(put(store(), "once", 2, 300, true));
  EXPECT_CODE(early.commit(), Code::exists);
  EXPECT_CODE(put(store(), "once", 3, 5, true), Code::exists);
  EXPECT_EQ(value(read_object(store(), "once")), pattern(2, 0, 300));
  EXPECT_EQ(subject().leftovers(), 0u);
  ASSERT_OK(store().remove("once"));
  ASSERT_OK(put(store(), "once", 4, 20, true));
}

TEST_P(StoreSuite, a_removed_object_is_gone_and_its_neighbours_stay) {
  for (const char* name : {"a", "a/b", "a/b/c", "ab"}) ASSERT_OK(put(store(), name, 1, 300'000));
  ASSERT_OK(store().remove("a/b"));
  EXPECT_CODE(store().stat("a/b"), Code::not_found);
  EXPECT_CODE(store().remove("a/b"), Code::not_found);
  EXPECT_THAT(value(names(store())), ElementsAre("a", "a/b/c", "ab"));
  EXPECT_EQ(subject().leftovers(), 0u);
  ASSERT_OK(put(store(), "a/b", 2, 5));
  EXPECT_EQ(value(read_object(store(), "a/b")), pattern(2, 0, 5));
}

// Names that sort, nest and look alike in nasty ways, and random ones of few letters.
std::set<std::string> tricky_names() {
  std::set<std::string> made = {
      "a",   "a/b",  "a-b",  "a.b",   "a0",   "a_",   "aa",   "ab",    "ab/",   "ab/c",
      "ab-", "ab.c", "abc",  "abc/d", "abcd", "..a",  ".a",   "...",   "-",     "_",
      "0",   "z",    "zz/z", "a/b/c", "a/b",  "a/bb", "a/b-", "a/b.c", "a/..a", "a/b/c/d/e/f"};
  made.erase("ab/");
  made.insert(std::string(CB_STORE_NAME_MAX, 'x'));
  std::string deep = "d";
  while (deep.size() + 2 <= CB_STORE_NAME_MAX) deep += "/d";
  made.insert(deep);
  std::mt19937 random(7);
  constexpr std::string_view kBytes = "ab-._/0z";
  while (made.size() < 300) {
    std::string name;
    const size_t length = 1 + random() % 7;
    while (name.size() < length) name += kBytes[random() % kBytes.size()];
    if (plugin::is_store_name(name)) made.insert(name);
  }
  return made;
}

std::vector<std::string> expected_of(const std::set<std::string>& all, const std::string& prefix,
                                     const std::string& after) {
  std::vector<std::string> wanted;
  for (const std::string& name : all)
    if (name.starts_with(prefix) && name > after) wanted.push_back(name);
  return wanted;
}

TEST_P(StoreSuite, lists_come_in_byte_order_with_prefix_and_after) {
  const std::set<std::string> all = tricky_names();
  uint64_t seed = 0;
  for (const std::string& name : all) {
    ++seed;
    ASSERT_OK(put(store(), name, seed, 1 + seed % 5));
  }
  EXPECT_EQ(value(names(store())), expected_of(all, "", ""));
  std::vector<std::string> points = {"",  "a", "a/", "ab", "a/b/", "d/d/", "zz", "zzz",
                                     "-", ".", "x",  "0",  "a-",   "aa",   "q",  "a/b"};
  for (const std::string& prefix : points)
    for (const std::string& after : points)
      EXPECT_EQ(value(names(store(), prefix, after)), expected_of(all, prefix, after))
          << "prefix '" << prefix << "' after '" << after << "'";
  for (const std::string& after : all)
    ASSERT_EQ(value(names(store(), "a", after)), expected_of(all, "a", after)) << after;
}

TEST_P(StoreSuite, each_name_holds_its_own_object) {
  const std::set<std::string> all = tricky_names();
  uint64_t seed = 0;
  for (const std::string& name : all) {
    ++seed;
    ASSERT_OK(put(store(), name, seed, 100));
  }
  seed = 0;
  for (const std::string& name : all) {
    ++seed;
    ASSERT_EQ(value(read_object(store(), name)), pattern(seed, 0, 100)) << name;
  }
}

TEST_P(StoreSuite, a_list_tells_length_and_time_as_stat_does) {
  ASSERT_OK(put(store(), "p/one", 1, 11));
  ASSERT_OK(put(store(), "p/two", 1, 300'000));
  plugin::List list = value(store().list_open("p/"));
  for (const char* name : {"p/one", "p/two"}) {
    const auto listed = value(list.next());
    ASSERT_TRUE(listed.has_value());
    const plugin::StoredObject seen = value(store().stat(name));
    EXPECT_EQ(listed->name, seen.name);
    EXPECT_EQ(listed->length, seen.length);
    EXPECT_EQ(listed->modified_ns, seen.modified_ns);
  }
  EXPECT_FALSE(value(list.next()).has_value());
  EXPECT_FALSE(value(list.next()).has_value());
}

// Goes past the host's own check of names: the plugin must have one.
TEST_P(StoreSuite, the_plugin_itself_refuses_hostile_names) {
  const std::vector<std::string> hostile = {"",
                                            "/",
                                            "/a",
                                            "a/",
                                            "a//b",
                                            ".",
                                            "..",
                                            "../x",
                                            "a/../b",
                                            "a/./b",
                                            "a/..",
                                            "A",
                                            "a b",
                                            "a\\b",
                                            "a\nb",
                                            "a\xff",
                                            "a,b",
                                            "a=b",
                                            "a*",
                                            "%2e",
                                            "./a",
                                            "a/.",
                                            std::string(CB_STORE_NAME_MAX + 1, 'a'),
                                            "../../../etc/passwd"};
  plugin::Instance& instance = *store().instance();
  const auto& ops = instance.ops<cb_store_ops>();
  for (const std::string& name : hostile) {
    cb_put* put = nullptr;
    cb_get* get = nullptr;
    cb_object object{};
    object.size = sizeof object;
    EXPECT_EQ(ops.put_begin(instance.handle(), name.c_str(), 0, 0, &put, nullptr), CB_E_INVALID)
        << name;
    EXPECT_EQ(ops.get_open(instance.handle(), name.c_str(), 0, 0, &get, nullptr), CB_E_INVALID);
    EXPECT_EQ(ops.stat(instance.handle(), name.c_str(), &object, nullptr), CB_E_INVALID);
    EXPECT_EQ(ops.remove(instance.handle(), name.c_str(), nullptr), CB_E_INVALID);
    EXPECT_EQ(put, nullptr);
    EXPECT_EQ(get, nullptr);
    EXPECT_FALSE(store().put_begin(name));
  }
}

TEST_P(StoreSuite, several_puts_may_be_open_at_once) {
  constexpr uint64_t kPuts = 7;
  std::vector<plugin::Put> puts;
  for (uint64_t i = 0; i < kPuts; ++i)
    puts.push_back(value(store().put_begin("open/" + std::to_string(i))));
  constexpr uint64_t kStep = 77'777;
  for (uint64_t step = 0; step < 9; ++step)
    for (uint64_t i = 0; i < kPuts; ++i)
      ASSERT_OK(write_pattern(puts[i], i, step * kStep, (step + 1) * kStep));
  puts[3].abort();
  for (const uint64_t i : {6u, 0u, 5u, 1u, 4u, 2u}) ASSERT_OK(puts[i].commit());
  for (const uint64_t i : {0u, 1u, 2u, 4u, 5u, 6u})
    EXPECT_TRUE(value(read_object(store(), "open/" + std::to_string(i))) ==
                pattern(i, 0, 9 * kStep));
  EXPECT_CODE(store().stat("open/3"), Code::not_found);
  EXPECT_EQ(subject().leftovers(), 0u);
}

TEST_P(StoreSuite, objects_are_there_after_closing_and_opening_again) {
  ASSERT_OK(put(store(), "kept/one", 1, 700'000));
  ASSERT_OK(put(store(), "kept/two", 2, 3));
  close();
  reopen();
  EXPECT_THAT(value(names(store())), ElementsAre("kept/one", "kept/two"));
  EXPECT_TRUE(value(read_object(store(), "kept/one")) == pattern(1, 0, 700'000));
  EXPECT_EQ(subject().leftovers(), 0u);
}

TEST_P(StoreSuite, space_is_told) {
  const plugin::StoreSpace space = value(store().space());
  EXPECT_GT(space.total, 0u);
  EXPECT_GT(space.free, 0u);
  EXPECT_LE(space.free, space.total);
}

TEST_P(StoreSuite, it_claims_what_the_suite_proves) {
  const uint64_t filter = subject().is_filtered() ? CB_STORE_FILTER : 0;
  EXPECT_EQ(store().capabilities(), CB_STORE_DURABLE | CB_STORE_ATOMIC_REPLACE | CB_STORE_RANGE |
                                        CB_STORE_LIST_AFTER | filter);
}

}  // namespace
}  // namespace cb::test
