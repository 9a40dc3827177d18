// SPDX-License-Identifier: Apache-2.0
//
// Constants of the daemon that several files need.
#pragma once

namespace cb::server {

inline constexpr const char* kProgramVersion = "0.1.0";

}  // namespace cb::server
