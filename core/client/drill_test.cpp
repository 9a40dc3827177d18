// SPDX-License-Identifier: Apache-2.0
//
// Drills on snapshots made by hand, whole and damaged ones, into real folders.
#include "core/client/drill.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <random>

#include "core/base/units.h"
#include "core/client/drill_sample.h"
#include "core/client/restore_fixture.h"

namespace cb::client {
namespace {

using repository::SnapshotInfo;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

// The same numbers in each run.
class SeededRandom final : public os::Random {
 public:
  explicit SeededRandom(uint32_t seed) : engine_(seed) {}
  Status fill(ByteSpan out) override {
    for (std::byte& byte : out) byte = static_cast<std::byte>(engine_() & 0xffU);
    return {};
  }

 private:
  std::mt19937 engine_;
};

class NoRandom final : public os::Random {
 public:
  Status fill(ByteSpan) override { return failed(Code::io, "randomness", "is not to be had"); }
};

class Drilling : public RestoreFixture {
 protected:
  Drilling() { fs::create_directory(scratch()); }

  [[nodiscard]] fs::path scratch() const { return folder_ / "scratch"; }
  [[nodiscard]] fs::path live() const { return folder_ / "live"; }

  DrillRequest request(std::vector<SnapshotInfo> snapshots) {
    DrillRequest made;
    made.snapshots = std::move(snapshots);
    made.scratch_parent = scratch();
    made.live_root = live();
    return made;
  }

  Result<DrillResult> drill(const DrillRequest& wanted) {
    forget_keys();
    Drill::Parts parts;
    parts.fetcher = fetcher_.get();
    parts.random = random_of_drill_;
    parts.clock = &os::system_clock();
    parts.progress = [this](const report::Progress& now) {
      progress_ = now;
      if (on_progress_) on_progress_();
    };
    drill_ = std::make_unique<Drill>(std::move(parts));
    return drill_->run(wanted);
  }

  DrillResult drilled(const DrillRequest& wanted) {
    auto result = drill(wanted);
    EXPECT_TRUE(result) << result.error().text();
    return result ? std::move(*result) : DrillResult();
  }

  // A snapshot of files "f1000" and so on, each with a blob of its own.
  SnapshotInfo files(size_t count, size_t size = 3000) {
    std::vector<Entry> entries;
    for (size_t i = 0; i < count; ++i) {
      const Extent content = data(random_bytes(size, static_cast<uint32_t>(++seed_)));
      entries.push_back(file("f" + std::to_string(1000 + i), std::vector<Extent>{content}));
      blobs_["f" + std::to_string(1000 + i)] = content.blob;
    }
    return snapshot(tree(entries));
  }

  // Where the files of a snapshot lie on this machine, with the time that the fixture gives them.
  void write_live(const std::string& name, const std::string& text) {
    fs::create_directories(live());
    std::ofstream(live() / name, std::ios::binary) << text;
    const timespec time{1'600'000'000, 123'456'789};
    const timespec times[2] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, (live() / name).c_str(), times, 0), 0);
  }

  static std::vector<std::string> paths(const DrillResult& result) {
    std::vector<std::string> all;
    for (const DrillProblem& problem : result.problems) all.push_back(problem.path);
    std::sort(all.begin(), all.end());
    return all;
  }

  [[nodiscard]] bool left_nothing() const { return fs::is_empty(scratch()); }

  SeededRandom seeded_{4711};
  os::Random* random_of_drill_ = &seeded_;
  std::unique_ptr<Drill> drill_;
  std::function<void()> on_progress_;
  std::map<std::string, BlobId> blobs_;
  size_t seed_ = 0;
};

TEST_F(Drilling, a_sample_comes_back_and_leaves_nothing_behind) {
  const SnapshotInfo info = files(40);
  DrillRequest wanted = request({info});
  wanted.most_files = 10;
  const DrillResult result = drilled(wanted);
  EXPECT_EQ(result.files_listed, 40U);
  EXPECT_EQ(result.files, 10U);
  EXPECT_EQ(result.bytes, 30'000U);
  EXPECT_EQ(result.problem_count, 0U);
  EXPECT_THAT(result.snapshots, ElementsAre(info.commit.snapshot));
  EXPECT_GE(result.ended_ns, result.begun_ns);
  EXPECT_EQ(progress_.done, 10U);
  EXPECT_TRUE(left_nothing());
}

TEST_F(Drilling, the_bytes_bound_the_sample_too) {
  DrillRequest wanted = request({files(40)});
  wanted.most_bytes = 10'000;
  EXPECT_EQ(drilled(wanted).bytes, 9000U);
}

TEST_F(Drilling, a_file_that_does_not_fit_is_passed_over) {
  std::vector<Entry> entries{file("large", {data(random_bytes(50'000, 1))})};
  for (int i = 0; i < 5; ++i) entries.push_back(file("s" + std::to_string(i), "small"));
  DrillRequest wanted = request({snapshot(tree(entries))});
  wanted.most_bytes = 1000;
  const DrillResult result = drilled(wanted);
  EXPECT_EQ(result.files, 5U);
  EXPECT_EQ(result.bytes, 25U);
}

TEST_F(Drilling, that_could_restore_nothing_is_an_error_and_says_what_it_needs) {
  DrillRequest wanted = request({files(5, 3000), files(5, 2000)});
  wanted.most_bytes = 1999;
  const auto result = drill(wanted);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::limit);
  EXPECT_THAT(result.error().advice, HasSubstr("--bytes 2000"));
  EXPECT_TRUE(left_nothing());
  wanted.most_bytes = 2000;
  EXPECT_EQ(drilled(wanted).files, 1U);
}

TEST_F(Drilling, finds_the_one_file_that_fits_among_many_that_do_not) {
  std::vector<Entry> entries{file("a", "small")};
  const Extent large = data(random_bytes(50'000, 1));
  for (int i = 0; i < 500; ++i) entries.push_back(file("l" + std::to_string(1000 + i), {large}));
  DrillRequest wanted = request({snapshot(tree(entries))});
  wanted.most_bytes = 1000;
  wanted.most_files = 2;
  const DrillResult result = drilled(wanted);
  EXPECT_EQ(result.files_listed, 501U);
  EXPECT_EQ(result.files, 1U);
}

TEST_F(Drilling, of_a_snapshot_without_files_is_none_of_too_few_bytes) {
  EXPECT_EQ(drilled(request({snapshot(tree({}))})).files_listed, 0U);
}

TEST_F(Drilling, several_snapshots_share_the_bounds) {
  const SnapshotInfo first = files(20), second = files(20);
  DrillRequest wanted = request({first, second});
  wanted.most_files = 10;
  const DrillResult result = drilled(wanted);
  EXPECT_EQ(result.files_listed, 40U);
  EXPECT_EQ(result.files, 10U);
  EXPECT_EQ(result.snapshots.size(), 2U);
  EXPECT_LT(result.snapshots[0], result.snapshots[1]);
}

TEST_F(Drilling, a_flipped_bit_is_found_and_named) {
  const SnapshotInfo info = files(12);
  damage(blobs_.at("f1007"));
  const DrillResult result = drilled(request({info}));
  EXPECT_EQ(result.files, 12U);
  EXPECT_EQ(result.problem_count, 1U);
  ASSERT_THAT(paths(result), ElementsAre("f1007"));
  EXPECT_EQ(result.problems[0].snapshot, info.commit.snapshot);
  EXPECT_THAT(result.problems[0].error.text(), HasSubstr(blobs_.at("f1007").hex().substr(0, 8)));
  EXPECT_EQ(result.bytes, 11 * 3000U);
  EXPECT_TRUE(left_nothing());
}

TEST_F(Drilling, a_blob_that_is_gone_is_found_and_named) {
  const SnapshotInfo info = files(5);
  remote_->blobs.erase(blobs_.at("f1002"));
  EXPECT_THAT(paths(drilled(request({info}))), ElementsAre("f1002"));
}

TEST_F(Drilling, a_damaged_file_list_is_a_problem_and_hides_no_other_snapshot) {
  const SnapshotInfo spoilt = files(5), good = files(5);
  damage(spoilt.commit.root);
  const DrillResult result = drilled(request({spoilt, good}));
  EXPECT_EQ(result.problem_count, 1U);
  EXPECT_EQ(result.problems[0].snapshot, spoilt.commit.snapshot);
  EXPECT_EQ(result.files, 5U);
}

TEST_F(Drilling, a_list_that_the_device_did_not_sign_is_a_problem) {
  SnapshotInfo swapped = files(5);
  swapped.commit.root = files(5).commit.root;
  const DrillResult result = drilled(request({swapped}));
  EXPECT_THAT(paths(result), ElementsAre(""));
  EXPECT_EQ(result.files, 0U);
}

TEST_F(Drilling, is_compared_with_the_source_where_that_is_unchanged) {
  const SnapshotInfo info = snapshot(tree({file("same", "content"), file("spoilt", "content"),
                                           file("newer", "content"), file("gone", "content")}));
  write_live("same", "content");
  write_live("spoilt", "CONTENT");
  write_live("newer", "content and more");
  DrillRequest wanted = request({info});
  wanted.live_device = device_id();
  const DrillResult result = drilled(wanted);
  EXPECT_EQ(result.live, 2U);
  ASSERT_THAT(paths(result), ElementsAre("spoilt"));
  EXPECT_THAT(result.problems[0].error.cause, HasSubstr("differs from the source"));
}

TEST_F(Drilling, is_not_compared_with_files_of_another_device) {
  const SnapshotInfo info = snapshot(tree({file("spoilt", "content")}));
  write_live("spoilt", "CONTENT");
  DrillRequest wanted = request({info});
  wanted.live_device.bytes.fill(std::byte{9});
  const DrillResult result = drilled(wanted);
  EXPECT_EQ(result.live, 0U);
  EXPECT_EQ(result.problem_count, 0U);
}

TEST_F(Drilling, the_scratch_folder_is_private_and_stays_when_it_is_to_be_kept) {
  DrillRequest wanted = request({files(3)});
  wanted.keep = true;
  const DrillResult result = drilled(wanted);
  ASSERT_EQ(result.kept.parent_path(), scratch());
  struct stat found {};
  ASSERT_EQ(::stat(result.kept.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0700U);
  size_t restored = 0;
  for (const auto& one : fs::recursive_directory_iterator(result.kept))
    restored += one.is_regular_file() ? 1 : 0;
  EXPECT_EQ(restored, 3U);
}

TEST_F(Drilling, the_scratch_folder_goes_also_when_the_connection_is_lost) {
  const SnapshotInfo info = files(30);
  int files_begun = 0;
  on_progress_ = [&] {
    if (++files_begun == 5) remote_->is_closed = true;
  };
  const auto result = drill(request({info}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::closed);
  EXPECT_TRUE(left_nothing());
}

TEST_F(Drilling, can_be_cancelled_and_leaves_nothing) {
  const SnapshotInfo info = files(30);
  int files_begun = 0;
  on_progress_ = [&] {
    if (++files_begun == 5) drill_->cancel();
  };
  const auto result = drill(request({info}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::cancelled);
  EXPECT_TRUE(left_nothing());
}

TEST_F(Drilling, without_a_place_or_randomness_it_says_so) {
  const SnapshotInfo info = files(3);
  DrillRequest nowhere = request({info});
  nowhere.scratch_parent = folder_ / "nowhere";
  EXPECT_EQ(drill(nowhere).error().code, Code::not_found);
  NoRandom none;
  random_of_drill_ = &none;
  EXPECT_EQ(drill(request({info})).error().code, Code::io);
  EXPECT_TRUE(left_nothing());
  EXPECT_EQ(drill(request({})).error().code, Code::invalid);
}

TEST_F(Drilling, its_record_says_what_the_result_says) {
  const SnapshotInfo info = files(5);
  damage(blobs_.at("f1002"));
  const DrillResult result = drilled(request({info}));
  repository::DrillRecord record = record_of(result, device_id());
  EXPECT_EQ(record.files, 5U);
  EXPECT_EQ(record.problems, 1U);
  ASSERT_TRUE(repository::sign_drill(record, repository_.record.id,
                                     [this](ByteView bytes) { return device_.sign(bytes); }));
  const auto read = repository::decode_drill(encode(record));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_TRUE(repository::verify_drill(*read, repository_.record.id, device_.public_key()));
}

// How often each of these weights is the first of a sample.
std::vector<int> drawn_first(const std::vector<double>& weights, int rounds) {
  SeededRandom random(7);
  std::vector<int> counts(weights.size());
  for (int i = 0; i < rounds; ++i) {
    WeightedSample<repository::Entry> sample(random, 1);
    for (size_t at = 0; at < weights.size(); ++at) {
      repository::Entry entry;
      entry.size = at;
      EXPECT_TRUE(sample.offer(entry, weights[at]));
    }
    ++counts[sample.take().at(0).size];
  }
  return counts;
}

TEST(DrillSample, draws_in_proportion_to_weights) {
  const std::vector<int> counts = drawn_first({1, 2, 5}, 8000);
  EXPECT_NEAR(counts[0], 1000, 150);
  EXPECT_NEAR(counts[1], 2000, 200);
  EXPECT_NEAR(counts[2], 5000, 250);
}

TEST(DrillSample, draws_each_thing_once_and_no_more_than_is_wanted) {
  SeededRandom random(7);
  WeightedSample<repository::Entry> sample(random, 5);
  for (uint64_t i = 0; i < 1000; ++i) {
    repository::Entry entry;
    entry.size = i;
    ASSERT_TRUE(sample.offer(entry, 1));
  }
  std::set<uint64_t> sizes;
  for (const repository::Entry& entry : sample.take()) sizes.insert(entry.size);
  EXPECT_EQ(sizes.size(), 5U);
}

TEST(DrillSample, weighs_larger_and_changed_files_more) {
  repository::Entry small, large;
  small.size = 100;
  large.size = 100 * kMiB;
  EXPECT_GT(drill_weight(large, 0), 5 * drill_weight(small, 0));
  small.mtime_ns = 50;
  EXPECT_EQ(drill_weight(small, 40), 4 * drill_weight(small, 0));
  EXPECT_EQ(drill_weight(small, 60), drill_weight(small, 0));
}

TEST(DrillSample, prefers_newer_snapshots_and_gives_them_in_their_order) {
  std::vector<SnapshotInfo> list(10);
  for (size_t i = 0; i < list.size(); ++i) list[i].commit.sequence = i + 1;
  SeededRandom random(7);
  std::vector<int> counts(list.size() + 1);
  for (int i = 0; i < 3000; ++i) {
    const auto drawn = draw_snapshots(list, 1, random);
    ASSERT_TRUE(drawn);
    ++counts[drawn->at(0).commit.sequence];
  }
  EXPECT_GT(counts[10], 3 * counts[1]);
  EXPECT_GT(counts[1], 0);
  const auto several = draw_snapshots(list, 4, random);
  ASSERT_EQ(several->size(), 4U);
  EXPECT_TRUE(std::is_sorted(several->begin(), several->end(), [](const auto& a, const auto& b) {
    return a.commit.sequence < b.commit.sequence;
  }));
  EXPECT_EQ(draw_snapshots(list, 99, random)->size(), 10U);
}

}  // namespace
}  // namespace cb::client
