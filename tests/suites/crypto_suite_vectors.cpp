// SPDX-License-Identifier: Apache-2.0
//
// See crypto_suite_vectors.h.
#include "tests/suites/crypto_suite_vectors.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "tests/folders.h"

namespace cb::testing {

namespace {

void add_field(Vector& vector, const std::string& line) {
  const size_t sign = line.find(" =");
  if (sign == std::string::npos) throw std::runtime_error("not a vector: " + line);
  const size_t value = std::min(line.size(), sign + 3);
  auto bytes = from_hex(line.substr(value));
  if (!bytes) throw std::runtime_error(line + ": " + bytes.error().text());
  vector.fields[line.substr(0, sign)] = std::move(*bytes);
}

}  // namespace

const Bytes& Vector::at(const std::string& field) const {
  const auto found = fields.find(field);
  if (found == fields.end()) throw std::runtime_error(name + " has no " + field);
  return found->second;
}

std::vector<Vector> load_vectors(const std::string& file) {
  std::ifstream stream(test::data("vectors/") + file);
  std::vector<Vector> vectors;
  for (std::string line; std::getline(stream, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      vectors.push_back({line.substr(1, line.size() - 2), {}});
    } else {
      if (vectors.empty()) throw std::runtime_error(file + ": a field before the first name");
      add_field(vectors.back(), line);
    }
  }
  if (vectors.empty()) throw std::runtime_error(file + ": no vectors");
  return vectors;
}

Vector load_vector(const std::string& file, const std::string& name) {
  for (auto& vector : load_vectors(file))
    if (vector.name == name) return vector;
  throw std::runtime_error(file + " has no [" + name + "]");
}

Bytes read_bytes(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + path);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  return to_bytes(as_bytes(text));
}

}  // namespace cb::testing
