// SPDX-License-Identifier: Apache-2.0
//
// The repository engine above a store that fails by seeded schedules: what was acknowledged stays,
// what failed is told, and when the faults stop the same engine goes on. One thread.
//
// CB_FAULT_SEEDS (default 100 for each store) and CB_FAULT_FIRST set how many courses and which.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>

#include "tests/fault/fault_house.h"
#include "tests/suites/store_fixture.h"

namespace cb::test {
namespace {

using repository::BlobId;
using repository::must;
using repository::TestSnapshot;

uint64_t number_of(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

// Stores that keep their contract, and fail.
constexpr const char* kHonest[] = {
    "any:io@4%",
    "put:no_space@5%\n",
    "put_write:torn@8%",
    "put_commit:io@15%",
    "put_commit:unsaid@15%",
    "put_commit(/commit/):unsaid@40%",
    "put_commit:crash@8%",
    "put_write:crash@4%",
    "any:crash@1%",
    "remove:unsaid@40%\nput_commit:io@10%",
    "remove:io@40%\nput_commit:unsaid@10%",
    "list:io@30%\nput_commit:unsaid@10%\nremove:busy@10%",
    "get:io@20%\nput_commit:unsaid@10%",
    "stat:timeout@30%\nget_open:busy@10%\nput_begin:denied@5%",
    "budget=150KiB\nput_commit:unsaid@5%",
    "lag=2\nput_commit:unsaid@10%",
    "any:io@2%\nany:crash@0.5%\nput_commit:unsaid@5%\nput_write:torn@2%\nremove:unsaid@10%",
};

TestSnapshot snapshot_of(uint64_t number) { return repository::make_snapshot(number, 5, 12'000); }

// What was found of the snapshot has the right bytes.
void expect_equal(const std::map<BlobId, repository::StoredBlob>& found,
                  const TestSnapshot& snapshot) {
  for (const auto& blob : snapshot.blobs) {
    const auto one = found.find(blob.head.id);
    if (one == found.end()) continue;
    EXPECT_TRUE(one->second.stored == blob.stored) << blob.head.id.hex();
  }
}

class Course {
 public:
  Course(const char* below, uint64_t seed) : seed_(seed), random_(seed), house_(below) {
    must(house_.open(options()));
    repository_ = house_.repository();
  }

  // Backs up, forgets and reads under the faults of `rules`.
  void suffer(const std::string& rules) {
    house_.faulty().control(rules);
    for (int i = 0; i < 6 && !testing::Test::HasFailure(); ++i) {
      back_up_until_it_works(3);
      if (!acknowledged_.empty() && random_() % 2 == 0) read_one();
      if (!acknowledged_.empty() && random_() % 4 == 0) forget_one();
      if (acknowledged_.size() > 1 && random_() % 3 == 0) remove_one();
      if (random_() % 3 == 0) keep_house();
      if (random_() % 8 == 0) reopen();
    }
  }

  // The faults have stopped: the same engine must go on by itself.
  void go_on() {
    house_.faulty().control("recover\n");
    const Status done = back_up();
    EXPECT_TRUE(done) << "after the faults: " << done.error().text();
  }

  void look() {
    ASSERT_OK(house_.open(std::nullopt));
    ASSERT_OK(house_.engine().remove_leftovers());
    EXPECT_EQ(value(house_.engine().remove_leftovers()), 0u);
    const auto checked = value(house_.engine().check(repository_, true, {}));
    for (const std::string& finding : checked.findings) ADD_FAILURE() << finding;
    std::set<BlobId> listed;
    for (const auto& info : value(house_.engine().snapshots(repository_, true)))
      listed.insert(info.commit.snapshot);
    for (const uint64_t number : acknowledged_) {
      EXPECT_TRUE(listed.contains(snapshot_of(number).request.snapshot)) << number;
      expect_right(number, true);
    }
    for (const auto& [number, count] : durable_) {
      auto ids = repository::ids_of(snapshot_of(number).blobs);
      ids.resize(count);
      EXPECT_EQ(value(house_.engine().have(repository_, {}, ids)), std::vector<bool>(count, true));
    }
  }

  [[nodiscard]] size_t acknowledged() const { return acknowledged_.size(); }
  [[nodiscard]] size_t faults() { return house_.faulty().log().count("its call"); }
  [[nodiscard]] uint64_t errors() const { return errors_; }
  FaultHouse& house() { return house_; }
  Status back_up() {
    const Status done = back_up(++number_);
    errors_ += done ? 0 : 1;
    return done;
  }

  // Reads a snapshot: it is an error or right, never wrong.
  void expect_right(uint64_t number, bool must_work) {
    const uint64_t before = errors_;
    const bool read = is_readable(number);
    EXPECT_TRUE(read || (!must_work && errors_ > before)) << number;
  }

  bool check_finds_something() {
    const auto checked = house_.engine().check(repository_, true, {});
    return !checked || !checked->findings.empty();
  }

  // Collects and compacts, whatever comes of it. What nobody committed goes.
  void keep_house() {
    durable_.clear();
    repository::Engine::CollectOptions at_once;
    at_once.wait = at_once.keep_uncommitted = {};
    took(house_.engine().collect(repository_, at_once, {}));
    took(house_.engine().compact(repository_, {}, {}));
    took(house_.engine().collect(repository_, at_once, {}));
  }

  // Is every acknowledged snapshot listed and readable? What can be read must be right.
  bool is_whole() {
    const auto listed = house_.engine().snapshots(repository_, true);
    if (!listed || listed->size() < acknowledged_.size()) return false;
    bool all = true;
    for (const uint64_t number : acknowledged_) all = is_readable(number) && all;
    return all;
  }

 private:
  bool is_readable(uint64_t number) {
    const TestSnapshot snapshot = snapshot_of(number);
    const auto found = read_all(house_.engine(), repository_, repository::ids_of(snapshot.blobs));
    if (found) expect_equal(*found, snapshot);
    if (!found) ++errors_;
    return found && found->size() == snapshot.blobs.size();
  }

  FaultOptions options() { return {{"seed", std::to_string(seed_)}}; }

  // A new process: what the old one held open is gone, and a crash is over.
  void reopen() {
    for (int tries = 0; tries < 50; ++tries) {
      if (house_.open(options()) && house_.engine().remove_leftovers()) return;
      ++errors_;
      if (tries > 20) house_.faulty().control("");
    }
    FAIL() << "does not open any more";
  }

  void back_up_until_it_works(int tries) {
    const uint64_t number = ++number_;
    for (; tries > 0; --tries) {
      const Status done = back_up(number);
      if (done) return;
      ++errors_;
      if (done.error().text().find("simulated crash") != std::string::npos) reopen();
    }
  }

  Status back_up(uint64_t number) {
    const TestSnapshot snapshot = snapshot_of(number);
    const bool is_private = number % 3 == 0;
    CB_ASSIGN(auto intake,
              house_.engine().begin(repository_, {repository::device_of(1)}, is_private));
    for (const auto& blob : snapshot.blobs) {
      CB_TRY(put_blob(*intake, blob));
      if (!is_private) durable_[number] = std::max(durable_[number], intake->durable());
    }
    CB_ASSIGN(const auto answer, intake->commit(snapshot.request));
    EXPECT_TRUE(answer.missing.empty());
    if (answer.missing.empty()) acknowledged_.insert(number);
    return {};
  }

  uint64_t any_acknowledged() {
    auto one = acknowledged_.begin();
    std::advance(one, static_cast<ptrdiff_t>(random_() % acknowledged_.size()));
    return *one;
  }
  void read_one() { expect_right(any_acknowledged(), false); }
  void forget_one() {
    const auto done = house_.engine().forget(
        repository_, snapshot_of(any_acknowledged()).request.snapshot, repository::device_of(1));
    errors_ += done ? 0 : 1;
  }

  // From here on it may be gone.
  void remove_one() {
    const uint64_t number = any_acknowledged();
    acknowledged_.erase(number);
    const BlobId snapshot = snapshot_of(number).request.snapshot;
    took(house_.engine().forget(repository_, snapshot, repository::device_of(1)));
    took(house_.engine().remove(repository_, snapshot));
  }
  template <typename T>
  void took(const Result<T>& result) {
    if (result) return;
    ++errors_;
    if (result.error().text().find("simulated crash") != std::string::npos) reopen();
  }

  uint64_t seed_;
  std::mt19937_64 random_;
  FaultHouse house_;
  repository::RepositoryId repository_;
  uint64_t number_ = 0;
  uint64_t errors_ = 0;
  std::set<uint64_t> acknowledged_;
  std::map<uint64_t, uint64_t> durable_;
};

class EngineFault : public testing::TestWithParam<const char*> {};

TEST_P(EngineFault, what_was_acknowledged_stays_and_what_failed_is_told) {
  const uint64_t first = number_of("CB_FAULT_FIRST", 1);
  const uint64_t seeds = number_of("CB_FAULT_SEEDS", 100);
  uint64_t acknowledged = 0;
  uint64_t faults = 0;
  uint64_t errors = 0;
  for (uint64_t seed = first; seed < first + seeds && !HasFailure(); ++seed) {
    const char* rules = kHonest[seed % std::size(kHonest)];
    SCOPED_TRACE("CB_FAULT_FIRST=" + std::to_string(seed) + " rules " + rules);
    Course course(GetParam(), seed);
    course.suffer(rules);
    if (!HasFailure()) course.go_on();
    if (!HasFailure()) course.look();
    acknowledged += course.acknowledged();
    faults += course.faults();
    errors += course.errors();
  }
  std::printf("%s: %llu courses, %llu commits acknowledged, %llu faults, %llu errors\n", GetParam(),
              static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(acknowledged),
              static_cast<unsigned long long>(faults), static_cast<unsigned long long>(errors));
  EXPECT_GT(acknowledged, seeds * 3);
  EXPECT_GT(errors, seeds);
}

TEST_P(EngineFault, a_store_that_lies_is_found_out) {
  for (const char* rules :
       {"put_write:crash=9@12-", "put_commit:crash=7@7-", "put_commit:lose@3-"}) {
    int lies = 0;
    for (uint64_t seed = 1; seed <= 8; ++seed) {
      SCOPED_TRACE(std::string(rules) + " seed " + std::to_string(seed));
      Course course(GetParam(), seed);
      ASSERT_OK(course.back_up());
      course.house().faulty().control(rules);
      for (int i = 0; i < 4; ++i) static_cast<void>(course.back_up());
      course.house().faulty().control("");
      // Either everything acknowledged is there, or the opening or the check says that it is not.
      const Status opened = course.house().open(std::nullopt);
      const bool told = !opened || course.check_finds_something();
      const bool whole = opened && course.is_whole();
      EXPECT_TRUE(whole || told);
      lies += whole ? 0 : 1;
    }
    EXPECT_GT(lies, 2) << rules;
  }
}

TEST_P(EngineFault, wrong_bytes_of_a_store_are_never_written_anew) {
  for (const char* rules : {"get_read:flip@10%", "get_read:cut@10%"})
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      SCOPED_TRACE(std::string(rules) + " seed " + std::to_string(seed));
      Course course(GetParam(), seed);
      for (int i = 0; i < 9; ++i) ASSERT_OK(course.back_up());
      course.house().faulty().control(rules);
      for (int i = 0; i < 3; ++i) course.keep_house();
      course.house().faulty().control("");
      EXPECT_TRUE(course.is_whole());
      EXPECT_FALSE(course.check_finds_something());
    }
}

TEST_P(EngineFault, wrong_bytes_of_a_store_are_never_handed_on) {
  for (const char* rules : {"get_read:flip@30%", "get_read:cut@30%"}) {
    uint64_t told = 0;
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      SCOPED_TRACE(std::string(rules) + " seed " + std::to_string(seed));
      Course course(GetParam(), seed);
      for (int i = 0; i < 3; ++i) ASSERT_OK(course.back_up());
      course.house().faulty().control(rules);
      for (uint64_t number = 1; number <= 3; ++number) {
        const uint64_t before = course.errors();
        course.expect_right(number, false);
        told += course.errors() - before;
      }
      course.house().faulty().control("");
      for (uint64_t number = 1; number <= 3; ++number) course.expect_right(number, true);
    }
    EXPECT_GT(told, 5u) << rules;
  }
}

INSTANTIATE_TEST_SUITE_P(stores, EngineFault, testing::Values("store-fs", "store-sqlite"),
                         test_name);

}  // namespace
}  // namespace cb::test
