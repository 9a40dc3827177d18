// SPDX-License-Identifier: Apache-2.0
//
// A listing in byte order of names. It holds the wanted entries of the folders on the way to where
// it stands, never the whole tree. Used by one thread at a time.
#pragma once

#include <string>
#include <vector>

#include "cyberbackup/store.h"
#include "descriptor.h"
#include "layout.h"

namespace store_fs {

class List {
 public:
  // Names below the folder `objects` that start with `prefix` and sort after `after`.
  List(int objects, size_t fan_out, std::string prefix, std::string after);

  // The next object; false at the end.
  bool next(cb_object& out);

 private:
  struct Frame {
    Descriptor folder;
    Kind kind = Kind::level;
    std::string base;               // what all names below start with, up to this level
    std::vector<std::string> keys;  // sorted, see layout.h
    size_t at = 0;
  };

  void enter(Descriptor folder, Kind kind, std::string base, std::string_view bucket);
  void descend(const Frame& from, const std::string& key);
  [[nodiscard]] bool wants_folder(std::string_view start) const;
  [[nodiscard]] bool wants_name(std::string_view name) const;

  size_t fan_out_;
  std::string prefix_;
  std::string after_;
  std::vector<Frame> frames_;
};

}  // namespace store_fs
