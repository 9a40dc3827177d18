// SPDX-License-Identifier: Apache-2.0
//
// What a plugin written in C++ throws. The guard (guard.hpp) turns it into a status and a cb_error
// before it could cross the line. A Failure is a value: copy and throw it on any thread.
#pragma once

#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "cyberbackup/base.h"

namespace cyberbackup::sdk {

// A failure with its status. `message` is one line of UTF-8 without secrets; it names the object
// (path, peer), not the function. `status` is one of CB_E_*; anything else becomes CB_E_INTERNAL.
// `flags` are CB_ERROR_*.
class Failure : public std::runtime_error {
 public:
  // See above; `os_errno` is that of the failed system call, or 0.
  Failure(cb_status status, std::string_view message, int os_errno = 0, uint32_t flags = 0)
      : std::runtime_error(std::string(message)),
        status_(status < 0 ? status : cb_status{CB_E_INTERNAL}),
        os_errno_(os_errno),
        flags_(flags) {}

  // What the guard returns: always negative.
  [[nodiscard]] cb_status status() const noexcept { return status_; }
  // For cb_error.os_errno.
  [[nodiscard]] int os_errno() const noexcept { return os_errno_; }
  // For cb_error.flags.
  [[nodiscard]] uint32_t flags() const noexcept { return flags_; }

 private:
  cb_status status_;
  int os_errno_;
  uint32_t flags_;
};

// The status that stands for an errno of a failed system call; CB_E_IO for those without their own.
inline cb_status status_of_errno(int os_errno) noexcept {
  switch (os_errno) {
    case ENOENT:
      return CB_E_NOT_FOUND;
    case EEXIST:
      return CB_E_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
      return CB_E_DENIED;
    case ENOSPC:
    case EDQUOT:
      return CB_E_NO_SPACE;
    case ENOMEM:
      return CB_E_NO_MEMORY;
    case EBUSY:
    case EADDRINUSE:
      return CB_E_BUSY;
    case EMFILE:
    case ENFILE:
    case EFBIG:
    case ENAMETOOLONG:
      return CB_E_LIMIT;
    case ETIMEDOUT:
      return CB_E_TIMEOUT;
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED:
      return CB_E_CLOSED;
    default:
      return CB_E_IO;
  }
}

// A Failure of a system call on `object` (a path, a peer). Running out of descriptors or memory,
// and a busy resource, carry the retry flag.
inline Failure os_failure(int os_errno, std::string_view object) {
  const bool passes = os_errno == EMFILE || os_errno == ENFILE || os_errno == ENOMEM ||
                      os_errno == EBUSY || os_errno == EAGAIN;
  return Failure(status_of_errno(os_errno),
                 std::string(object) + ": " + std::generic_category().message(os_errno), os_errno,
                 passes ? uint32_t{CB_ERROR_RETRY} : 0u);
}

}  // namespace cyberbackup::sdk
