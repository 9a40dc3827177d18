// SPDX-License-Identifier: Apache-2.0
//
// See descriptor.h.
#include "descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "cyberbackup/cpp/failure.hpp"
#include "left_out.h"

namespace store_fs {

namespace sdk = cyberbackup::sdk;

namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

}  // namespace

void throw_errno(int os_errno, const std::string& what) {
  if (os_errno == ELOOP || os_errno == ENOTDIR)
    throw sdk::Failure(CB_E_CORRUPT, what + ": there is something else in its place", os_errno,
                       CB_ERROR_PERMANENT);
  throw sdk::os_failure(os_errno, what);
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

void Descriptor::close(const std::string& what) {
  if (::close(std::exchange(fd_, -1)) != 0 && errno != EINTR) throw_errno(errno, what);
}

Descriptor open_folder(int parent, const std::string& name) {
  Descriptor folder(::openat(parent, name.c_str(), kFolderFlags));
  if (!folder && errno != ENOENT) throw_errno(errno, "cannot open folder " + name);
  return folder;
}

Descriptor make_folder(int parent, const std::string& name, bool& made) {
  made = false;
  Descriptor folder = open_folder(parent, name);
  if (folder) return folder;
  if (::mkdirat(parent, name.c_str(), 0700) == 0)
    made = true;
  else if (errno != EEXIST)
    throw_errno(errno, "cannot make folder " + name);
  folder = open_folder(parent, name);
  if (!folder) throw_errno(ENOENT, "cannot open folder " + name);
  return folder;
}

void sync(const Descriptor& fd, const std::string& what) {
  if (is_left_out(Protection::sync)) return;
  if (::fsync(fd.get()) != 0) throw_errno(errno, "cannot make durable " + what);
}

bool rename_file(int from_folder, const std::string& from, int to_folder, const std::string& to,
                 bool if_absent) {
  if (!if_absent) {
    if (::renameat(from_folder, from.c_str(), to_folder, to.c_str()) == 0) return true;
    throw_errno(errno, "cannot rename to " + to);
  }
  if (::renameat2(from_folder, from.c_str(), to_folder, to.c_str(), RENAME_NOREPLACE) == 0)
    return true;
  if (errno == EEXIST) return false;
  if (errno != EINVAL && errno != ENOSYS) throw_errno(errno, "cannot rename to " + to);
  // A file system without RENAME_NOREPLACE: a hard link is as atomic.
  if (::linkat(from_folder, from.c_str(), to_folder, to.c_str(), 0) != 0) {
    if (errno == EEXIST) return false;
    throw_errno(errno, "cannot link to " + to);
  }
  ::unlinkat(from_folder, from.c_str(), 0);
  return true;
}

}  // namespace store_fs
