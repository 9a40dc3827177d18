// SPDX-License-Identifier: Apache-2.0
//
// A line from a terminal that does not show it. Used by one thread.
#pragma once

#include <string>

#include "core/base/secret.h"

namespace cb {

constexpr size_t kLongestHiddenLine = 4096;  // bytes

// Shows `prompt` on the terminal `fd` and reads what is typed until Enter. Backspace, Ctrl-U and
// Ctrl-C work; the terminal's settings are as before afterwards. Code::cancelled after Ctrl-C or
// when the terminal goes, Code::limit for more than kLongestHiddenLine.
Result<Secret> read_hidden_line(int fd, const std::string& prompt);

}  // namespace cb
