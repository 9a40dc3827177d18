// SPDX-License-Identifier: Apache-2.0
//
// Compares a file that a drill restored with what its snapshot says of it, and with the source
// itself where that did not change since. Functions block and are thread-safe.
#pragma once

#include "core/os/tree.h"
#include "core/repository/entry.h"

namespace cb::client {

// What lies at `folder`/`name`: is it a file of this size, time and permissions? Code::corrupt says
// what is not as recorded.
Status compare_restored(const os::Path& folder, const std::string& name,
                        const repository::Entry& entry);

enum class LiveState {
  same,       // byte for byte
  different,  // although size and time are those of the snapshot
  unknown,    // not there, changed meanwhile, or not readable
};
// `live` is where the file came from.
Result<LiveState> compare_live(const os::Path& folder, const std::string& name,
                               const os::Path& live, const repository::Entry& entry);

}  // namespace cb::client
