// SPDX-License-Identifier: Apache-2.0
//
// For tests: the system's files, but the n-th call that changes something fails, and all after it,
// as if the power had gone. Used by one thread.
#pragma once

#include <limits>

#include "core/os/file_system.h"

namespace cb::client {

class FailingFileSystem : public os::FileSystem {
 public:
  // `good` calls succeed; by default all.
  explicit FailingFileSystem(size_t good = std::numeric_limits<size_t>::max()) : good_(good) {}

  [[nodiscard]] size_t changes() const { return changes_; }
  // From now on all succeed.
  void mend() { good_ = std::numeric_limits<size_t>::max(); }

  Result<std::unique_ptr<os::File>> open(const os::Path& path, os::Open how,
                                         uint32_t permissions) override {
    if (how != os::Open::read) CB_TRY(change(path));
    return real().open(path, how, permissions);
  }
  Result<std::unique_ptr<os::File>> open_unnamed(const os::Path& folder) override {
    return real().open_unnamed(folder);
  }
  Status rename(const os::Path& from, const os::Path& to) override {
    CB_TRY(change(to));
    return real().rename(from, to);
  }
  Status remove(const os::Path& path) override {
    CB_TRY(change(path));
    return real().remove(path);
  }
  Status make_folders(const os::Path& path, uint32_t permissions) override {
    CB_TRY(change(path));
    return real().make_folders(path, permissions);
  }
  Result<std::vector<std::string>> list(const os::Path& folder) override {
    return real().list(folder);
  }
  Result<os::FileInfo> info(const os::Path& path) override { return real().info(path); }
  Status sync_folder(const os::Path& folder) override {
    CB_TRY(change(folder));
    return real().sync_folder(folder);
  }
  Result<os::Space> space(const os::Path& path) override { return real().space(path); }

 private:
  static os::FileSystem& real() { return os::real_file_system(); }
  Status change(const os::Path& path) {
    if (changes_++ < good_) return {};
    return failed(Code::io, path.string(), "the disk is gone");
  }

  size_t good_;
  size_t changes_ = 0;
};

}  // namespace cb::client
