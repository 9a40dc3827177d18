// SPDX-License-Identifier: Apache-2.0
//
// Certificates for tests, made when they are needed. Used by one thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace cb::test {

// PEM files of a certificate and its key (0600).
struct Identity {
  std::string certificate;
  std::string key;
  std::string pin;  // SHA-256 of the public key, hex
};

struct Wish {
  std::string name;  // CN and file name
  std::string alternative = "DNS:localhost,IP:127.0.0.1";
  long from_seconds = -3600;  // validity, from now
  long to_seconds = 24L * 3600;
  const Identity* issuer = nullptr;  // null: signs itself, as an authority
};

Identity make_identity(const std::filesystem::path& folder, const Wish& wish);

}  // namespace cb::test
