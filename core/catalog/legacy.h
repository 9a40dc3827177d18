// SPDX-License-Identifier: Apache-2.0
//
// What the catalog knows of a v3 client's way out of protocol 3: what was decided about it and how
// it used the protocol. Plain values; times are nanoseconds since 1970 UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cb::catalog {

// What is decided about one v3 client. A client about which nothing was, has these defaults.
struct LegacyPolicy {
  int min_version = 3;           // 4: protocol 3 is refused
  std::optional<bool> ratchet;   // its first login of protocol 4 ends protocol 3; nothing: as the
                                 // server's settings say
  int64_t ended_ns = 0;          // when the ratchet closed; 0: it did not
  int64_t lifted_until_ns = 0;   // an operator's lift: served again until then
  int64_t allowed_until_ns = 0;  // may migrate without a token until then
  bool key_replaced = false;     // somebody sent another public key than the one before
  int64_t imported_ns = 0;       // came by import; 0: no
  int64_t migrated_ns = 0;       // its repository has an owner; 0: no

  friend bool operator==(const LegacyPolicy&, const LegacyPolicy&) = default;
};

// How a client used protocol 3 at one listener, from one address.
struct LegacyUse {
  std::string listener;  // its name
  std::string address;   // without port; empty: older ones that are not told apart any more
  int64_t first_ns = 0;
  int64_t last_ns = 0;
  uint64_t logins = 0;
  uint64_t uploads = 0;  // confirmed
  uint64_t bytes = 0;    // plain, of those

  friend bool operator==(const LegacyUse&, const LegacyUse&) = default;
};

// Addresses of a listener that are told apart for a client: the newest ones.
constexpr int kLegacyAddresses = 16;

}  // namespace cb::catalog
