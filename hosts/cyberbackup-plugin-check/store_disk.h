// SPDX-License-Identifier: Apache-2.0
//
// A small file system in memory in place of a folder. Only this process and its children see it;
// it goes with them. Made before the process has threads.
#pragma once

#include "core/os/file_system.h"

namespace cb::check {

class MemoryDisk {
 public:
  // Hides what is in `folder` until the end. Fails where the system does not permit it.
  static Result<MemoryDisk> mount(const os::Path& folder, uint64_t size);
  MemoryDisk(MemoryDisk&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}
  MemoryDisk& operator=(MemoryDisk&&) = delete;
  ~MemoryDisk();

 private:
  explicit MemoryDisk(os::Path folder) : folder_(std::move(folder)) {}
  os::Path folder_;
};

}  // namespace cb::check
