// SPDX-License-Identifier: Apache-2.0
//
// How far a restore came, in a small file beside the cache, so that one that resumes knows which
// files it made itself. Used by one thread.
#pragma once

#include <string>

#include "core/client/restore.h"

namespace cb::client {

class RestoreJournal {
 public:
  // One file for each snapshot, path and target; `folder` empty: nothing is kept.
  RestoreJournal(os::FileSystem& files, const os::Path& folder, const RestoreRequest& request);

  // Up to and with this path of the snapshot everything was restored; empty: nothing is known.
  [[nodiscard]] std::string done_through() const;
  // What cannot be written down only costs time when it is resumed.
  void note(const std::string& path);
  // The restore is complete, or begins anew.
  void forget();

 private:
  os::FileSystem& files_;
  os::Path file_;
};

}  // namespace cb::client
