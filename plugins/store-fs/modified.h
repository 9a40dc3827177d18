// SPDX-License-Identifier: Apache-2.0
//
// The time of a file's last change as the store interface tells it. A pure function.
#pragma once

#include <sys/stat.h>

#include <cstdint>

namespace store_fs {

// Nanoseconds since 1970 UTC.
inline int64_t modified_ns(const struct stat& info) {
  return int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

}  // namespace store_fs
