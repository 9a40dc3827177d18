// SPDX-License-Identifier: Apache-2.0
//
// The code on paper that opens a repository when the passphrase is lost
// (docs/repository-format.md, "Recovery code"). Functions are pure.
#pragma once

#include <string>
#include <string_view>

#include "core/base/secret.h"

namespace cb::client {

// 56 characters in eight groups of seven, joined by '-'. `code` has 32 bytes.
std::string format_recovery_code(ByteView code);

// Of either case; dashes and white space may stand anywhere or be left out; 0, 1 and 8 are read as
// O, I and B. Code::invalid says what is wrong: the length, a character and where it stands, or the
// checksum.
Result<Secret> parse_recovery_code(std::string_view text);

// Has it the length and the characters of a code, typing errors or not? For telling codes from
// passphrases.
bool looks_like_recovery_code(std::string_view text);

}  // namespace cb::client
