// SPDX-License-Identifier: Apache-2.0
//
// See put.h.
#include "put.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "left_out.h"
#include "store.h"

namespace store_fs {

namespace {

// Written back in steps of this size, so that the sync at commit finds little left to do.
constexpr off64_t kPushStep = off64_t{8} << 20;
// Steps that may be under way before the writer waits for the oldest: bounds dirty pages.
constexpr off64_t kPushAhead = 1;

// Not every file system can be asked for this; then the sync at commit does it all.
bool is_lost(int os_errno) { return os_errno == EIO || os_errno == ENOSPC || os_errno == EDQUOT; }

// What goes wrong here is told by whoever waits.
void start_writing(int fd, off64_t from) {
  static_cast<void>(::sync_file_range(fd, from, kPushStep, SYNC_FILE_RANGE_WRITE));
}

// What is on the disk leaves the page cache: a store is written much and read little, and pages
// that are used again cost a fraction of new ones. False when it is not on the disk: the system
// tells an error of writing once, to the first who waits, and the sync at commit would not hear of
// it.
bool wait_and_drop(int fd, off64_t from) {
  constexpr unsigned kWait =
      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  if (::sync_file_range(fd, from, kPushStep, kWait) != 0 && is_lost(errno)) return false;
  static_cast<void>(::posix_fadvise(fd, from, kPushStep, POSIX_FADV_DONTNEED));
  return true;
}

}  // namespace

Put::Put(Store& store, std::string name, bool if_absent)
    : store_(store), name_(std::move(name)), if_absent_(if_absent) {
  file_ = store_.make_temporary(temporary_);
}

Put::~Put() {
  if (!temporary_.empty()) ::unlinkat(store_.temporaries(), temporary_.c_str(), 0);
}

void Put::write(std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t took = ::write(file_.get(), data.data(), data.size());
    if (took < 0 && errno == EINTR) continue;
    if (took < 0) throw_errno(errno, "cannot write object " + name_);
    data = data.subspan(static_cast<size_t>(took));
    written_ += took;
  }
  push_early();
}

void Put::push_early() {
  while (written_ - pushed_ >= kPushStep) {
    start_writing(file_.get(), pushed_);
    const off64_t oldest = pushed_ - kPushAhead * kPushStep;
    if (oldest >= 0 && !wait_and_drop(file_.get(), oldest))
      throw_errno(errno, "cannot write object " + name_);
    pushed_ += kPushStep;
  }
}

void Put::commit() {
  if (!is_left_out(Protection::order)) sync(file_, "object " + name_);
  // Small objects are records and the like, which are read again soon.
  if (pushed_ > 0) static_cast<void>(::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED));
  file_.close("cannot write object " + name_);
  store_.publish(temporary_, name_, if_absent_);
  temporary_.clear();
}

}  // namespace store_fs
