// SPDX-License-Identifier: Apache-2.0
//
// A range of an object being read. The object may be replaced or removed meanwhile: the bytes are
// those of the moment it was opened. Used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "descriptor.h"

namespace store_fs {

class Get {
 public:
  // `length` bytes from `offset`, all of which exist in `file`.
  Get(Descriptor file, std::string name, uint64_t offset, uint64_t length);

  // Reads 1..into.size() bytes; 0 after the last one.
  size_t read(std::span<std::byte> into);

 private:
  Descriptor file_;
  std::string name_;
  uint64_t offset_;
  uint64_t left_;
};

}  // namespace store_fs
