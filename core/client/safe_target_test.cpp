// SPDX-License-Identifier: Apache-2.0
//
// Restoring into a folder, judged by rsync, lsattr and lstat.
#include "core/client/safe_target.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "core/client/target_folder.h"
#include "core/client/tree_copy_test.h"

namespace cb::client {
namespace {

using repository::Entry;
using repository::EntryKind;

class SafeTargetTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = new_test_folder();
    source_ = folder_ / "source";
    out_ = folder_ / "out";
    fs::create_directories(source_);
  }
  void TearDown() override { remove_test_folder(folder_); }

  std::unique_ptr<SafeTarget> open(SafeTarget::Options options = {}) {
    const auto problem = [this](const std::string& path, Error error) {
      problems_.emplace_back(path + ": " + error.text());
    };
    return SafeTarget::open({&os::real_tree(), &names_, problem}, out_, options).value();
  }
  CopyResult copy(SafeTarget::Options options = {}) {
    const auto target = open(options);
    CopyResult result = TreeCopy(*target, source_).run();
    for (const auto& [path, error] : result.failures) ADD_FAILURE() << path << ": " << error.text();
    return result;
  }
  static SafeTarget::Options with(Overwrite overwrite) {
    SafeTarget::Options options;
    options.overwrite = overwrite;
    return options;
  }
  static Entry file(const std::string& path, const std::string& content) {
    Entry entry;
    entry.path = path;
    entry.mode = 0644;
    entry.uid = ::geteuid();
    entry.gid = ::getegid();
    entry.size = content.size();
    entry.mtime_ns = 1'000'000'007;
    return entry;
  }
  static Status write(SafeTarget& target, const Entry& entry, const std::string& content) {
    CB_ASSIGN(const auto growing, target.begin_file(entry));
    CB_TRY(growing->write_at(0, as_bytes(content)));
    return growing->finish();
  }
  [[nodiscard]] std::string read(const std::string& path) const {
    std::ifstream in(out_ / path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path folder_, source_, out_;
  os::AccountNames names_;
  std::vector<std::string> problems_;
};

TEST_F(SafeTargetTest, a_tree_with_everything_comes_back_as_it_was) {
  make_everything(source_);
  copy();
  EXPECT_EQ(problems_, std::vector<std::string>());
  EXPECT_EQ(differences(source_, out_), "");
  EXPECT_EQ(flags_and_blocks(source_), flags_and_blocks(out_));
  EXPECT_EQ(leftovers(out_), std::vector<std::string>());
}

TEST_F(SafeTargetTest, restoring_again_over_it_writes_nothing_and_over_a_changed_tree_mends_it) {
  make_everything(source_);
  const int files = copy().copied;
  EXPECT_EQ(copy().copied, 0);
  EXPECT_EQ(differences(source_, out_), "");
  ASSERT_TRUE(run(out_,
                  "chattr -ia -- -rf plain sub/deeper/empty 2> /dev/null || true; rm -f plain;"
                  "rm -rf sub/deeper; ln -s /tmp sub/deeper; rm link; mkdir link; chmod 777 old;"
                  "touch -d @5 sub/large; rm sub/fifo; echo x > sub/fifo; rm -f hole; mkfifo hole;"
                  "chattr +i sub empty 2> /dev/null || true"));
  EXPECT_LT(copy().copied, files);
  EXPECT_EQ(differences(source_, out_), "");
  EXPECT_EQ(flags_and_blocks(source_), flags_and_blocks(out_));
  EXPECT_EQ(copy(with(Overwrite::always)).copied, files);
  EXPECT_EQ(differences(source_, out_), "");
  EXPECT_EQ(leftovers(out_), std::vector<std::string>());
}

TEST_F(SafeTargetTest, extended_attributes_and_acls_that_the_entry_lacks_are_taken_away) {
  fs::create_directories(source_ / "d");
  std::ofstream(source_ / "d/f") << "x";
  copy();
  if (!run(out_, "setfattr -n user.more -v 1 d/f && setfacl -m u:1:r d/f && setfacl -d -m u:2:r d"))
    GTEST_SKIP() << "no ACLs here";
  copy(with(Overwrite::if_changed));
  EXPECT_EQ(differences(source_, out_), "");
  ASSERT_TRUE(run(out_, "rm d/f; setfacl -d -m u:2:r d"));  // the new file would inherit one
  copy();
  EXPECT_EQ(differences(source_, out_), "");
}

TEST_F(SafeTargetTest, never_leaves_alone_what_is_there_and_adds_what_is_missing) {
  fs::create_directories(source_ / "d");
  std::ofstream(source_ / "d/f") << "new";
  std::ofstream(source_ / "d/g") << "new";
  fs::create_directories(out_ / "d");
  std::ofstream(out_ / "d/f") << "mine";
  fs::permissions(out_ / "d", fs::perms(0711));
  copy(with(Overwrite::never));
  EXPECT_EQ(read("d/f"), "mine");
  EXPECT_EQ(read("d/g"), "new");
  EXPECT_EQ(fs::status(out_ / "d").permissions(), fs::perms(0711));
  const auto target = open(with(Overwrite::never));
  EXPECT_EQ(write(*target, file("d/f", "x"), "x").error().code, Code::exists);
  Entry folder;
  folder.path = "d/f";
  folder.kind = EntryKind::folder;
  EXPECT_EQ(target->standing(folder).error().code, Code::exists);
  EXPECT_EQ(target->make_folder(folder).error().code, Code::exists);
  EXPECT_EQ(read("d/f"), "mine");
  EXPECT_EQ(leftovers(out_), std::vector<std::string>());
}

TEST_F(SafeTargetTest, a_folder_with_something_in_it_is_never_replaced) {
  fs::create_directories(out_ / "f");
  const auto target = open(with(Overwrite::always));
  EXPECT_EQ(target->standing(file("f", "x")).value(), SafeTarget::Standing::replaced);
  std::ofstream(out_ / "f/precious") << "x";
  EXPECT_EQ(target->standing(file("f", "x")).error().code, Code::exists);
  EXPECT_EQ(write(*target, file("f", "x"), "x").error().code, Code::exists);
  EXPECT_TRUE(fs::exists(out_ / "f/precious"));
  EXPECT_EQ(leftovers(out_), std::vector<std::string>());
}

TEST_F(SafeTargetTest, a_file_has_its_name_only_when_it_is_whole_and_is_gone_when_given_up) {
  const auto target = open();
  const Entry entry = file("d/f", "content");
  {
    const auto growing = target->begin_file(entry).value();
    ASSERT_TRUE(growing->write_at(0, as_bytes("cont")));
    EXPECT_FALSE(fs::exists(out_ / "d/f"));
    EXPECT_EQ(leftovers(out_).size(), 1U);
    EXPECT_EQ(growing->write_at(5, as_bytes("ent")).error().code, Code::invalid);
    EXPECT_EQ(growing->write_at(UINT64_MAX, as_bytes("x")).error().code, Code::invalid);
  }
  EXPECT_EQ(leftovers(out_), std::vector<std::string>());
  EXPECT_FALSE(fs::exists(out_ / "d/f"));
  ASSERT_TRUE(write(*target, entry, "content"));
  EXPECT_EQ(read("d/f"), "content");
  struct stat now {};
  ASSERT_EQ(::lstat((out_ / "d/f").c_str(), &now), 0);
  EXPECT_EQ(now.st_mtim.tv_sec * 1'000'000'000 + now.st_mtim.tv_nsec, entry.mtime_ns);
  EXPECT_EQ(now.st_mode & 07777, 0644U);
}

TEST_F(SafeTargetTest, what_an_interrupted_restore_left_is_taken_up_or_removed) {
  const Entry entry = file("d/f", "content");
  Entry folder;
  folder.path = "d";
  folder.kind = EntryKind::folder;
  folder.mode = 0755;
  const auto interrupt = [&] {
    const auto target = open();
    ASSERT_TRUE(target->make_folder(folder));
    const auto growing = target->begin_file(entry).value();
    EXPECT_FALSE(growing->resumed());
    ASSERT_TRUE(growing->write_at(0, as_bytes("cont")));
    growing->keep();
  };
  interrupt();
  ASSERT_EQ(leftovers(out_).size(), 1U);
  SafeTarget::Options resume;
  resume.resume = true;
  {
    const auto target = open(resume);
    ASSERT_TRUE(target->make_folder(folder));
    const auto growing = target->begin_file(entry).value();
    EXPECT_TRUE(growing->resumed());
    Bytes start(4);
    EXPECT_EQ(growing->read_at(start, 0).value(), 4U);
    EXPECT_EQ(as_text(start), "cont");
    ASSERT_TRUE(growing->write_at(4, as_bytes("ent")));
    ASSERT_TRUE(growing->finish());
    ASSERT_TRUE(target->finish_folder(folder));
    ASSERT_TRUE(target->finish());
  }
  EXPECT_EQ(read("d/f"), "content");
  fs::remove(out_ / "d/f");
  interrupt();
  ASSERT_TRUE(open()->make_folder(folder));  // without resume: begun anew
  EXPECT_EQ(leftovers(out_), std::vector<std::string>());
  interrupt();
  {
    const auto target = open(resume);  // the entry is not there any more
    ASSERT_TRUE(target->make_folder(folder));
    ASSERT_TRUE(target->finish_folder(folder));
  }
  EXPECT_EQ(leftovers(out_), std::vector<std::string>());
}

TEST_F(SafeTargetTest, an_entry_that_is_called_like_a_temporary_file_is_restored) {
  const auto target = open();
  Entry odd = file("d/x", "odd");
  odd.path = "d/" + temporary_name(odd);
  ASSERT_TRUE(is_temporary_name(odd.path.substr(2)));
  ASSERT_TRUE(write(*target, odd, "odd"));
  Entry folder;
  folder.path = "d";
  folder.kind = EntryKind::folder;
  folder.mode = 0755;
  ASSERT_TRUE(target->finish_folder(folder));
  ASSERT_TRUE(target->finish());
  EXPECT_EQ(read(odd.path), "odd");
}

TEST_F(SafeTargetTest, several_threads_write_into_the_same_folders) {
  const auto target = open();
  std::vector<std::thread> threads;
  std::atomic<int> failed = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const std::string path =
            "a/" + std::to_string(i % 10) + "/" + std::to_string(i) + "-" + std::to_string(t);
        Entry folder;
        folder.path = "a/" + std::to_string(i % 10);
        folder.kind = EntryKind::folder;
        if (i % 3 == t % 3 && !target->make_folder(folder)) ++failed;
        if (!write(*target, file(path, path), path)) ++failed;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  for (int t = 0; t < 4; ++t)
    for (int i = 0; i < 100; ++i) {
      const std::string path =
          "a/" + std::to_string(i % 10) + "/" + std::to_string(i) + "-" + std::to_string(t);
      ASSERT_EQ(read(path), path);
    }
}

TEST_F(SafeTargetTest, a_dry_run_looks_and_makes_nothing) {
  SafeTarget::Options options;
  options.dry_run = true;
  EXPECT_EQ(open(options)->standing(file("a/b", "x")).value(), SafeTarget::Standing::absent);
  EXPECT_FALSE(fs::exists(out_));
}

TEST_F(SafeTargetTest, a_user_who_may_not_set_owners_or_devices_is_told_and_gets_the_rest) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs to be root to become somebody else";
  make_everything(source_);
  fs::create_directories(out_);
  ASSERT_TRUE(run(folder_, "chmod 755 . && chown 1 out"));
  const auto target = open();
  ASSERT_EQ(::seteuid(1), 0);
  Entry owned = file("owned", "x");
  owned.uid = 12345;
  owned.mode = 04755;
  const Status written = write(*target, owned, "x");
  Entry device = owned;
  device.path = "device";
  device.kind = EntryKind::character_device;
  device.major = 1;
  device.minor = 3;
  const Status made = target->make_special(device);
  Entry folder;
  folder.path = "tight";
  folder.kind = EntryKind::folder;
  folder.mode = 0500;
  folder.uid = 1;
  std::vector<Status> steps;
  steps.push_back(target->make_folder(folder));
  steps.push_back(target->finish_folder(folder));
  steps.push_back(target->make_folder(folder));  // again over a folder that may not be written to
  steps.push_back(write(*target, file("tight/f", "y"), "y"));
  steps.push_back(target->finish_folder(folder));
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_TRUE(written);
  EXPECT_EQ(made.error().code, Code::denied);
  for (const Status& step : steps) EXPECT_TRUE(step) << step.error().text();
  EXPECT_EQ(read("tight/f"), "y");
  ASSERT_FALSE(problems_.empty());
  EXPECT_NE(problems_.front().find("owner"), std::string::npos);
  // Without its owner it must not run with the rights of somebody else.
  EXPECT_EQ(fs::status(out_ / "owned").permissions(), fs::perms(0755));
}

}  // namespace
}  // namespace cb::client
