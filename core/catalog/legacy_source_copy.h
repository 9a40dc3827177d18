// SPDX-License-Identifier: Apache-2.0
//
// A private copy of another program's SQLite database with its journals, so that SQLite can finish
// what that program left half done without touching the original. For one thread; functions block.
#pragma once

#include "core/os/file_system.h"

namespace cb::catalog {

class LegacySourceCopy {
 public:
  // Code::busy when the database changed while it was copied.
  static Result<LegacySourceCopy> make(const os::Path& file, const os::Path& scratch,
                                       os::FileSystem& files);
  LegacySourceCopy(LegacySourceCopy&& other) noexcept
      : files_(other.files_), folder_(std::exchange(other.folder_, {})) {}
  LegacySourceCopy& operator=(LegacySourceCopy&&) = delete;
  ~LegacySourceCopy();  // removes the copy

  [[nodiscard]] os::Path file() const { return folder_ / "source.db"; }

 private:
  LegacySourceCopy(os::FileSystem& files, os::Path folder)
      : files_(&files), folder_(std::move(folder)) {}

  os::FileSystem* files_;
  os::Path folder_;
};

}  // namespace cb::catalog
