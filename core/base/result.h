// SPDX-License-Identifier: Apache-2.0
//
// The one error story of the C++ side: Result<T> is a value or an Error, and an Error says what
// failed, why, and what to do next. Values are independent; no shared state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace cb {

// A closed list. The numbers are those of cb_status (plugin-api base.h), so codes cross the ABI as
// is.
enum class Code : int32_t {
  invalid = -1,
  not_found = -2,
  exists = -3,
  denied = -4,
  io = -5,
  no_space = -6,
  corrupt = -7,
  auth = -8,
  unsupported = -9,
  timeout = -10,
  cancelled = -11,
  no_memory = -12,
  busy = -13,
  limit = -14,
  too_small = -15,
  closed = -16,
  state = -17,
  internal = -18,
};

// The code's name as scripts see it: "not-found".
std::string_view name_of(Code code);

// Would trying again help? Answered where the failure happened, never guessed by the caller.
enum class Retry : uint8_t { unknown, yes, no };

struct Error {
  Code code = Code::internal;
  std::string object;  // what it happened to: a path, a peer, a key
  std::string cause;   // why, in a sentence without full stop
  std::string advice;  // what to do next; may be empty
  Retry retry = Retry::unknown;
  int os_errno = 0;

  // "object: cause (advice)" on one line.
  [[nodiscard]] std::string text() const;

  // The same error with advice, for the place that knows what the user can do.
  [[nodiscard]] Error with_advice(std::string what_next) &&;
};

// Makes an Error.
Error fail(Code code, std::string object, std::string cause, std::string advice = {});

// Makes an Error of errno: the code that fits, the system's text as cause.
Error fail_errno(int os_errno, std::string object, std::string doing);

template <typename T>
using Result = tl::expected<T, Error>;

using Status = Result<void>;

// Wraps an Error for return from a function that returns a Result.
inline tl::unexpected<Error> failed(Error error) { return tl::unexpected<Error>(std::move(error)); }

inline tl::unexpected<Error> failed(Code code, std::string object, std::string cause,
                                    std::string advice = {}) {
  return failed(fail(code, std::move(object), std::move(cause), std::move(advice)));
}

}  // namespace cb

// Returns the error of `expression` from the enclosing function, if it has one.
#define CB_TRY(expression)                                                \
  do {                                                                    \
    if (auto cb_try_result = (expression); !cb_try_result) [[unlikely]]   \
      return tl::unexpected<cb::Error>(std::move(cb_try_result).error()); \
  } while (false)

#define CB_JOIN_(a, b) a##b
#define CB_JOIN(a, b) CB_JOIN_(a, b)

// Declares `variable` with the value of `expression`, or returns its error.
#define CB_ASSIGN(variable, expression) \
  CB_ASSIGN_(CB_JOIN(cb_assign_, __LINE__), variable, expression)
#define CB_ASSIGN_(temporary, variable, expression)                 \
  auto temporary = (expression);                                    \
  if (!temporary) [[unlikely]]                                      \
    return tl::unexpected<cb::Error>(std::move(temporary).error()); \
  variable = std::move(*temporary)

// The same two inside a coroutine.
#define CB_CO_TRY(expression)                                                \
  do {                                                                       \
    if (auto cb_try_result = (expression); !cb_try_result) [[unlikely]]      \
      co_return tl::unexpected<cb::Error>(std::move(cb_try_result).error()); \
  } while (false)

#define CB_CO_ASSIGN(variable, expression) \
  CB_CO_ASSIGN_(CB_JOIN(cb_assign_, __LINE__), variable, expression)
#define CB_CO_ASSIGN_(temporary, variable, expression)                 \
  auto temporary = (expression);                                       \
  if (!temporary) [[unlikely]]                                         \
    co_return tl::unexpected<cb::Error>(std::move(temporary).error()); \
  variable = std::move(*temporary)
