// SPDX-License-Identifier: Apache-2.0
//
// Tells systemd how the daemon fares, when it was started by it. Thread-safe.
#pragma once

#include <string>

namespace cb::host {

// Sends "READY=1" and the like to the socket that NOTIFY_SOCKET names; does nothing without one.
void notify_systemd(const std::string& state);

}  // namespace cb::host
