// SPDX-License-Identifier: Apache-2.0
//
// What a coroutine or thread ended with, for the log. Pure; thread-safe.
#pragma once

#include <exception>
#include <string>

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

}  // namespace cb::server
