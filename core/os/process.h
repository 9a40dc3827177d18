// SPDX-License-Identifier: Apache-2.0
//
// Facts about this process, and the lock that keeps a second one out of a folder. Functions are
// thread-safe.
#pragma once

#include <memory>

#include "core/os/file_system.h"

namespace cb::os {

// 0 when the system does not tell.
uint64_t resident_bytes();
uint64_t thread_count();

// Lets this process open as many descriptors as the system allows it, and returns that number.
uint64_t raise_descriptor_limit();
// No core files of this process.
void forbid_core_files();
// For programs that hold keys, first of all: no core dump, neither as a file nor through a pipe of
// the system's, and no other process of the same user looks into this one's memory.
void forbid_core_dumps();

// The folder of the running program.
Path program_folder();

// A lock on a file, held until it is destroyed or the process ends, however it ends.
class FileLock {
 public:
  // Makes the file if need be. Code::busy when another process or another FileLock holds it.
  static Result<FileLock> take(FileSystem& files, const Path& path);

 private:
  explicit FileLock(std::unique_ptr<File> file) : file_(std::move(file)) {}
  std::unique_ptr<File> file_;
};

}  // namespace cb::os
