// SPDX-License-Identifier: Apache-2.0
//
// What is usual of a figure, so that a few odd values in its history do not count. Pure.
#pragma once

#include <cstddef>
#include <vector>

namespace cb::watch {

// From 0 at `from` and below to 1 at `to` and above.
double ramp(double value, double from, double to);

class Baseline {
 public:
  // `least`: with fewer values little is known. `slack`: differences below it mean nothing.
  Baseline(std::vector<double> past, size_t least, double slack);

  [[nodiscard]] double median() const { return median_; }
  [[nodiscard]] bool is_known() const { return is_known_; }
  // How unusual a high value is, from 0 (has been so before) to 1; `unknown` while too little is
  // known.
  [[nodiscard]] double unusual(double value, double unknown) const;

 private:
  std::vector<double> past_;  // rising
  double slack_ = 0;
  double median_ = 0;
  double deviation_ = 0;  // of the middle half, as a normal distribution would have it
  bool is_known_ = false;
};

}  // namespace cb::watch
