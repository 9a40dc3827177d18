// SPDX-License-Identifier: Apache-2.0
//
// What the programs exit with, so that scripts can tell failures apart. Functions are pure.
#pragma once

#include <string_view>

#include "core/base/result.h"

namespace cb::report {

enum class ExitCode : int {
  done = 0,
  failed = 1,
  usage = 2,
  partial = 3,  // done, but some source files, or parts of a store, could not be read
  not_found = 10,
  busy = 11,
  denied = 12,
  unreachable = 13,
  no_space = 14,
  interrupted = 130,
};

// "server unreachable, or not the pinned one".
std::string_view meaning_of(ExitCode code);

// The code that fits an error. `unreachable` never comes of an Error code alone: only who dialled
// knows that the server was meant.
ExitCode exit_code_of(const Error& error);

// All codes with their meaning, a line each, for --help.
std::string exit_codes_text();

}  // namespace cb::report
