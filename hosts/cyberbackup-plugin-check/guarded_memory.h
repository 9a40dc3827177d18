// SPDX-License-Identifier: Apache-2.0
//
// A buffer whose end touches a page that nobody may touch: one byte too far ends the process there
// and then. Canaries stand before it. Used like the memory it is.
#pragma once

#include "core/base/bytes.h"

namespace cb::check {

class GuardedMemory {
 public:
  // `size` bytes, filled with a pattern that is neither zero nor text. May be 0: then any access
  // faults.
  explicit GuardedMemory(size_t size);
  // A copy of `content`.
  explicit GuardedMemory(ByteView content);
  ~GuardedMemory();
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  [[nodiscard]] ByteSpan span() const { return {begin_, size_}; }
  [[nodiscard]] std::byte* data() const { return begin_; }
  [[nodiscard]] size_t size() const { return size_; }
  // Did nobody write before the buffer?
  [[nodiscard]] bool canaries_stand() const;
  // From now on writing into the buffer ends the process, too.
  void forbid_writing();

 private:
  std::byte* mapping_ = nullptr;
  size_t mapped_ = 0;
  std::byte* begin_ = nullptr;
  size_t size_;
};

}  // namespace cb::check
