// SPDX-License-Identifier: Apache-2.0
//
// Listings that are behind: fresh objects are not in them yet, removed ones still are. Only what
// changes while a lag is in force is late. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "cyberbackup/store.h"
#include "schedule.h"

namespace store_fault {

class ListingLag {
 public:
  // What one listing tells wrong.
  struct View {
    std::set<std::string> hidden;
    std::map<std::string, cb_object> ghosts;
  };

  // `existed`: the object was there before this commit, so listings know it.
  void committed(const std::string& name, bool existed, uint64_t now_ns);
  void removed(const cb_object& object, uint64_t now_ns);

  // A listing of names that start with `prefix` and sort after `after` begins.
  View begin(const std::string& prefix, const std::string& after, const Standing& standing,
             uint64_t now_ns);

 private:
  struct Late {
    cb_object object{};  // of a removed one
    uint64_t lists = 0;  // that had begun before
    uint64_t since_ns = 0;
  };

  std::mutex mutex_;
  // Under mutex_:
  uint64_t lists_ = 0;
  std::map<std::string, Late> fresh_;
  std::map<std::string, Late> gone_;
};

}  // namespace store_fault
