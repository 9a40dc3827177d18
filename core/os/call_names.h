// SPDX-License-Identifier: Apache-2.0
//
// The system calls of a confined process, by name: which it may make, and which end it. Used by
// call_filter.cpp and its test alone.
#pragma once

#include <string>
#include <vector>

namespace cb::os {

// What a server needs, and what programs need that it starts: files, sockets, threads, memory,
// signals, timers, other users' absence of rights. Some are of other machines than this one.
std::vector<std::string> allowed_calls();

// What nobody needs here but who broke in: memory of other processes, the kernel's insides, mounts,
// name spaces, key rings.
std::vector<std::string> deadly_calls();

}  // namespace cb::os
