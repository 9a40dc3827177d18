// SPDX-License-Identifier: Apache-2.0
//
// An object being written: whole segments go into the file as they fill up, the last one with the
// commit. It holds at most one segment in memory. Used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "connection.h"

namespace store_sqlite {

class Store;

class Put {
 public:
  Put(Store& store, std::string name, bool if_absent);
  Put(const Put&) = delete;
  Put& operator=(const Put&) = delete;
  ~Put();

  void write(std::span<const std::byte> data);
  void commit();

 private:
  void write_segment(std::span<const std::byte> segment);
  // Both inside a transaction.
  void insert_segment(Connection& file, int64_t content, std::span<const std::byte> segment);
  int64_t begin_content(Connection& file);
  void publish(Connection& file, int64_t content);

  Store& store_;
  const std::string name_;
  const bool if_absent_;
  const size_t segment_size_;
  int64_t content_ = 0;  // 0: nothing of it is in the file
  int64_t segments_ = 0;
  uint64_t written_ = 0;
  std::unique_ptr<std::byte[]> buffer_;
  size_t buffered_ = 0;
};

}  // namespace store_sqlite
