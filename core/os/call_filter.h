// SPDX-License-Identifier: Apache-2.0
//
// Confines this process to the system calls that it needs, for good: whoever breaks into it cannot
// do more with them. Holds for all of its threads and for the programs that it starts.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"

namespace cb::os {

// From now on call_names.h holds: a call that is neither allowed nor one of `further` fails with
// EPERM (ENOSYS when it is younger than this program's tables), one that only an intruder makes
// ends the process. No program that it starts has more rights than it has itself. Code::invalid
// when `further` names what is no call, before anything has changed; Code::unsupported when the
// system has no such filters, or forbids them.
Status filter_calls(const std::vector<std::string>& further);

// The same check of names alone.
Status check_call_names(const std::vector<std::string>& names);

// No program that this process starts has more rights than it has itself, set-user-id bits and file
// capabilities or not. For good; for threads that are started later, and for all of them together
// with filter_calls.
Status forbid_new_rights();

// How confined the calling thread is, as the system says.
struct Confinement {
  bool filters_calls = false;
  bool has_no_new_rights = false;
};
Confinement confinement();

}  // namespace cb::os
