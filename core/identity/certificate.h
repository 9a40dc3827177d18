// SPDX-License-Identifier: Apache-2.0
//
// A self-signed certificate for a TLS listener, to begin with: clients pin its key. Functions are
// thread-safe.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/secret.h"

namespace cb::identity {

struct Certificate {
  std::string certificate;  // PEM
  Secret key;               // PEM, PKCS #8
  std::string pin;          // SHA-256 of the SubjectPublicKeyInfo, 64 hex digits
};

// Makes a P-256 key and a certificate for these host names and numeric addresses (at least one),
// valid from an hour ago.
Result<Certificate> make_certificate(const std::vector<std::string>& names,
                                     std::chrono::hours valid);

// The pin of the first certificate in a PEM text. Code::corrupt when there is none.
Result<std::string> pin_of(const std::string& pem);

}  // namespace cb::identity
