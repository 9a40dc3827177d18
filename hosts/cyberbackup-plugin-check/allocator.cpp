// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/allocator.h"

#include <atomic>
#include <cerrno>
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CB_OWN_ALLOCATOR 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CB_OWN_ALLOCATOR 0
#endif
#endif
#ifndef CB_OWN_ALLOCATOR
#define CB_OWN_ALLOCATOR 1
#endif

namespace cb::check {
namespace {

constinit std::atomic<int64_t> in_use{0};
constinit thread_local uint64_t until_failure = 0;  // 0: none wanted
constinit thread_local bool has_failed = false;

#if CB_OWN_ALLOCATOR
bool must_fail() {
  if (until_failure == 0) [[likely]]
    return false;
  if (--until_failure > 0) return false;
  has_failed = true;
  errno = ENOMEM;
  return true;
}

void* counted(void* block) {
  if (block != nullptr) in_use.fetch_add(1, std::memory_order_relaxed);
  return block;
}
#endif

}  // namespace

bool allocator_counts() { return CB_OWN_ALLOCATOR != 0; }

int64_t blocks_in_use() { return in_use.load(std::memory_order_relaxed); }

FailingAllocation::FailingAllocation(uint64_t nth) {
  has_failed = false;
  until_failure = nth;
}

FailingAllocation::~FailingAllocation() { stop(); }

void FailingAllocation::stop() {
  if (stopped_) return;
  stopped_ = true;
  until_failure = 0;
  failed_ = has_failed;
}

}  // namespace cb::check

#if CB_OWN_ALLOCATOR
// The functions of the C library come first here, for this program and for what it loads; the real
// ones stand behind other names.
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void __libc_free(void* block);

#define CB_REPLACES __attribute__((visibility("default")))

CB_REPLACES void* malloc(size_t size) {
  return cb::check::must_fail() ? nullptr : cb::check::counted(__libc_malloc(size));
}

CB_REPLACES void* calloc(size_t count, size_t size) {
  return cb::check::must_fail() ? nullptr : cb::check::counted(__libc_calloc(count, size));
}

CB_REPLACES void* realloc(void* block, size_t size) {
  if (cb::check::must_fail()) return nullptr;
  void* const moved = __libc_realloc(block, size);
  if (block == nullptr) cb::check::counted(moved);
  if (block != nullptr && size == 0) cb::check::in_use.fetch_sub(1, std::memory_order_relaxed);
  return moved;
}

CB_REPLACES void free(void* block) {
  if (block != nullptr) cb::check::in_use.fetch_sub(1, std::memory_order_relaxed);
  __libc_free(block);
}

CB_REPLACES void* memalign(size_t alignment, size_t size) {
  return cb::check::must_fail() ? nullptr : cb::check::counted(__libc_memalign(alignment, size));
}

CB_REPLACES void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

CB_REPLACES int posix_memalign(void** block, size_t alignment, size_t size) {
  if (alignment % sizeof(void*) != 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  void* const made = memalign(alignment, size);
  if (made == nullptr) return ENOMEM;
  *block = made;
  return 0;
}
}
#endif
