// SPDX-License-Identifier: Apache-2.0
//
// Passwords of people: Argon2id text hashes ("$argon2id$v=19$m=65536,t=3,p=1$…"). Functions are
// thread-safe, slow on purpose, and take the memory that the cost says: call them on a worker, few
// at a time.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace cb::identity {

struct PasswordCost {
  uint64_t operations = 3;             // passes
  uint64_t memory = 64 * 1024 * 1024;  // bytes
};

constexpr size_t kShortestPassword = 8;   // bytes
constexpr size_t kLongestPassword = 512;  // bytes

// Of a new password, with a fresh salt. Code::invalid for one that is too short or too long,
// Code::no_memory when there is not that much.
Result<std::string> hash_password(std::string_view password, const PasswordCost& cost = {});

// Is it a hash that verify_password takes? Code::corrupt for another text, Code::limit for one that
// asks for more than 16 passes or 1 GiB.
Status check_password_hash(const std::string& hash);

// Code::denied for a wrong password; Code::corrupt and Code::limit as above.
Status verify_password(const std::string& hash, std::string_view password);

// Takes as long as verifying a hash of the default cost would, and always is Code::denied: for
// accounts that are not there.
Status deny_password(std::string_view password);

}  // namespace cb::identity
