// SPDX-License-Identifier: Apache-2.0
//
// Two houses, one for each store, made once; and cells of the table, each tried on a copy of one in
// a process of its own, two at a time. One thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/damage/look.h"

namespace cb::damage {

struct Trial {
  Store store = Store::files;
  Place place{};
  Kind kind{};
};

struct Outcome {
  bool was_tried = false;
  bool cannot_be = false;  // there is no such damage
  Observed observed;
  std::string target;   // what was damaged
  std::string blob;     // in it, or nothing
  std::string trouble;  // why it was not tried
};

class Street {
 public:
  // Makes the houses; throws std::runtime_error.
  Street();

  // `told` gets the outcome of each, as they end.
  void run(const std::vector<Trial>& trials,
           const std::function<void(const Trial&, const Outcome&)>& told);
  // A house without damage.
  Observed whole(Store store);

 private:
  void begin_houses(bool later);

  Ground ground_;
};

}  // namespace cb::damage
