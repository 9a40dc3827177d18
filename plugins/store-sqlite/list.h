// SPDX-License-Identifier: Apache-2.0
//
// A listing in byte order of names, fetched in small batches. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cyberbackup/store.h"

namespace store_sqlite {

class Store;

class List {
 public:
  List(Store& store, std::string prefix, std::string after);

  // The next object; false at the end.
  bool next(cb_object& out);

 private:
  struct Entry {
    std::string name;
    uint64_t length = 0;
    int64_t modified_ns = 0;
  };

  void fetch();

  Store& store_;
  const std::string prefix_;
  std::string after_;
  std::vector<Entry> batch_;
  size_t at_ = 0;
  bool last_ = false;
};

}  // namespace store_sqlite
