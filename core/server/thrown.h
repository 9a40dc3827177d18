// SPDX-License-Identifier: Apache-2.0
//
// What a coroutine or thread ended with, for the log. Pure; thread-safe.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "core/base/result.h"

namespace cb::server {

inline std::string text_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

// The same as an error of `object`: want of memory passes.
inline Error error_of(const std::exception_ptr& thrown, const std::string& object) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    return fail(Code::busy, object, "the server is out of memory", "try again later");
  } catch (...) {
    return fail(Code::internal, object, text_of(std::current_exception()));
  }
}

}  // namespace cb::server
