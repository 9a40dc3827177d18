// SPDX-License-Identifier: Apache-2.0
//
// Snapshots and neighbours that want a restore to write somewhere else, and calls that fail.
#include <gtest/gtest.h>

#include <atomic>

#include "core/client/target_folder.h"
#include "core/client/tree_copy_test.h"
#include "core/os/failing_tree_test.h"

namespace cb::client {
namespace {

using repository::Entry;
using repository::EntryKind;

class SafeTargetAttackTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = new_test_folder();
    out_ = folder_ / "out";
    outside_ = folder_ / "outside";
    fs::create_directories(out_);
    fs::create_directories(outside_);
    std::ofstream(outside_ / "victim") << "untouched";
    fs::permissions(outside_ / "victim", fs::perms(0640));
    before_ = outside();
  }
  void TearDown() override { remove_test_folder(folder_); }

  // Everything about what must not change.
  [[nodiscard]] std::string outside() const {
    std::string out;
    for (const fs::path& path : {outside_, outside_ / "victim"}) {
      struct stat st {};
      if (::lstat(path.c_str(), &st) != 0) return "gone";
      for (const auto value : {st.st_mtim.tv_sec, st.st_mtim.tv_nsec, st.st_ctim.tv_nsec})
        out += std::to_string(value) + " ";
      out += std::to_string(st.st_mode) + " " + std::to_string(st.st_nlink) + " ";
    }
    for (const auto& entry : fs::directory_iterator(outside_)) out += entry.path().string();
    return out;
  }

  static Entry entry(const std::string& path, EntryKind kind = EntryKind::file) {
    Entry out;
    out.path = path;
    out.kind = kind;
    out.mode = 0666;
    out.uid = ::geteuid();
    out.gid = ::getegid();
    out.mtime_ns = 5;
    out.target = "/etc/passwd";
    if (kind == EntryKind::file) out.size = 4;
    return out;
  }

  // Tries everything at one path; what comes of it does not matter.
  static void try_everything(SafeTarget& target, const std::string& path) {
    const Entry file = entry(path);
    (void)target.standing(file);
    if (auto growing = target.begin_file(file)) {
      (void)(*growing)->write_at(0, as_bytes("evil"));
      (void)(*growing)->finish();
    }
    (void)target.make_symlink(entry(path, EntryKind::symlink));
    (void)target.make_special(entry(path, EntryKind::fifo));
    (void)target.make_hard_link(entry(path), "own");
    (void)target.make_hard_link(entry("linked"), path);
    (void)target.settle(file);
    (void)target.make_folder(entry(path, EntryKind::folder));
    (void)target.finish_folder(entry(path, EntryKind::folder));
  }

  std::unique_ptr<SafeTarget> open(os::Tree& tree, Overwrite overwrite = Overwrite::always) {
    SafeTarget::Options options;
    options.overwrite = overwrite;
    return SafeTarget::open({&tree, &names_, {}}, out_, options).value();
  }

  fs::path folder_, out_, outside_;
  std::string before_;
  os::AccountNames names_;
};

TEST_F(SafeTargetAttackTest, a_path_that_leads_out_is_refused_by_every_call) {
  const auto target = open(os::real_tree());
  for (const std::string& path :
       {std::string("../outside/victim"), outside_.string() + "/victim", std::string("a/../../x"),
        std::string(".."), std::string("."), std::string("a//b"), std::string("a/"),
        std::string(""), std::string("../outside/new"), std::string("a\0b", 3),
        std::string("a/./b")}) {
    EXPECT_EQ(target->standing(entry(path)).error().code, Code::corrupt) << path;
    EXPECT_EQ(target->begin_file(entry(path)).error().code, Code::corrupt) << path;
    EXPECT_EQ(target->make_folder(entry(path, EntryKind::folder)).error().code, Code::corrupt);
    EXPECT_EQ(target->finish_folder(entry(path, EntryKind::folder)).error().code, Code::corrupt);
    EXPECT_FALSE(target->open_file(path));
    try_everything(*target, path);
    EXPECT_EQ(outside(), before_) << path;
  }
}

TEST_F(SafeTargetAttackTest, symbolic_links_of_the_snapshot_or_the_target_are_not_followed) {
  for (const Overwrite overwrite : {Overwrite::always, Overwrite::if_changed, Overwrite::never}) {
    fs::remove_all(out_);
    const auto target = open(os::real_tree(), overwrite);
    Entry link = entry("link", EntryKind::symlink);
    link.target = outside_;
    ASSERT_TRUE(target->make_symlink(link));
    fs::create_symlink(outside_ / "victim", out_ / "victim");
    for (const char* path : {"link/victim", "link/new", "link/d/e"}) {
      EXPECT_FALSE(target->begin_file(entry(path))) << path;
      try_everything(*target, path);
      EXPECT_EQ(outside(), before_) << path;
    }
    for (const char* path : {"victim", "link"}) {
      try_everything(*target, path);
      EXPECT_EQ(outside(), before_) << path;
    }
    if (overwrite == Overwrite::never) {
      EXPECT_TRUE(fs::is_symlink(out_ / "victim"));
      continue;
    }
    // Where the snapshot has a folder, the link is replaced by one.
    EXPECT_TRUE(fs::is_directory(fs::symlink_status(out_ / "link")));
    EXPECT_TRUE(target->begin_file(entry("link/new")));
  }
}

TEST_F(SafeTargetAttackTest, a_temporary_name_that_is_taken_leads_nowhere) {
  const Entry file = entry("f");
  fs::create_symlink(outside_ / "victim", out_ / temporary_name(file));
  for (const bool resume : {false, true}) {
    SafeTarget::Options options;
    options.resume = resume;
    const auto target = SafeTarget::open({&os::real_tree(), &names_, {}}, out_, options).value();
    const auto growing = target->begin_file(file).value();
    EXPECT_FALSE(growing->resumed());
    ASSERT_TRUE(growing->write_at(0, as_bytes("evil")));
    ASSERT_TRUE(growing->finish());
    EXPECT_EQ(fs::file_size(outside_ / "victim"), 9U);
    EXPECT_EQ(fs::status(outside_ / "victim").permissions(), fs::perms(0640));
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(out_ / "f")));
    fs::create_hard_link(outside_ / "victim", out_ / temporary_name(file));  // for the next round
  }
}

TEST_F(SafeTargetAttackTest, a_folder_that_is_swapped_for_a_link_at_any_moment_leads_nowhere) {
  const auto attack = [&](int moment) {  // the number of calls that were made
    fs::remove_all(out_);
    fs::create_directories(out_ / "d/e");
    std::ofstream(out_ / "own") << "own";
    int left = moment;
    int calls = 0;
    os::FailingTree tree([&](const std::string&, const std::string&) {
      ++calls;
      if (--left != 0) return 0;
      fs::rename(out_ / "d", out_ / "moved");
      fs::create_symlink(outside_, out_ / "d");
      return 0;
    });
    const auto target = open(tree);
    for (const char* path : {"d", "d/e", "d/victim", "d/e/victim", "d/new/er"})
      try_everything(*target, path);
    (void)target->finish();
    return calls;
  };
  const int total = attack(-1);
  ASSERT_GT(total, 100);
  for (int moment = 1; moment <= total; ++moment) {
    attack(moment);
    ASSERT_EQ(outside(), before_) << "swapped at call " << moment;
  }
}

TEST_F(SafeTargetAttackTest,
       whichever_call_fails_no_file_is_half_there_and_the_next_run_mends_all) {
  const fs::path source = folder_ / "source";
  fs::create_directories(source / "d/e");
  std::ofstream(source / "d/f") << std::string(5000, 'f');
  std::ofstream(source / "d/e/g") << std::string(9000, 'g');
  fs::create_hard_link(source / "d/f", source / "second");
  fs::create_symlink("d/f", source / "link");
  ASSERT_EQ(::mkfifo((source / "fifo").c_str(), 0600), 0);
  std::map<std::string, int> told;
  const auto copy = [&](os::Tree& tree) {
    SafeTarget::Options options;
    options.overwrite = Overwrite::if_changed;
    const auto problem = [&](const std::string& path, Error) { ++told[path]; };
    auto target = SafeTarget::open({&tree, &names_, problem}, out_, options);
    if (!target) return CopyResult{{{"", target.error()}}, 0};
    return TreeCopy(**target, source).run();
  };
  int calls = 0;
  os::FailingTree counting([&](const std::string&, const std::string&) { return ++calls, 0; });
  EXPECT_TRUE(copy(counting).failures.empty());
  EXPECT_EQ(differences(source, out_), "");
  const int total = calls;
  ASSERT_GT(total, 50);
  for (int n = 1; n <= total; ++n) {
    SCOPED_TRACE("call " + std::to_string(n));
    remove_test_folder(out_);
    told.clear();
    int left = n;
    std::string failed_call;
    os::FailingTree failing([&](const std::string& call, const std::string& path) {
      if (--left != 0) return 0;
      failed_call = call + " " + path;
      return ENOSPC;
    });
    const CopyResult result = copy(failing);
    const bool quiet = result.failures.empty() && told.empty();
    // Nothing is lost in silence: either it was told, or it did not matter.
    EXPECT_EQ(quiet ? differences(source, out_) : "", "") << failed_call;
    for (const char* path : {"d/f", "d/e/g", "second"}) {
      std::error_code none;
      const auto size = fs::file_size(out_ / path, none);
      EXPECT_TRUE(none || size == fs::file_size(source / path)) << failed_call;
    }
    EXPECT_TRUE(copy(os::real_tree()).failures.empty());
    EXPECT_EQ(differences(source, out_), "") << failed_call;
    EXPECT_EQ(leftovers(out_), std::vector<std::string>()) << failed_call;
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace cb::client
