// SPDX-License-Identifier: Apache-2.0
//
// Kills a process at random moments while several of its threads put, replace, abort and remove
// objects, opens the store again and looks: every object is whole or absent, what was acknowledged
// is there, and nothing else is left. One thread.
//
// CB_KILL_ROUNDS (default 60) and CB_KILL_SEED set length and course.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>

#include "tests/crash/child.h"
#include "tests/crash/churn.h"
#include "tests/suites/store_fixture.h"

namespace cb::test {
namespace {

uint64_t number_of(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::stoull(text);
}

// What may be under each name, as far as the child told.
class Expected {
 public:
  void learn(const ChurnEvent& event) {
    std::vector<ChurnObject>& objects = possible_[event.name];
    if (objects.empty()) objects = {ChurnObject{}};
    if (event.verb == "committing" || event.verb == "removing")
      objects.push_back(event.object);
    else
      objects = {event.object};
  }
  // Empty when `found` may be under `name`.
  std::string objection(const std::string& name, const ChurnObject& found) const {
    const auto known = possible_.find(name);
    const std::vector<ChurnObject> never = {ChurnObject{}};
    const auto& allowed = known == possible_.end() ? never : known->second;
    std::string text;
    for (const ChurnObject& one : allowed) {
      if (one == found) return {};
      text += " " + std::to_string(one.seed) + "/" + std::to_string(one.size);
    }
    return name + " is " + std::to_string(found.seed) + "/" + std::to_string(found.size) +
           ", allowed are" + text;
  }
  // From now on only this is there.
  void settle(const std::string& name, const ChurnObject& found) { possible_[name] = {found}; }
  const std::vector<ChurnObject>* allowed(const std::string& name) const {
    const auto known = possible_.find(name);
    return known == possible_.end() ? nullptr : &known->second;
  }
  std::vector<std::string> known_names() const {
    std::vector<std::string> all;
    for (const auto& [name, objects] : possible_) all.push_back(name);
    return all;
  }

 private:
  // A first entry was acknowledged or found; later ones were under way when it ended.
  std::map<std::string, std::vector<ChurnObject>> possible_;
};

class StoreKill : public testing::TestWithParam<const char*> {
 protected:
  // Runs a child until it told `lines` lines and then some microseconds, kills it, and learns.
  void churn_and_kill(uint64_t seed, uint64_t lines, std::chrono::microseconds then) {
    Child child(GetParam(), folder_.path(), "churn", seed);
    std::string line;
    for (uint64_t i = 0; i <= lines; ++i) {
      ASSERT_TRUE(child.read_line(line)) << "the child ended by itself";
      hear(line);
    }
    const auto end = std::chrono::steady_clock::now() + then;
    while (std::chrono::steady_clock::now() < end) continue;
    child.kill();
    EXPECT_EQ(child.wait(), -SIGKILL);
    while (child.read_line(line)) hear(line);
  }

  void hear(const std::string& line) {
    ChurnEvent event;
    if (!parse_churn_line(line, event)) return;
    expected_.learn(event);
    acknowledged_ += event.verb == "committed" ? 1 : 0;
  }

  // The object under `name`, if its bytes are wholly those of one that was begun.
  ChurnObject identify(plugin::Store& store, const std::string& name) {
    const Result<Bytes> bytes = read_object(store, name);
    if (!bytes) {
      EXPECT_EQ(bytes.error().code, Code::not_found) << bytes.error().text();
      return {};
    }
    const auto* allowed = expected_.allowed(name);
    if (allowed != nullptr)
      for (const ChurnObject& one : *allowed)
        if (one.seed != 0 && one.size == bytes->size() && pattern(one.seed, 0, one.size) == *bytes)
          return one;
    ADD_FAILURE() << name << " has " << bytes->size() << " bytes that nobody put";
    return {};
  }

  void look_at_all(plugin::Store& store) {
    for (const std::string& name : expected_.known_names()) {
      const ChurnObject found = identify(store, name);
      EXPECT_EQ(expected_.objection(name, found), "");
      expected_.settle(name, found);
    }
    for (const std::string& name : value(names(store)))
      EXPECT_NE(expected_.allowed(name), nullptr) << name << " was never put";
  }

  TemporaryFolder folder_;
  Expected expected_;
  uint64_t acknowledged_ = 0;
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
    look_at_all(store);
  }
  std::printf("%s: %llu rounds, %llu acknowledged commits, seed %llu\n", GetParam(),
              static_cast<unsigned long long>(rounds),
              static_cast<unsigned long long>(acknowledged_),
              static_cast<unsigned long long>(seed));
  EXPECT_GT(acknowledged_, rounds);
}

INSTANTIATE_TEST_SUITE_P(stores, StoreKill, testing::Values("store-fs", "store-sqlite"), test_name);

}  // namespace
}  // namespace cb::test
