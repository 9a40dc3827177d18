// SPDX-License-Identifier: Apache-2.0
//
// Reads known answers from tests/data/vectors: blocks of "[name]" followed by "field = hex" lines;
// "#" begins a comment. Pure functions; a file that cannot be read throws, which fails the test.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/base/bytes.h"

namespace cb::testing {

struct Vector {
  std::string name;
  std::map<std::string, Bytes> fields;

  // Throws when the field is not there.
  [[nodiscard]] const Bytes& at(const std::string& field) const;
  [[nodiscard]] bool has(const std::string& field) const { return fields.contains(field); }
};

// All vectors of tests/data/vectors/FILE; never empty.
std::vector<Vector> load_vectors(const std::string& file);

// The one called `name`.
Vector load_vector(const std::string& file, const std::string& name);

// The bytes of a file.
Bytes read_bytes(const std::string& path);

}  // namespace cb::testing
