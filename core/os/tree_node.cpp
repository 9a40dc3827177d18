// SPDX-License-Identifier: Apache-2.0
#include "core/os/tree_node.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace cb::os {
namespace {

constexpr int64_t kNanoseconds = 1'000'000'000;

int64_t nanoseconds(const statx_timestamp& time) {
  return time.tv_sec * kNanoseconds + static_cast<int64_t>(time.tv_nsec);
}

timespec timespec_of(int64_t ns) {
  int64_t seconds = ns / kNanoseconds;
  if (ns % kNanoseconds < 0) --seconds;  // tv_nsec is never negative, also before 1970
  timespec time{};
  time.tv_sec = seconds;
  time.tv_nsec = static_cast<long>(ns - seconds * kNanoseconds);
  return time;
}

// Calls `call(buffer, size)`, which answers with how much there is, with a buffer that is large
// enough; -1 as the system's calls.
template <typename Call>
ssize_t with_room(std::string& out, Call call) {
  std::array<char, 1024> small{};
  ssize_t n = call(small.data(), small.size());
  if (n >= 0) {
    out.assign(small.data(), static_cast<size_t>(n));
    return n;
  }
  while (errno == ERANGE) {
    n = call(nullptr, 0);
    if (n < 0) break;
    out.resize(static_cast<size_t>(n) + 64);
    n = call(out.data(), out.size());
    if (n < 0) continue;
    out.resize(static_cast<size_t>(n));
    return n;
  }
  return -1;
}

bool no_xattrs(int problem) { return problem == ENOTSUP || problem == ENOSYS; }

}  // namespace

const uint32_t kSettableAttributes = FS_SECRM_FL | FS_UNRM_FL | FS_COMPR_FL | FS_SYNC_FL |
                                     FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL |
                                     FS_JOURNAL_DATA_FL | FS_NOTAIL_FL | FS_DIRSYNC_FL |
                                     FS_TOPDIR_FL | FS_NOCOW_FL;
const uint32_t kLockingAttributes = FS_IMMUTABLE_FL | FS_APPEND_FL;
const uint32_t kEarlyAttributes = FS_NOCOW_FL | FS_COMPR_FL;

Result<NodeStat> stat_at(int folder, const char* name, const std::string& path) {
  struct statx st {};
  const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name == 0 ? AT_EMPTY_PATH : 0);
  if (::statx(folder, name, flags, STATX_BASIC_STATS, &st) != 0)
    return failed(fail_errno(errno, *name == 0 ? path : path + "/" + name, "stat"));
  NodeStat out;
  out.mode = st.stx_mode;
  out.uid = st.stx_uid;
  out.gid = st.stx_gid;
  out.links = st.stx_nlink;
  out.size = st.stx_size;
  out.allocated = st.stx_blocks * 512;
  out.mtime_ns = nanoseconds(st.stx_mtime);
  out.ctime_ns = nanoseconds(st.stx_ctime);
  out.device = makedev(st.stx_dev_major, st.stx_dev_minor);
  out.inode = st.stx_ino;
  out.major = st.stx_rdev_major;
  out.minor = st.stx_rdev_minor;
  return out;
}

template <typename Base>
Result<std::vector<std::string>> RealNode<Base>::xattr_names() {
  std::string list;
  const ssize_t n = with_room(list, [&](char* into, size_t size) {
    return path_only_ ? ::listxattr(proc_path().c_str(), into, size)
                      : ::flistxattr(fd_.get(), into, size);
  });
  if (n < 0 && no_xattrs(errno)) return std::vector<std::string>();
  if (n < 0) return fault("list extended attributes");
  std::vector<std::string> names;
  for (size_t at = 0; at < list.size();) {
    names.emplace_back(list.c_str() + at);
    at += names.back().size() + 1;
  }
  std::sort(names.begin(), names.end());
  return names;
}

template <typename Base>
Result<std::optional<std::string>> RealNode<Base>::xattr(const std::string& name) {
  std::string value;
  const ssize_t n = with_room(value, [&](char* into, size_t size) {
    return path_only_ ? ::getxattr(proc_path().c_str(), name.c_str(), into, size)
                      : ::fgetxattr(fd_.get(), name.c_str(), into, size);
  });
  if (n >= 0) return std::optional<std::string>(std::move(value));
  if (errno == ENODATA || no_xattrs(errno)) return std::optional<std::string>();
  return fault("read an extended attribute");
}

template <typename Base>
Status RealNode<Base>::set_xattr(const std::string& name, const std::string& value) {
  const int done =
      path_only_ ? ::setxattr(proc_path().c_str(), name.c_str(), value.data(), value.size(), 0)
                 : ::fsetxattr(fd_.get(), name.c_str(), value.data(), value.size(), 0);
  if (done != 0) return fault(("set extended attribute " + name).c_str());
  return {};
}

template <typename Base>
Status RealNode<Base>::remove_xattr(const std::string& name) {
  const int done = path_only_ ? ::removexattr(proc_path().c_str(), name.c_str())
                              : ::fremovexattr(fd_.get(), name.c_str());
  if (done != 0 && errno != ENODATA) return fault(("remove extended attribute " + name).c_str());
  return {};
}

template <typename Base>
Result<uint32_t> RealNode<Base>::attributes() {
  unsigned long value = 0;  // the system writes an int, whatever the name of the call says
  if (path_only_) return failed(fail_errno(EACCES, path_, "read its attributes"));
  if (::ioctl(fd_.get(), FS_IOC_GETFLAGS, &value) == 0) return static_cast<uint32_t>(value);
  if (errno == ENOTTY || errno == EINVAL || errno == ENOTSUP || errno == ENOSYS)
    return failed(Code::unsupported, path_, "lies in a file system without attributes");
  return fault("read its attributes");
}

template <typename Base>
Status RealNode<Base>::set_attributes(uint32_t attributes) {
  const OwnedFd again(path_only_ ? ::open(proc_path().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)
                                 : -1);
  if (path_only_ && again.get() < 0) return fault("open it for its attributes");
  const auto value = static_cast<int>(attributes);
  if (::ioctl(path_only_ ? again.get() : fd_.get(), FS_IOC_SETFLAGS, &value) != 0)
    return fault("set its attributes");
  return {};
}

template <typename Base>
Status RealNode<Base>::set_owner(uint32_t uid, uint32_t gid) {
  if (::fchownat(fd_.get(), "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0)
    return fault("set its owner");
  return {};
}

template <typename Base>
Status RealNode<Base>::set_mode(uint32_t mode) {
  const int done =
      path_only_ ? ::chmod(proc_path().c_str(), mode & 07777) : ::fchmod(fd_.get(), mode & 07777);
  if (done != 0) return fault("set its permissions");
  return {};
}

template <typename Base>
Status RealNode<Base>::set_mtime(int64_t ns) {
  timespec times[2] = {{0, UTIME_OMIT}, timespec_of(ns)};
  int done = ::utimensat(fd_.get(), "", times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
  // Before Linux 5.8 the empty path is refused.
  if (done != 0 && errno == EINVAL && !path_only_) done = ::futimens(fd_.get(), times);
  if (done != 0) return fault("set its time");
  return {};
}

template class RealNode<Node>;
template class RealNode<TreeFile>;
template class RealNode<Folder>;

}  // namespace cb::os
