// SPDX-License-Identifier: Apache-2.0
//
// Counts what became of the files of the last backup, for the server's watch (docs/watch.md). Costs
// nothing beside the walk; used by one thread at a time.
#pragma once

#include <string>

#include "core/repository/remote.h"

namespace cb::client {

class ChangeTally {
 public:
  void unchanged() { ++report_.unchanged; }
  // Its content was read again; it was there before.
  void changed() { ++report_.changed; }
  // It was not there; `passed` is the last file of the backup before that is not there any more,
  // as the walk in path order met them.
  void added(const std::string& path, const std::string& passed);

  // `files_before`: of the backup before.
  [[nodiscard]] repository::ChangeReport report(uint64_t files_before) const;

 private:
  repository::ChangeReport report_;
  std::string renamed_;  // the last that was counted as renamed
};

// Is it the same name with another ending, or one more: "a.doc" and "a.doc.x", "a.x"?
bool has_other_ending(const std::string& before, const std::string& now);

}  // namespace cb::client
