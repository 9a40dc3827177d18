// SPDX-License-Identifier: Apache-2.0
//
// Restores that are cut off or killed, and go on.
#include <fcntl.h>
#include <sys/wait.h>

#include <csignal>

#include "core/client/restore_fixture.h"

namespace cb::client {
namespace {

namespace fs = std::filesystem;
using repository::BlobId;

class ResumingRestore : public RestoreFixture {};

TEST_F(ResumingRestore, an_interrupted_restore_goes_on_where_it_was) {
  const BlobId root = large_tree(2000);
  forget_keys();
  remote_->gets_until_closed = 1500;
  EXPECT_EQ(repository::code_of(restore(request(root))), Code::closed);
  EXPECT_FALSE(state_is_empty());
  const size_t there = names().size();
  ASSERT_GT(there, 100U);
  forget_keys();
  RestoreRequest wanted = request(root);
  wanted.resume = true;
  const RestoreResult result = restored(wanted);
  EXPECT_EQ(result.problem_count, 0U);
  EXPECT_GE(result.counts.files_kept + 300, there);
  EXPECT_LT(remote_->asked.size(), 3400U - 1000U);
  EXPECT_TRUE(state_is_empty());
  EXPECT_EQ(names().size(), 2001U);
  for (const std::string& name : names()) EXPECT_EQ(name.find(".cyberbackup"), std::string::npos);
  RestoreRequest all = request(root);
  all.target = folder_ / "whole";
  restored(all);
  for (const auto& one : fs::recursive_directory_iterator(folder_ / "whole")) {
    if (!one.is_regular_file()) continue;
    std::ifstream in(one.path(), std::ios::binary);
    const std::string expected{std::istreambuf_iterator<char>(in), {}};
    ASSERT_TRUE(content(fs::relative(one.path(), folder_ / "whole").string()) == expected);
  }
}

TEST_F(ResumingRestore, what_was_written_of_a_large_file_is_not_fetched_again) {
  std::vector<Extent> pieces;
  std::string expected;
  for (uint32_t i = 0; i < 40; ++i) {
    const Bytes piece = random_bytes(100'000, i);
    pieces.push_back(data(piece));
    expected += as_text(piece);
  }
  const BlobId root = tree({file("large", pieces)});
  forget_keys();
  remote_->gets_until_closed = 30;
  RestoreRequest wanted = request(root);
  wanted.threads = 1;
  EXPECT_EQ(repository::code_of(restore(wanted)), Code::closed);
  forget_keys();
  wanted.resume = true;
  EXPECT_EQ(restored(wanted).problem_count, 0U);
  EXPECT_TRUE(content("large") == expected);
  EXPECT_LT(remote_->asked.size(), 25U);
  EXPECT_EQ(names(), Names{"large"});
}

TEST_F(ResumingRestore, resuming_replaces_what_was_there_before_but_not_what_it_made) {
  const BlobId root = large_tree(1000);
  for (int i = 0; i < 1000; ++i) {
    // Of the right size and time, but something else.
    const std::string path = "d/f" + std::to_string(1000 + i);
    const size_t size = i % 5 == 0 ? 1000 : static_cast<size_t>(1200 + i);
    write(path, std::string(size, 'x'));
    const timespec times[2] = {{1'600'000'000, 123'456'789}, {1'600'000'000, 123'456'789}};
    ::utimensat(AT_FDCWD, (target_ / path).c_str(), times, 0);
  }
  RestoreRequest wanted = request(root);
  wanted.overwrite = Overwrite::always;
  forget_keys();
  remote_->gets_until_closed = 1000;
  EXPECT_EQ(repository::code_of(restore(wanted)), Code::closed);
  wanted.resume = true;
  forget_keys();
  const RestoreResult result = restored(wanted);
  EXPECT_GT(result.counts.files_kept, 50U);
  for (int i = 0; i < 1000; ++i)
    ASSERT_NE(content("d/f" + std::to_string(1000 + i)).substr(0, 3), "xxx") << i;
}

TEST_F(ResumingRestore, killed_at_any_moment_it_goes_on_and_ends_with_the_same) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  RestoreRequest wanted = request(large_tree(1500));
  bool ended = false;
  for (int round = 0; round < 40 && !ended; ++round) {
    wanted.resume = round > 0;
    const uint64_t asks = 20 + random() % 400;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      std::atomic<uint64_t> asked{0};
      remote_->on_get = [&] {
        if (++asked > asks) ::raise(SIGKILL);
      };
      const auto result = restore(wanted);
      ::_exit(result && result->problem_count == 0 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ended = WIFEXITED(status);
    ASSERT_TRUE(!ended || WEXITSTATUS(status) == 0);
  }
  EXPECT_TRUE(ended) << "it made no progress";
  EXPECT_EQ(names().size(), 1501U);
  const Names made = names();
  wanted = request(wanted.root);
  wanted.target = folder_ / "whole";
  restored(wanted);
  for (const std::string& name : made)
    ASSERT_TRUE(name == "d" || content(name) == content_in(wanted.target, name)) << name;
}

}  // namespace
}  // namespace cb::client
