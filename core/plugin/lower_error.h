// SPDX-License-Identifier: Apache-2.0
//
// Host functions that plugins call: what fails inside becomes a status and a cb_error, and no
// exception leaves. Functions are pure.
#pragma once

#include <algorithm>
#include <cstring>

#include "core/base/result.h"
#include "cyberbackup/base.h"

namespace cb::plugin {

// Writes `from` into `to` (may be null) and returns its status.
inline cb_status tell(const Error& from, cb_error* to) {
  const auto status = static_cast<cb_status>(from.code);
  if (to == nullptr || !CB_HAS_FIELD(to, cb_error, message)) return status;
  to->status = status;
  to->os_errno = from.os_errno;
  to->flags = 0;
  if (from.retry == Retry::yes) to->flags = CB_ERROR_RETRY;
  if (from.retry == Retry::no) to->flags = CB_ERROR_PERMANENT;
  const std::string text = from.object + ": " + from.cause;
  const size_t length = std::min(text.size(), sizeof to->message - 1);
  std::memcpy(to->message, text.data(), length);
  to->message[length] = '\0';
  return status;
}

// Runs `body`, which returns a Result<cb_status>.
template <typename F>
cb_status guarded(cb_error* error, F&& body) {
  try {
    const Result<cb_status> done = body();
    return done ? *done : tell(done.error(), error);
  } catch (const std::bad_alloc&) {
    return CB_E_NO_MEMORY;
  } catch (...) {
    return CB_E_INTERNAL;
  }
}

}  // namespace cb::plugin
