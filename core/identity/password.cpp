// SPDX-License-Identifier: Apache-2.0
#include "core/identity/password.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace cb::identity {
namespace {

constexpr unsigned kMostPasses = 16;
constexpr unsigned kMostKibibytes = 1024 * 1024;

Status start_sodium() {
  if (sodium_init() >= 0) return {};
  return failed(Code::internal, "libsodium", "does not start");
}

// libsodium wants a pointer for no bytes, too; an empty view may have none.
const char* data_of(std::string_view password) { return password.empty() ? "" : password.data(); }

Error wrong() {
  return fail(Code::denied, "password", "is wrong", "try again, or ask the server's operator");
}

}  // namespace

Result<std::string> hash_password(std::string_view password, const PasswordCost& cost) {
  if (password.size() < kShortestPassword || password.size() > kLongestPassword)
    return failed(Code::invalid, "password",
                  "has " + std::to_string(password.size()) + " bytes, not " +
                      std::to_string(kShortestPassword) + " to " +
                      std::to_string(kLongestPassword));
  CB_TRY(start_sodium());
  std::array<char, crypto_pwhash_STRBYTES> text{};
  if (crypto_pwhash_str_alg(text.data(), password.data(), password.size(), cost.operations,
                            cost.memory, crypto_pwhash_ALG_ARGON2ID13) != 0)
    return failed(Code::no_memory, "password",
                  "hashing it needs " + std::to_string(cost.memory / (1024 * 1024)) +
                      " MiB of memory, which are not free");
  return std::string(text.data());
}

Status check_password_hash(const std::string& hash) {
  unsigned memory = 0, passes = 0, lanes = 0;
  int end = 0;
  const int read = std::sscanf(hash.c_str(), "$argon2id$v=19$m=%9u,t=%9u,p=%9u$%n", &memory,
                               &passes, &lanes, &end);
  if (read != 3 || end == 0 || lanes != 1 || hash.size() >= crypto_pwhash_STRBYTES ||
      hash.find('\0') != std::string::npos)
    return failed(Code::corrupt, "password hash", "is not one of Argon2id",
                  "set the password anew: cyberbackupd account password");
  if (memory > kMostKibibytes || passes > kMostPasses)
    return failed(
        Code::limit, "password hash",
        "asks for " + std::to_string(passes) + " passes over " + std::to_string(memory) + " KiB",
        "set the password anew: cyberbackupd account password");
  return {};
}

Status verify_password(const std::string& hash, std::string_view password) {
  CB_TRY(check_password_hash(hash));
  CB_TRY(start_sodium());
  if (password.size() > kLongestPassword) return deny_password({});
  std::array<char, crypto_pwhash_STRBYTES> text{};
  std::memcpy(text.data(), hash.data(), hash.size());
  if (crypto_pwhash_str_verify(text.data(), data_of(password), password.size()) == 0) return {};
  return failed(wrong());
}

Status deny_password(std::string_view password) {
  CB_TRY(start_sodium());
  const PasswordCost cost;
  std::array<char, crypto_pwhash_STRBYTES> text{};
  const size_t size = std::min(password.size(), kLongestPassword);
  if (crypto_pwhash_str_alg(text.data(), data_of(password), size, cost.operations, cost.memory,
                            crypto_pwhash_ALG_ARGON2ID13) != 0)
    return failed(Code::no_memory, "password", "there is no memory to check it");
  return failed(wrong());
}

}  // namespace cb::identity
