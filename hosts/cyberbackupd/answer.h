// SPDX-License-Identifier: Apache-2.0
//
// What commands print of an answer to a request of core/server/admin_commands.h. For the main
// thread.
#pragma once

#include <string>

#include "opened.h"

namespace cb::host {

// A number of the answer; "0" when it is not there.
std::string number(const report::Json& from, const char* key);

// ", 2 sessions ended" of a change, or nothing.
std::string ended_sessions(const report::Json& change);

// "the store is read-only, under way: 2 backups, at most until …", of the answer to store.show.
std::string store_text(const report::Json& store);

// Has the request done and prints the answer, or the error.
report::ExitCode show(const CommonOptions& options, const report::Json& request,
                      std::string (*as_text)(const report::Json&));

}  // namespace cb::host
