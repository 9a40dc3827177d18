// SPDX-License-Identifier: Apache-2.0
//
// For tests: values out of Results. Throws where a test cannot go on. Pure.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "core/base/result.h"

// For a test: `expression` is a Result without an error.
#define ASSERT_OK(expression)                                                         \
  do {                                                                                \
    const auto& cb_result = (expression);                                             \
    ASSERT_TRUE(cb_result) << (cb_result ? std::string() : cb_result.error().text()); \
  } while (false)

namespace cb::repository {

// The value of a Result; an error is thrown with its text.
template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}
inline void must(Status status) {
  if (!status) throw std::runtime_error(status.error().text());
}

// The code of a failure; nothing for success.
template <typename T>
std::optional<Code> code_of(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error().code;
}

}  // namespace cb::repository
