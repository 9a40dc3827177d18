// SPDX-License-Identifier: Apache-2.0
#include "core/base/secret_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(memory, size) (static_cast<void>(memory))
#define ASAN_UNPOISON_MEMORY_REGION(memory, size) (static_cast<void>(memory))
#endif

namespace cb {
namespace {

// Small ones share pages with others of their size: powers of two from the least to the largest.
constexpr size_t kLeastSlot = 32;
constexpr size_t kLargestSlot = 4096;
constexpr size_t kSizes = std::bit_width(kLargestSlot / kLeastSlot);
constexpr size_t kPagesForSlots = 4;

size_t page_size() {
  static const auto size = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

size_t whole_pages(size_t size) {
  if (size > SIZE_MAX / 2) throw std::bad_alloc();
  return (size + page_size() - 1) / page_size() * page_size();
}

class SecretArena {
 public:
  void* take(size_t size) {
    const std::lock_guard lock(mutex_);
    std::byte* const memory = size > kLargestSlot ? map(whole_pages(size)) : take_slot(size);
    ASAN_UNPOISON_MEMORY_REGION(memory, size);
    return memory;
  }

  void give_back(std::byte* memory, size_t size) noexcept {
    explicit_bzero(memory, size);
    const std::lock_guard lock(mutex_);
    if (size > kLargestSlot) return unmap(memory, whole_pages(size));
    Slots& slots = slots_for(size);
    // Room for it was made when the slots were.
    slots.free.push_back(memory);
    ASAN_POISON_MEMORY_REGION(memory, slots.size);
  }

  SecretMemory sum() {
    const std::lock_guard lock(mutex_);
    return sum_;
  }

 private:
  struct Slots {
    size_t size = 0;
    size_t made = 0;
    std::vector<std::byte*> free;
  };
  // Large ones whose lock failed, so that giving them back counts right.
  struct Unlocked {
    std::byte* memory;
    size_t size;
  };

  Slots& slots_for(size_t size) {
    const size_t at = std::bit_width((std::max(size, kLeastSlot) - 1) / kLeastSlot);
    Slots& slots = slots_.at(at);
    slots.size = kLeastSlot << at;
    return slots;
  }

  std::byte* take_slot(size_t size) {
    Slots& slots = slots_for(size);
    if (slots.free.empty()) make_slots(slots);
    std::byte* const memory = slots.free.back();
    slots.free.pop_back();
    return memory;
  }

  void make_slots(Slots& slots) {
    const size_t bytes = kPagesForSlots * page_size();
    const size_t count = bytes / slots.size;
    slots.free.reserve(slots.made + count);
    std::byte* const memory = map(bytes);
    slots.made += count;
    ASAN_POISON_MEMORY_REGION(memory, bytes);
    for (size_t i = count; i-- > 0;) slots.free.push_back(memory + i * slots.size);
  }

  // `size` is of whole pages.
  std::byte* map(size_t size) {
    const size_t page = page_size();
    unlocked_.reserve(unlocked_.size() + 1);
    void* const all =
        ::mmap(nullptr, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) throw std::bad_alloc();
    std::byte* const memory = static_cast<std::byte*>(all) + page;
    if (::mprotect(memory, size, PROT_READ | PROT_WRITE) != 0) {
      ::munmap(all, size + 2 * page);
      throw std::bad_alloc();
    }
    static_cast<void>(::madvise(memory, size, MADV_DONTDUMP));
    if (::mlock(memory, size) == 0) {
      sum_.locked += size;
    } else {
      sum_.problem = errno;
      sum_.unlocked += size;
      unlocked_.push_back({memory, size});
    }
    return memory;
  }

  void unmap(std::byte* memory, size_t size) noexcept {
    const size_t was_unlocked =
        std::erase_if(unlocked_, [&](const Unlocked& one) { return one.memory == memory; });
    (was_unlocked > 0 ? sum_.unlocked : sum_.locked) -= size;
    ::munmap(memory - page_size(), size + 2 * page_size());
  }

  std::mutex mutex_;
  // Guarded by mutex_:
  std::array<Slots, kSizes> slots_;
  std::vector<Unlocked> unlocked_;
  SecretMemory sum_;
};

// Lives for ever: secrets may be static.
SecretArena& arena() {
  static auto& one = *new SecretArena;
  return one;
}

}  // namespace

SecretMemory secret_memory() { return arena().sum(); }

void* take_secret_memory(size_t size) { return arena().take(size); }

void give_back_secret_memory(void* memory, size_t size) noexcept {
  arena().give_back(static_cast<std::byte*>(memory), size);
}

}  // namespace cb
