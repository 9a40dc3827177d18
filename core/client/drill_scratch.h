// SPDX-License-Identifier: Apache-2.0
//
// The folder that a drill restores into: fresh, for this user alone, and gone afterwards however
// the drill ends. Used by one thread.
#pragma once

#include "core/os/file_system.h"
#include "core/os/tree.h"

namespace cb::client {

class DrillScratch {
 public:
  // Makes a folder of mode 0700 with a name of its own in `parent`.
  static Result<DrillScratch> make(const os::Path& parent, bool keep);
  DrillScratch(DrillScratch&& other) noexcept;
  DrillScratch& operator=(DrillScratch&&) = delete;
  ~DrillScratch();  // removes it, unless it is to be kept

  [[nodiscard]] const os::Path& path() const { return path_; }
  // Removes a folder in it with what was restored there, unless all is to be kept.
  void drop(const os::Path& folder) const;
  // Removes all of it now; Code::io when something stays.
  Status remove();

 private:
  DrillScratch(os::Path path, bool keep) : path_(std::move(path)), keep_(keep) {}
  os::Path path_;  // empty: there is nothing to remove
  bool keep_;
};

}  // namespace cb::client
