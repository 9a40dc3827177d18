// SPDX-License-Identifier: Apache-2.0
//
// A range of an object being read. The object may be replaced or removed meanwhile: its segments
// stay until this ends. Used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "connection.h"

namespace store_sqlite {

class Store;

class Get {
 public:
  // Will read from `offset` up to `end`, both inside the object.
  Get(Store& store, int64_t content, uint64_t segment_size, uint64_t offset, uint64_t end);
  Get(const Get&) = delete;
  Get& operator=(const Get&) = delete;
  ~Get();

  // Keeps the content from being deleted while this lives; false when it is just being deleted.
  bool pin();

  // Reads 1..into.size() bytes; 0 after the last one.
  size_t read(std::span<std::byte> into);

 private:
  size_t read_segment(Connection& file, std::span<std::byte> into);

  Store& store_;
  const int64_t content_;
  bool pinned_ = false;
  const uint64_t segment_size_;
  uint64_t offset_;
  const uint64_t end_;
};

}  // namespace store_sqlite
