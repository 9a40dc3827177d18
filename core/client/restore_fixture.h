// SPDX-License-Identifier: Apache-2.0
//
// For tests: restoring snapshots made by hand into a folder of this test. Used by one thread.
#pragma once

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/client/snapshot_fixture.h"

namespace cb::client {

class RestoreFixture : public SnapshotFixture {
 protected:
  RestoreFixture() {
    std::string name = (std::filesystem::temp_directory_path() / "cb-restore-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    std::filesystem::create_directory(folder_ / "state");
    target_ = folder_ / "target";
  }
  ~RestoreFixture() override {
    ::umount2(target_.c_str(), MNT_DETACH);
    std::filesystem::remove_all(folder_);
  }

  RestoreRequest request(const repository::BlobId& root, const std::string& path = {}) {
    RestoreRequest made;
    made.root = root;
    made.path = path;
    made.target = target_;
    return made;
  }

  Result<RestoreResult> restore(const RestoreRequest& wanted) {
    Restore::Parts parts;
    parts.fetcher = fetcher_.get();
    parts.clock = &os::system_clock();
    parts.state_folder = folder_ / "state";
    parts.step = [this](RestoreStep step, const Entry& entry) {
      steps_.push_back(std::string(name_of(step)) + " " + entry.path);
      if (on_step_) on_step_(steps_.size());
    };
    parts.progress = [this](const report::Progress& now) { progress_ = now; };
    restore_ = std::make_unique<Restore>(parts);
    return restore_->run(wanted);
  }

  RestoreResult restored(const RestoreRequest& wanted) {
    auto result = restore(wanted);
    EXPECT_TRUE(result) << result.error().text();
    return result ? *result : RestoreResult();
  }

  static std::vector<std::string> problems(const RestoreResult& result) {
    std::vector<std::string> paths;
    for (const RestoreProblem& problem : result.problems) paths.push_back(problem.path);
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  [[nodiscard]] std::string content(const std::string& path) const {
    return content_in(target_, path);
  }
  static std::string content_in(const std::filesystem::path& folder, const std::string& path) {
    std::ifstream in(folder / path, std::ios::binary);
    if (!in) return "(missing)";
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((target_ / path).parent_path());
    std::ofstream(target_ / path, std::ios::binary) << text;
  }
  [[nodiscard]] struct stat stat_of(const std::string& path) const {
    struct stat found {};
    EXPECT_EQ(::lstat((target_ / path).c_str(), &found), 0) << path;
    return found;
  }
  // Everything in the target, sorted.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    if (!std::filesystem::exists(target_)) return found;
    for (const auto& one : std::filesystem::recursive_directory_iterator(target_))
      found.push_back(std::filesystem::relative(one.path(), target_).string());
    std::sort(found.begin(), found.end());
    return found;
  }
  [[nodiscard]] bool state_is_empty() const { return std::filesystem::is_empty(folder_ / "state"); }

  // A tree of many files, some larger than a blob.
  repository::BlobId large_tree(size_t files) {
    std::vector<Entry> entries{folder("d")};
    const Bytes bundle = text(64 * 1024);
    const Extent shared = data(bundle);
    for (size_t i = 0; i < files; ++i) {
      const std::string path = "d/f" + std::to_string(1000 + i);
      if (i % 5 == 0) {
        Extent part = shared;
        part.offset = i;
        part.length = 1000;
        entries.push_back(file(path, std::vector<Extent>{part}));
      } else {
        entries.push_back(file(path, {data(random_bytes(500 + i, static_cast<uint32_t>(i))),
                                      data(random_bytes(700, static_cast<uint32_t>(i + files)))}));
      }
    }
    return tree(entries);
  }

  using Names = std::vector<std::string>;
  std::filesystem::path folder_, target_;
  std::unique_ptr<Restore> restore_;
  std::vector<std::string> steps_;
  std::function<void(size_t)> on_step_;
  report::Progress progress_;
};

}  // namespace cb::client
