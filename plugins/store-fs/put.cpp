// SPDX-License-Identifier: Apache-2.0
//
// See put.h.
#include "put.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "store.h"

namespace store_fs {

namespace {

// Written back in steps of this size, so that the sync at commit finds little left to do.
constexpr uint64_t kPushStep = uint64_t{8} << 20;
// Steps that may be under way before the writer waits for the oldest: bounds dirty pages.
constexpr uint64_t kPushAhead = 8;

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
    written_ += static_cast<uint64_t>(took);
  }
  push_early();
}

// Only a hint to the system: what it reports is what the sync at commit reports again.
void Put::push_early() {
  while (written_ - pushed_ >= kPushStep) {
    ::sync_file_range(file_.get(), static_cast<off64_t>(pushed_), static_cast<off64_t>(kPushStep),
                      SYNC_FILE_RANGE_WRITE);
    pushed_ += kPushStep;
    if (pushed_ <= kPushAhead * kPushStep) continue;
    const uint64_t oldest = pushed_ - (kPushAhead + 1) * kPushStep;
    ::sync_file_range(
        file_.get(), static_cast<off64_t>(oldest), static_cast<off64_t>(kPushStep),
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  }
}

void Put::commit() {
  sync(file_, "object " + name_);
  file_.close("cannot write object " + name_);
  store_.publish(temporary_, name_, if_absent_);
  temporary_.clear();
}

}  // namespace store_fs
