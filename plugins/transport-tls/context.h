// SPDX-License-Identifier: Apache-2.0
//
// What an instance says about trust and identity, and OpenSSL's contexts made of it. Contexts are
// immutable once made and shared by the sessions that began with them.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "cyberbackup/cpp/host.hpp"
#include "owned.h"

namespace transport_tls {

using Digest = std::array<std::byte, 32>;

// The options of an instance.
struct Settings {
  std::string certificate;  // file: chain of this end
  std::string key;          // file: its private key
  std::string client_ca;    // file: who may certify clients
  bool require_client_certificate = false;
  std::string ca;            // file: who may certify servers; empty = the system's
  std::vector<Digest> pins;  // keys of servers; each suffices alone
  bool insecure = false;
  int min_version = 0;  // TLS1_3_VERSION or TLS1_2_VERSION
  bool resume = true;
};

// The contexts of one state of the files.
struct Contexts {
  Settings settings;
  SslCtxPtr server;  // null when there is no certificate
  SslCtxPtr client;
};

// Reads the files. Throws CB_E_INVALID (or CB_E_NOT_FOUND, CB_E_DENIED) that names the file and
// says what to do. Warns in the log of a certificate that has expired or soon will.
std::shared_ptr<const Contexts> make_contexts(const Settings& settings,
                                              const cyberbackup::sdk::Host& host);

}  // namespace transport_tls
