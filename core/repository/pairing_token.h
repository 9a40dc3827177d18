// SPDX-License-Identifier: Apache-2.0
//
// The text that an operator hands to the first owner of an account: where the server is, how to
// know it, and a secret that is good for one enrolment. Functions are pure.
//
// "cb1." and base64url (RFC 4648 section 5, no padding) of
//   version=1 uint ‖ token id[16] ‖ secret[32] ‖ pin[32] ‖ list of "host:port" bytes ‖ check[4]
// in the notation of docs/repository-format.md; `check` is the beginning of SHA-256 of what is
// before it. A text for another server, which lets that copy repositories, is the same with "cbr1."
// and good until it is taken back.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/id.h"
#include "core/base/secret.h"

namespace cb::repository {

using TokenId = Id<struct TokenIdTag, 16>;

constexpr size_t kTokenSecretSize = 32;
constexpr size_t kMostTokenServers = 16;

struct PairingToken {
  TokenId id;
  Secret secret;                     // 32 bytes
  std::array<std::byte, 32> pin{};   // SHA-256 of the server's SubjectPublicKeyInfo
  std::vector<std::string> servers;  // "host:port", tried in turn; at least one
};

// One line without an end. Code::invalid when the token could not be parsed again.
Result<std::string> format_pairing_token(const PairingToken& token);

// White space around and line breaks within (mail wraps) do not count. Code::invalid when it is no
// token or was not copied whole (advice says which), Code::unsupported for another version.
Result<PairingToken> parse_pairing_token(std::string_view text);

// The same for another server.
Result<std::string> format_replica_token(const PairingToken& token);
Result<PairingToken> parse_replica_token(std::string_view text);

}  // namespace cb::repository
