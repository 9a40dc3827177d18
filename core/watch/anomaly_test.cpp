// SPDX-License-Identifier: Apache-2.0
//
// A simulated source, what a server and a client see of its backups, and what is to be remarkable
// about them.
#include "core/watch/anomaly.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>

namespace cb::watch {
namespace {

using testing::HasSubstr;

constexpr unsigned kLimit = 60;  // of the default settings
constexpr size_t kLeast = 5;

// A source of files of a few blobs each; the server sees their ids and stored sizes.
class Source {
 public:
  struct File {
    uint64_t content = 0;
    double ratio = 0.4;  // stored bytes of a plain one
    size_t blobs = 2;
    std::string ending = "doc";
  };

  // `many` files that compress to `ratio`.
  void add(size_t many, double ratio, const std::string& folder = "a") {
    for (size_t i = 0; i < many; ++i)
      files_[folder + "/" + std::to_string(i)] = {++content_, ratio, 2, "doc"};
  }
  // Other content of the same kind in a part of the files.
  void change(double share) {
    each(share, [this](File& file) { file.content = ++content_; });
  }
  void encrypt(double share, bool renames) {
    each(share, [&](File& file) {
      file = {++content_, 1.0, file.blobs, renames ? "locked" : file.ending};
    });
  }
  void remove(double share) {
    size_t left = static_cast<size_t>(share * static_cast<double>(files_.size()));
    for (; left > 0; --left) files_.erase(files_.begin());
  }
  void move_to(const std::string& folder) {
    std::map<std::string, File> moved;
    for (auto& [name, file] : files_) moved[folder + "/" + name] = file;
    files_ = std::move(moved);
  }

  // The backup of now beside the one before.
  Reading back_up(bool honest = true) {
    Reading reading;
    if (has_backup_) {
      reading.seen = seen();
      reading.said = honest ? said() : Said{files_.size(), 0, 0, 0, 0, 0, 0};
    }
    before_ = files_;
    has_backup_ = true;
    return reading;
  }

 private:
  using Files = std::map<std::string, File>;
  static constexpr uint64_t kBlob = 1'000'000;

  template <typename Change>
  void each(double share, const Change& change) {
    size_t left = static_cast<size_t>(share * static_cast<double>(files_.size()));
    for (auto& [name, file] : files_) {
      if (left-- == 0) return;
      change(file);
    }
  }

  static std::map<uint64_t, const File*> contents(const Files& files) {
    std::map<uint64_t, const File*> all;
    for (const auto& [name, file] : files) all[file.content] = &file;
    return all;
  }
  static uint64_t stored(const File& file) {
    return static_cast<uint64_t>(static_cast<double>(file.blobs * kBlob) * file.ratio);
  }

  Seen seen() const {
    Seen seen;
    const auto before = contents(before_), now = contents(files_);
    for (const auto& [content, file] : before) {
      seen.before_blobs += file->blobs;
      seen.before_bytes += stored(*file);
      if (now.contains(content)) continue;
      seen.gone_blobs += file->blobs;
      seen.gone_bytes += stored(*file);
    }
    for (const auto& [content, file] : now) {
      seen.after_blobs += file->blobs;
      seen.after_bytes += stored(*file);
      if (before.contains(content)) continue;
      seen.new_blobs += file->blobs;
      seen.new_bytes += stored(*file);
    }
    // A change in a file changes its node; nodes have some files each.
    seen.before_nodes = before_.size() / 10 + 1;
    size_t other = 0;
    for (const auto& [name, file] : files_) {
      const auto was = before_.find(name);
      other += was == before_.end() || was->second.content != file.content;
    }
    seen.new_nodes = std::min<uint64_t>(files_.size() / 10 + 1, other + 1);
    return seen;
  }

  Said said() const {
    Said said;
    const auto contents_before = contents(before_);
    for (const auto& [name, file] : files_) {
      const auto was = before_.find(name);
      const bool is_there = was != before_.end() && was->second.ending == file.ending;
      const bool is_new = !contents_before.contains(file.content);
      if (!is_there) ++said.added;
      if (was != before_.end() && !is_there) ++said.renamed;
      if (is_there) ++(is_new ? said.changed : said.unchanged);
      if (!is_new) continue;
      said.plain_bytes += file.blobs * kBlob;
      said.stored_bytes += stored(file);
    }
    said.removed = before_.size() - said.unchanged - said.changed;
    return said;
  }

  Files files_, before_;
  bool has_backup_ = false;
  uint64_t content_ = 0;
};

// A person's folder of documents and photos with an ordinary month behind it.
struct Month {
  explicit Month(double documents = 0.7, int days = 30) {
    source.add(static_cast<size_t>(400 * documents), 0.4, "documents");
    source.add(static_cast<size_t>(400 * (1 - documents)), 0.99, "photos");
    source.back_up();
    for (int day = 0; day < days; ++day) {
      source.change(day % 5 == 0 ? 0.03 : 0.01);
      source.add(1, 0.99, "new " + std::to_string(day));
      history.push_back(source.back_up());
    }
  }
  Score judge(bool honest = true) { return score(source.back_up(honest), history, kLeast); }

  Source source;
  std::vector<Reading> history;
};

TEST(Anomaly, ransomware_is_seen_whether_the_client_is_honest_or_lies) {
  for (const bool honest : {true, false}) {
    Month month;
    month.source.encrypt(1.0, true);
    const Score score = month.judge(honest);
    EXPECT_GE(score.points, kLimit) << score.text();
    EXPECT_GE(score.of_server, kLimit) << score.text();
    EXPECT_EQ(score.of_client >= kLimit, honest) << score.of_client;
    EXPECT_THAT(score.text(), HasSubstr("were replaced at once"));
    EXPECT_THAT(score.text(), HasSubstr("does not compress"));
  }
}

TEST(Anomaly, ransomware_that_spares_most_files_is_seen_by_what_does_not_compress) {
  for (const double share : {0.15, 0.3, 0.6}) {
    Month month;
    month.source.encrypt(share, false);
    const Score score = month.judge(false);
    EXPECT_GE(score.points, kLimit) << share << ": " << score.text();
  }
}

TEST(Anomaly, ransomware_on_what_never_compressed_is_seen_when_it_goes_through_all) {
  Month month(0);
  month.source.encrypt(1.0, false);
  const Score score = month.judge(false);
  EXPECT_GE(score.points, kLimit) << score.text();
}

TEST(Anomaly, other_endings_are_remarkable_by_themselves) {
  Month month(0);
  month.source.encrypt(0.3, true);
  const Score score = month.judge(true);
  EXPECT_LT(score.of_server, kLimit);
  EXPECT_GE(score.of_client, kLimit);
  EXPECT_EQ(score.points, score.of_client);
  EXPECT_THAT(score.reasons.front(), HasSubstr("the client says"));
}

TEST(Anomaly, what_a_client_says_only_raises_a_score) {
  Month month;
  month.source.encrypt(1.0, false);
  Reading reading = month.source.back_up(false);
  const unsigned lied = score(reading, month.history, kLeast).points;
  reading.said.reset();
  EXPECT_EQ(score(reading, month.history, kLeast).points, lied);
}

TEST(Anomaly, a_software_upgrade_is_none) {
  for (const double share : {0.1, 0.4, 0.75}) {
    Month month(1.0);
    month.source.change(share);
    const Score score = month.judge();
    EXPECT_LT(score.points, kLimit) << share << ": " << score.text();
  }
}

TEST(Anomaly, a_first_backup_is_none) {
  Source source;
  source.add(1000, 1.0);
  EXPECT_EQ(score(source.back_up(), {}, kLeast).points, 0u);
}

TEST(Anomaly, a_second_backup_with_much_that_is_new_is_none) {
  Source source;
  source.add(300, 0.4);
  source.back_up();
  source.add(900, 0.99, "photos");
  source.change(0.02);
  EXPECT_LT(score(source.back_up(), {}, kLeast).points, kLimit);
}

TEST(Anomaly, a_folder_that_moved_is_none) {
  Month month;
  month.source.move_to("elsewhere");
  const Score score = month.judge();
  EXPECT_LT(score.points, kLimit) << score.text();
  EXPECT_EQ(score.of_server, 0u) << "no content is new";
}

TEST(Anomaly, growth_is_none) {
  for (const size_t many : {100u, 1000u, 10'000u}) {
    Month month;
    month.source.change(0.03);
    month.source.add(many, 1.0, "films");
    EXPECT_LT(month.judge().points, kLimit) << many;
  }
}

TEST(Anomaly, a_source_that_is_always_rewritten_is_itself) {
  Source source;
  source.add(200, 1.0);
  source.back_up();
  std::vector<Reading> history;
  for (int day = 0; day < 10; ++day) {
    source.change(1.0);
    history.push_back(source.back_up());
  }
  source.change(1.0);
  EXPECT_EQ(score(source.back_up(), history, kLeast).points, 0u);
}

TEST(Anomaly, a_source_that_is_rewritten_now_and_then_is_itself) {
  Month month(0.9);
  for (int time = 0; time < 2; ++time) {
    month.source.change(1.0);
    month.history.push_back(month.source.back_up());
    for (int day = 0; day < 7; ++day) {
      month.source.change(0.01);
      month.history.push_back(month.source.back_up());
    }
  }
  month.source.change(1.0);
  EXPECT_LT(month.judge().points, kLimit / 2);
  // That does not excuse what stops to compress.
  month.source.encrypt(1.0, false);
  EXPECT_GE(month.judge(false).of_server, kLimit);
}

// Backups of a source as they are made one after the other, each judged by those before it, as a
// server does.
class Course {
 public:
  explicit Course(const Month& before) : source(before.source) {
    for (const Reading& one : before.history) past_.push_back({one, true});
  }
  Score back_up() {
    const Reading reading = source.back_up(false);
    Score score = watch::score(reading, usual_of(past_, kLeast, 60), kLeast);
    if (score.points < kLimit) past_.push_back({reading, false});
    return score;
  }
  void grow_old() {
    for (Past& one : past_) one.is_old = true;
  }

  Source source;

 private:
  std::vector<Past> past_;
};

TEST(Anomaly, what_is_staged_in_rising_steps_makes_nothing_usual_before_it_is_old) {
  Course course(Month(0));
  for (const double share : {0.3, 0.37, 0.46, 0.57, 0.7, 0.8})
    for (int time = 0; time < 3; ++time) {
      course.source.change(share);
      EXPECT_LT(course.back_up().points, kLimit) << share;
    }
  Course patient = course;
  course.source.encrypt(1.0, false);
  EXPECT_GE(course.back_up().points, kLimit);
  patient.grow_old();
  patient.source.change(0.8);
  EXPECT_EQ(patient.back_up().points, 0u) << "a habit by then";
}

TEST(Anomaly, many_small_changes_make_no_large_one_usual) {
  Course course(Month(0));
  for (int time = 0; time < 100; ++time) {
    if (time % 2 == 0) course.source.change(0.07);
    (void)course.back_up();
  }
  course.source.encrypt(1.0, false);
  EXPECT_GE(course.back_up().points, kLimit);
}

TEST(Anomaly, many_odd_changes_push_out_no_history_that_would_tell) {
  Course course(Month(0));
  for (int time = 0; time < 100; ++time) {
    course.source.change(0.5);
    (void)course.back_up();
  }
  course.source.encrypt(1.0, false);
  EXPECT_GE(course.back_up().points, kLimit);
}

TEST(Anomaly, a_loss_that_is_staged_makes_none_usual) {
  Course course(Month(0));
  for (int time = 0; time < 40; ++time) {
    course.source.add(400, 0.99, "staged " + std::to_string(time));
    (void)course.back_up();
    course.source.remove(0.45);
    EXPECT_LT(course.back_up().points, kLimit);
  }
  course.source.remove(0.95);
  EXPECT_GE(course.back_up().points, kLimit);
}

TEST(Anomaly, hardness_is_not_learnt_from_a_few_blobs) {
  Course course(Month(1.0));
  for (int time = 0; time < 10; ++time) {
    course.source.encrypt(0.05, false);
    (void)course.back_up();
    // Soft content again.
    course.source.add(400, 0.4, "documents");
    (void)course.back_up();
  }
  course.grow_old();
  course.source.encrypt(0.8, false);
  EXPECT_GE(course.back_up().points, kLimit);
}

TEST(Anomaly, a_young_source_that_is_rewritten_now_and_then_is_no_alarm) {
  Source source;
  source.add(200, 0.99);
  source.back_up();
  std::vector<Past> past;
  for (int day = 0; day < 60; ++day) {
    if (day % 7 < 5) source.change(1.0);
    const Reading reading = source.back_up();
    for (size_t i = 0; i < past.size(); ++i) past[i].is_old = i + 14 <= past.size();
    const Score score = watch::score(reading, usual_of(past, kLeast, 60), kLeast);
    EXPECT_LT(score.points, kLimit) << day << ": " << score.text();
    past.push_back({reading, false});
  }
}

TEST(Anomaly, most_of_a_source_that_is_gone_is_one_and_a_third_is_not) {
  Month month;
  month.source.remove(0.33);
  EXPECT_LT(month.judge().points, kLimit);
  Month other;
  other.source.remove(0.95);
  const Score score = other.judge();
  EXPECT_GE(score.points, kLimit) << score.text();
  EXPECT_THAT(score.text(), HasSubstr("are gone"));
}

TEST(Anomaly, a_source_of_a_few_blobs_is_not_judged_by_shares) {
  Source source;
  source.add(1, 0.3);
  source.back_up();
  std::vector<Reading> history;
  for (int day = 0; day < 20; ++day) history.push_back(source.back_up());
  source.encrypt(1.0, false);
  EXPECT_LT(score(source.back_up(), history, kLeast).points, kLimit);
}

TEST(Anomaly, small_blobs_that_are_joined_are_none) {
  Seen seen{1000, 1'000'000'000, 50, 920, 990'000'000, 10, 60'000'000, 40, 90, 70'000'000};
  const Reading reading{seen, std::nullopt};
  EXPECT_LT(score(reading, Month().history, kLeast).points, kLimit);
}

TEST(Anomaly, figures_that_cannot_be_do_no_harm) {
  const uint64_t most = std::numeric_limits<uint64_t>::max();
  const Reading odd{Seen{0, 0, 0, most, most, most, most, most, most, most},
                    Said{0, most, most, most, most, most, most}};
  EXPECT_LE(score(odd, std::vector<Reading>(20, odd), kLeast).points, 100u);
  EXPECT_LE(score(odd, {}, 0).points, 100u);
}

TEST(Anomaly, a_score_says_why) {
  Month month;
  month.source.encrypt(0.5, false);
  const Score score = month.judge();
  ASSERT_FALSE(score.reasons.empty());
  EXPECT_THAT(score.reasons.front(), HasSubstr("(usually "));
  EXPECT_EQ(score.text().find('\n'), std::string::npos);
}

}  // namespace
}  // namespace cb::watch
