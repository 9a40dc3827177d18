// SPDX-License-Identifier: Apache-2.0
//
// Secret: bytes that are wiped when they go out of use, are never swapped out where the system
// allows that (secret_memory.h), cannot be copied by accident and have no way to be printed. Not
// synchronised.
#pragma once

#include <utility>

#include "core/base/bytes.h"
#include "core/base/secret_memory.h"

namespace cb {

// Overwrites memory in a way the optimiser keeps.
void wipe(ByteSpan memory);

// Equal? In time that depends on the sizes alone.
bool equal_in_constant_time(ByteView a, ByteView b);

class Secret {
 public:
  Secret() = default;
  explicit Secret(size_t size) : bytes_(size) {}
  // Copies `from`; wiping the source is the caller's.
  explicit Secret(ByteView from) : bytes_(from.begin(), from.end()) {}
  Secret(Secret&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe(bytes_);
      bytes_ = std::exchange(other.bytes_, {});
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(bytes_); }

  [[nodiscard]] Secret clone() const { return Secret(view()); }
  [[nodiscard]] ByteView view() const { return bytes_; }
  [[nodiscard]] ByteSpan span() { return bytes_; }
  [[nodiscard]] size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

  // Shortens to `size` bytes and wipes the rest. Does nothing when it is not longer.
  void truncate(size_t size) {
    if (size >= bytes_.size()) return;
    wipe(span().subspan(size));
    bytes_.resize(size);
  }

 private:
  std::vector<std::byte, SecretAllocator<std::byte>> bytes_;
};

}  // namespace cb
