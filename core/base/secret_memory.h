// SPDX-License-Identifier: Apache-2.0
//
// Memory for secrets: locked, so that it is never written to swap, left out of core dumps, between
// pages that nobody may touch, and wiped when it is given back. Where the system allows no more
// locked memory (RLIMIT_MEMLOCK) it is the same but for the lock, and secret_memory() says so.
// Functions are thread-safe.
#pragma once

#include <cstddef>

namespace cb {

// Bytes of memory for secrets that are mapped now.
struct SecretMemory {
  size_t locked = 0;
  size_t unlocked = 0;  // for which the system had no lock
  int problem = 0;      // errno of the newest lock that failed; 0 when none ever did
};
SecretMemory secret_memory();

// At least `size` bytes, which is not 0, and zeros. Throws std::bad_alloc.
void* take_secret_memory(size_t size);
// What take_secret_memory(size) returned. Wipes it.
void give_back_secret_memory(void* memory, size_t size) noexcept;

// For containers of the standard library.
template <typename T>
struct SecretAllocator {
  using value_type = T;
  SecretAllocator() = default;
  template <typename Other>
  SecretAllocator(const SecretAllocator<Other>& /*other*/) {}  // NOLINT: as the standard wants it
  T* allocate(size_t count) { return static_cast<T*>(take_secret_memory(count * sizeof(T))); }
  void deallocate(T* memory, size_t count) noexcept {
    give_back_secret_memory(memory, count * sizeof(T));
  }
  template <typename Other>
  bool operator==(const SecretAllocator<Other>& /*other*/) const {
    return true;
  }
};

}  // namespace cb
