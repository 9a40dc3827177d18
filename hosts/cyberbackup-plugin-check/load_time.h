// SPDX-License-Identifier: Apache-2.0
//
// How long a host waits for a file to be loaded. Forks: for a time when no other thread runs.
#pragma once

#include <chrono>

#include "core/base/result.h"
#include "core/os/file_system.h"

namespace cb::check {

// Loads and initialises the file in a fresh child and returns the time that it took there.
Result<std::chrono::nanoseconds> time_to_load(const os::Path& file);

}  // namespace cb::check
