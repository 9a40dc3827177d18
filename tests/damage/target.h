// SPDX-License-Identifier: Apache-2.0
//
// Where in a house the things of the table lie, and how they are damaged. One thread; throws
// std::runtime_error.
#pragma once

#include <string>

#include "tests/damage/cell.h"
#include "tests/damage/estate.h"

namespace cb::damage {

struct Target {
  bool is_object = false;  // of the store; else a file of the house
  std::string name;
  // The part of it that is meant; all of it with size 0. A part has no place or name of its own.
  size_t begin = 0;
  size_t size = 0;
  bool has_whole = false;  // the part shows what matters, and the whole is meant all the same
  bool is_row = false;     // of a file of SQLite: its page is what is overwritten
  bool has_parts = false;  // a bit and a page of it are a matter of its parts
  std::string twin;        // another of its kind
  std::string copy;        // the name of a copy; without one its content is there twice
  std::string
      before;        // the same object of the store, or this file, as it was earlier; may be empty
  std::string blob;  // which is in that part, in hex
};

Target find(Place place, const Estate& estate);
// Damages it. False when there is no such thing to do with it.
bool damage(const Estate& estate, const Target& target, Kind kind);

}  // namespace cb::damage
