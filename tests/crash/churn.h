// SPDX-License-Identifier: Apache-2.0
//
// What a churning store_driver tells about its objects, one line each: "VERB NAME SEED SIZE" with
// the verbs committing, committed, removing and removed. Pure functions.
#pragma once

#include <cstdint>
#include <sstream>
#include <string>

namespace cb::test {

// An object of `size` bytes of pattern(seed); seed 0 stands for no object.
struct ChurnObject {
  uint64_t seed = 0;
  uint64_t size = 0;
  bool operator==(const ChurnObject&) const = default;
};

struct ChurnEvent {
  std::string verb;
  std::string name;
  ChurnObject object;
};

inline std::string churn_line(const std::string& verb, const std::string& name,
                              const ChurnObject& object) {
  return verb + ' ' + name + ' ' + std::to_string(object.seed) + ' ' + std::to_string(object.size);
}

// False for lines of another kind, and for one that was cut.
inline bool parse_churn_line(const std::string& line, ChurnEvent& event) {
  std::istringstream words(line);
  return static_cast<bool>(words >> event.verb >> event.name >> event.object.seed >>
                           event.object.size);
}

}  // namespace cb::test
