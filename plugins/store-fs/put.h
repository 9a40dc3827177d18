// SPDX-License-Identifier: Apache-2.0
//
// An object being written: a temporary file until commit. Nothing is buffered here. Used by one
// thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "descriptor.h"

namespace store_fs {

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
  void push_early();

  Store& store_;
  std::string name_;
  bool if_absent_;
  std::string temporary_;  // empty once it is no longer there
  Descriptor file_;
  off64_t written_ = 0;  // bytes
  off64_t pushed_ = 0;   // bytes the system was asked to write back already
};

}  // namespace store_fs
