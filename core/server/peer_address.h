// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace cb::server {

// The address of a peer: "192.0.2.1" of "192.0.2.1:4711", "[2001:db8::1]" of "[2001:db8::1]:4711".
inline std::string without_port(const std::string& peer) { return peer.substr(0, peer.rfind(':')); }

}  // namespace cb::server
