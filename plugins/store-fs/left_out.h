// SPDX-License-Identifier: Apache-2.0
//
// For trials of crash safety: a protection of this store that CYBERBACKUP_BREAK tells to leave out,
// so that it shows whether the trials notice. Only a build with CYBERBACKUP_TRIALS listens to it.
#pragma once

#ifdef CYBERBACKUP_TRIALS
#include <cstdlib>
#include <string_view>
#endif

namespace store_fs {

enum class Protection {
  sync,   // objects and folders are synced: "sync"
  order,  // an object is synced before it gets its name: "order"
};

#ifdef CYBERBACKUP_TRIALS
inline bool is_left_out(Protection protection) {
  static const char* const broken = std::getenv("CYBERBACKUP_BREAK");
  return broken != nullptr &&
         std::string_view(broken) == (protection == Protection::sync ? "sync" : "order");
}
#else
constexpr bool is_left_out(Protection /*protection*/) { return false; }
#endif

}  // namespace store_fs
