// SPDX-License-Identifier: Apache-2.0
//
// The metadata calls of real nodes, over a descriptor that is open for content or only for its
// path; what the real files and folders of tree.cpp have in common. As thread-safe as the system.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "core/os/tree.h"

namespace cb::os {

// Owns a descriptor.
class OwnedFd {
 public:
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  ~OwnedFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

// statx of `name` in the folder, or of the folder itself when the name is empty.
Result<NodeStat> stat_at(int folder, const char* name, const std::string& path);

// Implements the calls of Node for `Base`, which is Node, TreeFile or Folder.
template <typename Base>
class RealNode : public Base {
 public:
  // Takes the descriptor; `path_only` says that it was opened with O_PATH.
  RealNode(int fd, bool path_only, std::string path)
      : fd_(fd), path_only_(path_only), path_(std::move(path)) {}

  Result<NodeStat> stat() override { return stat_at(fd_.get(), "", path_); }
  Result<std::vector<std::string>> xattr_names() override;
  Result<std::optional<std::string>> xattr(const std::string& name) override;
  Result<uint32_t> attributes() override;
  Status set_xattr(const std::string& name, const std::string& value) override;
  Status remove_xattr(const std::string& name) override;
  Status set_attributes(uint32_t attributes) override;
  Status set_owner(uint32_t uid, uint32_t gid) override;
  Status set_mode(uint32_t mode) override;
  Status set_mtime(int64_t ns) override;

 protected:
  [[nodiscard]] tl::unexpected<Error> fault(const char* doing) const {
    return failed(fail_errno(errno, path_, doing));
  }
  // The way to an O_PATH descriptor for calls that take no such thing.
  [[nodiscard]] std::string proc_path() const {
    return "/proc/self/fd/" + std::to_string(fd_.get());
  }

  OwnedFd fd_;
  bool path_only_;
  std::string path_;
};

extern template class RealNode<Node>;
extern template class RealNode<TreeFile>;
extern template class RealNode<Folder>;

}  // namespace cb::os
