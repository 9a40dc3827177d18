// SPDX-License-Identifier: Apache-2.0
//
// Numbers for a monitoring system, in the text format of Prometheus: the only place that knows the
// library. Functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace cb::report {

// So many values were at most `most`; those of smaller buckets are among them.
struct Bucket {
  double most = 0;
  uint64_t count = 0;
};

struct Sample {
  std::vector<std::pair<std::string, std::string>> labels;  // name, value; values are any text
  double value = 0;                                         // of a histogram: the sum of all values
  uint64_t count = 0;                                       // of a histogram alone: how many values
  std::vector<Bucket> buckets{};  // the same; by `most`, without the infinite one
};

struct Metric {
  enum class Kind { gauge, counter, histogram };
  std::string name;  // letters, digits and '_'
  std::string help;  // one sentence
  Kind kind = Kind::gauge;
  std::vector<Sample> samples;
};

// The metrics in their order, each with its help and type, each sample on a line of its own. Values
// of labels are cleaned as shown_text does.
std::string metrics_text(const std::vector<Metric>& metrics);

}  // namespace cb::report
