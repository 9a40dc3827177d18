// SPDX-License-Identifier: Apache-2.0
#include "core/base/result.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace cb {
namespace {

constexpr std::array<std::string_view, 18> kNames = {
    "invalid", "not-found", "exists",      "denied",  "io",        "no-space",
    "corrupt", "auth",      "unsupported", "timeout", "cancelled", "no-memory",
    "busy",    "limit",     "too-small",   "closed",  "state",     "internal"};

Code code_of_errno(int os_errno) {
  switch (os_errno) {
    case ENOENT:
    case ENOTDIR:
      return Code::not_found;
    case EEXIST:
    case ENOTEMPTY:
      return Code::exists;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::denied;
    case ENOSPC:
    case EDQUOT:
      return Code::no_space;
    case ENOMEM:
      return Code::no_memory;
    case EBUSY:
    case ETXTBSY:
    case EADDRINUSE:
      return Code::busy;
    case EMFILE:
    case ENFILE:
    case EFBIG:
    case ENAMETOOLONG:
      return Code::limit;
    case ETIMEDOUT:
      return Code::timeout;
    case ECONNRESET:
    case ECONNREFUSED:
    case ECONNABORTED:
    case EPIPE:
      return Code::closed;
    case EINVAL:
      return Code::invalid;
    default:
      return Code::io;
  }
}

}  // namespace

std::string_view name_of(Code code) {
  const auto index = static_cast<size_t>(-static_cast<int32_t>(code)) - 1;
  return index < kNames.size() ? kNames[index] : "unknown";
}

std::string Error::text() const {
  std::string line = object.empty() ? cause : object + ": " + cause;
  if (!advice.empty()) line += " (" + advice + ")";
  return line;
}

Error Error::with_advice(std::string what_next) && {
  advice = std::move(what_next);
  return std::move(*this);
}

Error fail(Code code, std::string object, std::string cause, std::string advice) {
  return Error{code, std::move(object), std::move(cause), std::move(advice), Retry::unknown, 0};
}

Error fail_errno(int os_errno, std::string object, std::string doing) {
  Error error;
  error.code = code_of_errno(os_errno);
  error.object = std::move(object);
  error.cause = std::move(doing) + ": " + std::generic_category().message(os_errno);
  error.os_errno = os_errno;
  return error;
}

}  // namespace cb
