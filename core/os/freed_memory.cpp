// SPDX-License-Identifier: Apache-2.0
#include "core/os/freed_memory.h"

#include <malloc.h>

namespace cb::os {

void keep_freed_memory() {
  // One arena, so that what one thread freed serves all. Of the next the largest that the library
  // takes.
  static_cast<void>(::mallopt(M_ARENA_MAX, 1));
  static_cast<void>(::mallopt(M_MMAP_THRESHOLD, 32 << 20));
  static_cast<void>(::mallopt(M_TRIM_THRESHOLD, 256 << 20));
}

void keep_little_freed_memory() {
  // By itself the library takes eight arenas for each processor, and raises the threshold to the
  // largest block that ever was freed.
  static_cast<void>(::mallopt(M_ARENA_MAX, 2));
  static_cast<void>(::mallopt(M_MMAP_THRESHOLD, 1 << 20));
  static_cast<void>(::mallopt(M_TRIM_THRESHOLD, 4 << 20));
}

void return_freed_memory() { static_cast<void>(::malloc_trim(0)); }

}  // namespace cb::os
