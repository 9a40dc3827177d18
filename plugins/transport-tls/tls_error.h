// SPDX-License-Identifier: Apache-2.0
//
// OpenSSL's error queue as a Failure. The queue belongs to the calling thread; so do these
// functions.
#pragma once

#include <string>

#include "cyberbackup/cpp/failure.hpp"

namespace transport_tls {

// Takes the first entry of the queue and empties it. `object` is the peer or file; without an entry
// the message is `otherwise`.
cyberbackup::sdk::Failure take_tls_failure(const std::string& object, const std::string& otherwise);

// The text of the first entry of the queue ("no certificate matches ..."), and empties it.
std::string take_tls_text();

}  // namespace transport_tls
