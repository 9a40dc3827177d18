// SPDX-License-Identifier: Apache-2.0
//
// What `cyberbackup doctor` looks at. Each check adds lines; none changes anything but for a file
// that it makes in the cache folder and removes again. Used by one thread.
#pragma once

#include <string>
#include <vector>

#include "hosts/cyberbackup/workplace.h"

namespace cb {

enum class Health { ok, warn, fail };

struct Finding {
  Health health = Health::ok;
  std::string subject;  // "profile"
  std::string text;
  std::string advice;  // empty when all is well
};
using Findings = std::vector<Finding>;

// Are files and folder the user's alone?
void check_profile_files(const Workplace& place, Findings& findings);
// Name, connection, key, login and clock of each server.
void check_servers(Workplace& place, Findings& findings);
// Can it be written, and is there room?
void check_cache(const os::Path& folder, Findings& findings);

// The check failed with this error.
Finding failed_finding(std::string subject, const Error& error);

}  // namespace cb
