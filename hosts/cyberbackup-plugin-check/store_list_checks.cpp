// SPDX-License-Identifier: Apache-2.0
//
// Stores: what a listing tells, and in which order.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "hosts/cyberbackup-plugin-check/store_checks.h"
#include "hosts/cyberbackup-plugin-check/store_disk.h"
#include "hosts/cyberbackup-plugin-check/store_objects.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {
namespace {

using Names = std::vector<std::string>;

// Names that sort, nest and look alike in nasty ways, and random ones of few letters.
std::set<std::string> tricky_names(Subject& subject) {
  std::set<std::string> made = {"a",    "a/b",  "a-b",  "a.b",   "a0",    "a_",    "aa",
                                "ab",   "ab/c", "ab-",  "ab.c",  "abc",   "abc/d", "abcd",
                                "..a",  ".a",   "...",  "-",     "_",     "0",     "z",
                                "zz/z", "a/bb", "a/b-", "a/b.c", "a/..a", "a/b/c", "a/b/c/d/e/f"};
  made.insert(std::string(CB_STORE_NAME_MAX, 'x'));
  std::string deep = "d";
  while (deep.size() + 2 <= CB_STORE_NAME_MAX) deep += "/d";
  made.insert(deep);
  constexpr std::string_view kBytes = "ab-._/0z";
  while (made.size() < 150) {
    std::string name;
    const size_t length = 1 + subject.random()() % 7;
    while (name.size() < length) name += kBytes[subject.random()() % kBytes.size()];
    if (plugin::is_store_name(name)) made.insert(name);
  }
  return made;
}

Names expected_of(const std::set<std::string>& all, const std::string& prefix,
                  const std::string& after) {
  Names wanted;
  for (const std::string& name : all)
    if (name.starts_with(prefix) && name > after) wanted.push_back(name);
  return wanted;
}

// Says where a listing differs from what it should be.
Status expect_names(const Names& seen, const Names& wanted, const std::string& what) {
  if (seen == wanted) return {};
  const auto [is, should] = std::mismatch(seen.begin(), seen.end(), wanted.begin(), wanted.end());
  const std::string place =
      " at place " + std::to_string(is - seen.begin()) + " of " + std::to_string(wanted.size());
  return found_wrong(what + " tells " + (is == seen.end() ? "nothing" : *is) + place + " where " +
                     (should == wanted.end() ? "nothing more" : *should) + " comes");
}

Status list_from_points(plugin::Store& store, const std::set<std::string>& all) {
  const Names points = {"",  "a", "a/", "ab", "a/b/", "d/d/", "zz", "zzz",
                        "-", ".", "x",  "0",  "a-",   "aa",   "q",  "a/b"};
  for (const std::string& prefix : points) {
    for (const std::string& after : points) {
      CB_ASSIGN(const Names seen, list_names(store, prefix, after));
      CB_TRY(expect_names(seen, expected_of(all, prefix, after),
                          "the list of prefix '" + prefix + "' after '" + after + "'"));
    }
  }
  return {};
}

// Lists while names before and behind the place of the list come and go, step by step.
Status list_with_changes_on_the_way(plugin::Store& store) {
  Names stable;
  for (int i = 100; i < 160; ++i) {
    stable.push_back("step/" + std::to_string(i));
    CB_TRY(put_object(store, stable.back(), pattern(1, 5)));
    CB_TRY(put_object(store, stable.back() + "-fleeting", pattern(2, 5)));
  }
  CB_ASSIGN(plugin::List list, store.list_open("step/"));
  Names seen;
  for (size_t told = 0;; ++told) {
    CB_ASSIGN(const auto next, list.next());
    if (!next) break;
    if (std::binary_search(stable.begin(), stable.end(), next->name)) seen.push_back(next->name);
    if (told == 20)
      for (size_t i = 0; i < 8; ++i) CB_TRY(store.remove(stable[i] + "-fleeting"));
    if (told == 40)
      for (size_t i = 0; i < 8; ++i) CB_TRY(put_object(store, stable[i] + "-a", pattern(3, 5)));
    if (told == 50)
      for (size_t i = 40; i < 60; ++i) CB_TRY(store.remove(stable[i] + "-fleeting"));
  }
  return expect_names(seen, stable, "a list during changes");
}

// Puts and removes names among those that are listed, until told to stop.
class Noise {
 public:
  Noise(plugin::Store& store, uint64_t seed)
      : store_(store),
        random_(seed),
        prefix_("list/n" + std::to_string(seed % 1000) + "-"),
        thread_([this] { make(); }) {}
  ~Noise() { stop(); }
  Noise(const Noise&) = delete;
  Noise& operator=(const Noise&) = delete;

  // Ends it; the first thing that went wrong, if any.
  Status stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    return wrong_ ? Status(failed(*wrong_)) : Status();
  }

 private:
  void make() {
    std::set<std::string> there;
    while (!stopping_ && !wrong_) {
      const std::string name = prefix_ + std::to_string(random_() % 40);
      const bool removes = there.contains(name);
      const Status done = removes ? store_.remove(name) : put_object(store_, name, pattern(1, 99));
      if (!done) wrong_ = done.error();
      if (removes)
        there.erase(name);
      else
        there.insert(name);
    }
  }

  plugin::Store& store_;
  std::mt19937_64 random_;
  const std::string prefix_;
  std::atomic<bool> stopping_ = false;
  std::optional<Error> wrong_;  // of the thread, until it is joined
  std::thread thread_;
};

Status list_beside_writers(plugin::Store& store, Subject& subject) {
  std::set<std::string> stable;
  for (int i = 0; i < 200; ++i) stable.insert("list/" + std::to_string(i * 7919 % 1000));
  for (const std::string& name : stable) CB_TRY(put_object(store, name, pattern(1, 5)));
  Noise one(store, subject.random()());
  Noise two(store, subject.random()());
  for (int round = 0; round < 20; ++round) {
    CB_ASSIGN(const Names seen, list_names(store, "list/"));
    CB_TRY(expect(std::is_sorted(seen.begin(), seen.end()),
                  "a list beside two writers is not in order"));
    CB_TRY(expect(std::adjacent_find(seen.begin(), seen.end()) == seen.end(),
                  "a list beside two writers tells an object twice"));
    CB_TRY(expect(std::includes(seen.begin(), seen.end(), stable.begin(), stable.end()),
                  "a list beside two writers lacks an object that was there all the time"));
  }
  CB_TRY(one.stop());
  return two.stop();
}

}  // namespace

Result<Verdict> store_list_order_and_prefix(Subject& subject) {
  CB_ASSIGN(plugin::Store store, subject.make<plugin::Store>());
  const std::set<std::string> all = tricky_names(subject);
  for (const std::string& name : all) CB_TRY(put_object(store, name, as_bytes(name)));
  CB_ASSIGN(const auto objects, list_objects(store));
  Names seen;
  for (const plugin::StoredObject& object : objects) {
    seen.push_back(object.name);
    CB_TRY(expect(object.length == object.name.size(),
                  "the list tells another length of " + object.name + " than it has"));
    CB_TRY(expect_object(store, object.name, as_bytes(object.name)));
  }
  CB_TRY(expect_names(seen, Names(all.begin(), all.end()), "the list"));
  for (const std::string prefix : {"a", "a/", "ab", "d/d", ".", "q", "zz"}) {
    CB_ASSIGN(const Names some, list_names(store, prefix));
    CB_TRY(expect_names(some, expected_of(all, prefix, ""), "the list of prefix '" + prefix + "'"));
  }
  if ((store.capabilities() & CB_STORE_LIST_AFTER) != 0) {
    CB_TRY(list_from_points(store, all));
  } else {
    CB_TRY(expect_refusal(store.list_open("a", "a/b"), Code::unsupported, "list_open after a/b"));
  }
  return passed();
}

Result<Verdict> store_list_during_writes(Subject& subject) {
  CB_ASSIGN(plugin::Store store, subject.make<plugin::Store>());
  CB_TRY(list_with_changes_on_the_way(store));
  CB_TRY(list_beside_writers(store, subject));
  return passed();
}

Result<Verdict> store_many_objects(Subject& subject) {
  // In memory where possible: this is about numbers, not about the disk.
  const auto disk = MemoryDisk::mount(subject.scratch(), uint64_t{1} << 30);
  CB_ASSIGN(plugin::Store store, subject.make<plugin::Store>());
  std::set<std::string> all;
  constexpr size_t kMany = 10'000;
  while (all.size() < kMany) {
    const std::string name = "packs/" + to_hex(subject.random_bytes(8));
    if (all.insert(name).second) CB_TRY(put_object(store, name, as_bytes(name)));
  }
  CB_ASSIGN(const Names seen, list_names(store));
  CB_TRY(expect_names(seen, Names(all.begin(), all.end()), "the list"));
  for (size_t i = 0; i < kMany; i += 37) CB_TRY(expect_object(store, seen[i], as_bytes(seen[i])));
  const std::string prefix = seen[kMany / 2].substr(0, 8);
  CB_ASSIGN(const Names some, list_names(store, prefix));
  CB_TRY(expect_names(some, expected_of(all, prefix, ""), "the list of prefix '" + prefix + "'"));
  return passed();
}

}  // namespace cb::check
