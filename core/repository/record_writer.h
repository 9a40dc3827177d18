// SPDX-License-Identifier: Apache-2.0
//
// Writes the fields of a record (docs/repository-format.md): one encoding for each value. Used by
// one thread at a time.
#pragma once

#include <string_view>
#include <utility>

#include "core/base/bytes.h"

namespace cb::repository {

class RecordWriter {
 public:
  void byte(uint8_t value) { out_.push_back(static_cast<std::byte>(value)); }

  // Unsigned LEB128, shortest form.
  void uint(uint64_t value) {
    while (value >= 0x80) {
      byte(static_cast<uint8_t>(value | 0x80));
      value >>= 7;
    }
    byte(static_cast<uint8_t>(value));
  }

  // The same after zigzag.
  void sint(int64_t value) {
    uint((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
  }

  // As they are, without a length.
  void fixed(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }

  // A length and the bytes.
  void bytes(ByteView bytes) {
    uint(bytes.size());
    fixed(bytes);
  }
  void text(std::string_view text) { bytes(as_bytes(text)); }

  template <typename List, typename Write>
  void list(const List& items, const Write& write) {
    uint(items.size());
    for (const auto& item : items) write(item);
  }

  // So that nothing is moved while up to `size` bytes are written.
  void reserve(size_t size) { out_.reserve(size); }
  void clear() { out_.clear(); }
  [[nodiscard]] const Bytes& written() const { return out_; }
  [[nodiscard]] ByteSpan span() { return out_; }
  Bytes take() { return std::exchange(out_, {}); }

 private:
  Bytes out_;
};

}  // namespace cb::repository
