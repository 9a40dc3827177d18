// SPDX-License-Identifier: Apache-2.0
//
// See lock_file.h.
#include "lock_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "cyberbackup/cpp/failure.hpp"

namespace store_sqlite {

namespace {

constexpr int64_t kOwners = int64_t{1} << 62;

}  // namespace

LockFile::LockFile(const std::string& database) {
  const std::string path = database + "-locks";
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd_ < 0) throw cyberbackup::sdk::os_failure(errno, "cannot open " + path);
}

LockFile::~LockFile() { ::close(fd_); }

int LockFile::set(int64_t byte, short type) noexcept {
  struct flock region {};
  region.l_type = type;
  region.l_whence = SEEK_SET;
  region.l_start = byte;
  region.l_len = 1;
  return ::fcntl(fd_, F_OFD_SETLK, &region) == 0 ? 0 : errno;
}

bool LockFile::lock(int64_t byte, short type) {
  const int os_errno = set(byte, type);
  if (os_errno == 0) return true;
  if (os_errno == EAGAIN || os_errno == EACCES) return false;
  throw cyberbackup::sdk::os_failure(os_errno, "cannot lock the store's file of locks");
}

bool LockFile::own(int64_t owner) {
  const std::lock_guard guard(mutex_);
  if (!lock(kOwners + owner, F_WRLCK)) return false;
  owner_ = owner;
  return true;
}

bool LockFile::is_owned(int64_t owner) {
  const std::lock_guard guard(mutex_);
  if (owner == owner_) return true;
  if (!lock(kOwners + owner, F_WRLCK)) return true;
  set(kOwners + owner, F_UNLCK);
  return false;
}

bool LockFile::pin(int64_t content) {
  const std::lock_guard guard(mutex_);
  const auto known = readers_.find(content);
  if (known == readers_.end() && !lock(content, F_RDLCK)) return false;
  ++readers_[content];
  return true;
}

void LockFile::unpin(int64_t content) noexcept {
  const std::lock_guard guard(mutex_);
  const auto known = readers_.find(content);
  if (known == readers_.end() || --known->second > 0) return;
  readers_.erase(known);
  set(content, F_UNLCK);
}

bool LockFile::is_unread(int64_t content) {
  const std::lock_guard guard(mutex_);
  if (readers_.contains(content)) return false;
  if (!lock(content, F_WRLCK)) return false;
  set(content, F_UNLCK);
  return true;
}

}  // namespace store_sqlite
