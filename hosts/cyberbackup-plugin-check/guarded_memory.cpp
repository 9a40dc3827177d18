// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/guarded_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace cb::check {
namespace {

constexpr std::byte kCanary{0xC5};
constexpr std::byte kFresh{0xA9};

size_t page() {
  static const auto size = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace

GuardedMemory::GuardedMemory(size_t size) : size_(size) {
  // A guard page, room for canaries and the buffer, a guard page.
  const size_t room = (size + page()) / page() * page();
  mapped_ = room + 2 * page();
  void* const mapping = ::mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) std::abort();
  mapping_ = static_cast<std::byte*>(mapping);
  if (::mprotect(mapping_ + page(), room, PROT_READ | PROT_WRITE) != 0) std::abort();
  begin_ = mapping_ + page() + room - size;
  std::fill(mapping_ + page(), begin_, kCanary);
  std::fill(begin_, begin_ + size, kFresh);
}

GuardedMemory::GuardedMemory(ByteView content) : GuardedMemory(content.size()) {
  std::copy(content.begin(), content.end(), begin_);
}

GuardedMemory::~GuardedMemory() { ::munmap(mapping_, mapped_); }

bool GuardedMemory::canaries_stand() const {
  return std::all_of(mapping_ + page(), begin_, [](std::byte byte) { return byte == kCanary; });
}

void GuardedMemory::forbid_writing() {
  if (::mprotect(mapping_ + page(), mapped_ - 2 * page(), PROT_READ) != 0) std::abort();
}

}  // namespace cb::check
