// SPDX-License-Identifier: Apache-2.0
//
// Who the peer is: digests of its key, pins, names. Functions are pure but for the session they are
// given.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "context.h"

namespace transport_tls {

// Reads 64 hex digits.
std::optional<Digest> parse_digest(std::string_view hex);
std::string to_hex(const Digest& digest);

// SHA-256 of the certificate's SubjectPublicKeyInfo.
std::optional<Digest> spki_digest(const X509* certificate);
// "CN=a,O=b" (RFC 2253, UTF-8).
std::string subject_of(const X509* certificate);

// How one session judges its peer, and what it saw; outlives the session.
struct Judge {
  const std::vector<Digest>* pins = nullptr;  // null: by issuer and name
  std::optional<Digest> seen;                 // the key that the peer showed
};

// Sessions of this context ask their Judge, which every one of them must have.
void verify_by_judge(SSL_CTX* context);
void set_judge(SSL* session, Judge* judge);

// Demands that the certificate is for `name`, which may be a numeric address, and says it in the
// hello. Throws CB_E_INVALID when there is no name.
void expect_name(SSL* session, const std::string& name);

// Why the peer did not verify, with what to do; empty when it did.
std::string why_not_verified(const SSL* session, const Judge& judge);

}  // namespace transport_tls
