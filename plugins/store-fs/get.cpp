// SPDX-License-Identifier: Apache-2.0
//
// See get.h.
#include "get.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "cyberbackup/cpp/failure.hpp"

namespace store_fs {

Get::Get(Descriptor file, std::string name, uint64_t offset, uint64_t length)
    : file_(std::move(file)), name_(std::move(name)), offset_(offset), left_(length) {
  ::posix_fadvise(file_.get(), static_cast<off_t>(offset_), static_cast<off_t>(left_),
                  POSIX_FADV_SEQUENTIAL);
}

size_t Get::read(std::span<std::byte> into) {
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(into.size(), left_));
  if (wanted == 0) return 0;
  ssize_t got = -1;
  do {
    got = ::pread(file_.get(), into.data(), wanted, static_cast<off_t>(offset_));
  } while (got < 0 && errno == EINTR);
  if (got < 0) throw_errno(errno, "cannot read object " + name_);
  if (got == 0)
    throw cyberbackup::sdk::Failure(CB_E_CORRUPT, "object " + name_ + " became shorter", 0,
                                    CB_ERROR_PERMANENT);
  offset_ += static_cast<uint64_t>(got);
  left_ -= static_cast<uint64_t>(got);
  return static_cast<size_t>(got);
}

}  // namespace store_fs
