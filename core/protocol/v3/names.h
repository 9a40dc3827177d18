// SPDX-License-Identifier: Apache-2.0
//
// What a user or a file may be called in protocol v3. Functions are pure.
#pragma once

#include <string_view>

#include "core/base/result.h"

namespace cb::v3 {

// The name of the client that holds files whose owner is not known; nobody else may have it.
constexpr std::string_view kOwnerlessName = "(files without an owner)";

// 1 to 100 characters of UTF-8 without control characters, and not kOwnerlessName. Code::invalid
// says what is wrong.
Status check_user_name(std::string_view name);

// What follows the last / or \ of a sent name; the view lives as long as `sent`.
std::string_view last_component(std::string_view sent);

// Reads the file name of 1028..1031 as sent (a plain name, or a path of which the last component
// counts) and returns the component to store it under; the view lives as long as `sent`.
// Code::invalid says what is wrong: nothing left, "..", a character outside
// `A-Z a-z 0-9 . _ - space & # ( ) + ,` and UTF-8 beyond ASCII, only dots and spaces, or the name
// of a Windows device. The answer to the client echoes its field unchanged, whatever is stored.
Result<std::string_view> stored_file_name(std::string_view sent);

// Is it well-formed UTF-8 (no overlong forms, no surrogates)?
bool is_utf8(std::string_view text);

}  // namespace cb::v3
