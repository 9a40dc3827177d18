// SPDX-License-Identifier: Apache-2.0
//
// One cell of the table, established by running the programs on a damaged house: who notices, what
// mends it, and what always has to hold. One thread; throws std::runtime_error.
#pragma once

#include <string>
#include <vector>

#include "tests/damage/cell.h"
#include "tests/damage/target.h"

namespace cb::damage {

struct Observed {
  uint32_t seen_by = nobody;
  Cure cure = Cure::none_needed;
  Next next = Next::fine;
  std::string said;                 // all that those said who noticed something
  std::vector<std::string> broken;  // what always holds, and did not
  std::string transcript;           // every command and what it said

  // For a file, and back.
  [[nodiscard]] std::string text() const;
  static Observed of(const std::string& text);
};

// In the house where this process has moved in.
Observed look(Estate& estate, Place place, const Target& target, Kind kind);
// The same for a house without damage.
Observed look_at_whole(Estate& estate);

}  // namespace cb::damage
