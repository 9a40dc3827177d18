// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/store_disk.h"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

namespace cb::check {
namespace {

bool write_text(const char* path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  return file.good();
}

// Makes the mounts of this process its own, with the rights to change them: those of root, or of
// the root of a new user namespace in which the user keeps the number it has.
Status own_mounts() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(CLONE_NEWNS) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
      return failed(fail_errno(errno, "this process", "taking mounts of its own"));
    const std::string own_user = std::to_string(user) + " " + std::to_string(user) + " 1";
    const std::string own_group = std::to_string(group) + " " + std::to_string(group) + " 1";
    if (!write_text("/proc/self/uid_map", own_user) ||
        !write_text("/proc/self/setgroups", "deny") || !write_text("/proc/self/gid_map", own_group))
      return failed(Code::denied, "this process", "cannot keep its user in a new namespace");
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return failed(fail_errno(errno, "/", "making its mounts private"));
  return {};
}

}  // namespace

Result<MemoryDisk> MemoryDisk::mount(const os::Path& folder, uint64_t size) {
  CB_TRY(own_mounts());
  const std::string options = "mode=700,size=" + std::to_string(size);
  if (::mount("check", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0)
    return failed(fail_errno(errno, folder.string(), "mounting a small tmpfs"));
  return MemoryDisk(folder);
}

MemoryDisk::~MemoryDisk() {
  if (!folder_.empty()) ::umount2(folder_.c_str(), MNT_DETACH);
}

}  // namespace cb::check
