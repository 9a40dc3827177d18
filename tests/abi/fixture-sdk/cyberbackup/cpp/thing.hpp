// SPDX-License-Identifier: Apache-2.0
//
// A made-up C++ header, on which the measure of comments is tested: see guard-fixtures.
#pragma once

namespace cyberbackup::sdk {

// Doubles.
inline int twice(int of) { return 2 * of; }

namespace detail {

// Hidden.
inline int thrice(int of) { return 3 * of; }

}  // namespace detail

// A thing.
class Thing {
 public:
  Thing(const Thing&) = delete;

  // Its number.
  [[nodiscard]] int number() const { return number_; }

 private:
  // Hidden.
  int hidden() const { return 1; }

  int number_ = 0;
};

}  // namespace cyberbackup::sdk
