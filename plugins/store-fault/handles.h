// SPDX-License-Identifier: Apache-2.0
//
// Objects being written and read. Each handle remembers the store's generation: a simulated crash
// ends it. Used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "lower.h"

namespace store_fault {

class Store;
struct Effect;

class Put {
 public:
  Put(Store& store, std::string name, LowerPut below);
  Put(const Put&) = delete;
  Put& operator=(const Put&) = delete;
  ~Put();

  void write(std::span<const std::byte> data);
  void commit();

 private:
  void commit_below();
  void leave_part_visible(uint64_t dice);

  Store& store_;
  std::string name_;
  LowerPut below_;
  uint64_t generation_;
  uint64_t counted_ = 0;  // bytes of the budget that go back unless it is committed
};

class Get {
 public:
  Get(Store& store, std::string name, LowerGet below);

  size_t read(std::span<std::byte> into);

 private:
  Store& store_;
  std::string name_;
  LowerGet below_;
  uint64_t generation_;
  bool cut_ = false;
};

}  // namespace store_fault
