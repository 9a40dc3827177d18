// SPDX-License-Identifier: Apache-2.0
//
// Is a host this machine, so that what is sent to it goes over no network? Pure.
#pragma once

#include <string_view>

namespace cb::notify {

// "localhost", "[::1]", and addresses of 127.0.0.0/8 in their usual form; no name that only begins
// like one. `host` has no port.
bool is_near(std::string_view host);

// Without the port of "host:port" or "[::1]:port".
std::string_view without_port(std::string_view authority);

}  // namespace cb::notify
