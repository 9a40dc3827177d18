// SPDX-License-Identifier: Apache-2.0
//
// A list of metrics as it grows, each with the prefix that all names here have. Used by one thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/report/metrics.h"

namespace cb::server {

inline double real(uint64_t value) { return static_cast<double>(value); }

class MetricList {
 public:
  void gauge(const char* name, const char* help, double value) {
    add(report::Metric::Kind::gauge, name, help, {{{}, value}});
  }
  void counter(const char* name, const char* help, uint64_t value) {
    add(report::Metric::Kind::counter, name, help, {{{}, real(value)}});
  }
  // One sample for each value of a label.
  using Labelled = std::vector<std::pair<std::string, double>>;
  void gauges(const char* name, const char* help, const char* label, const Labelled& values) {
    add(report::Metric::Kind::gauge, name, help, samples_of(label, values));
  }
  void counters(const char* name, const char* help, const char* label, const Labelled& values) {
    add(report::Metric::Kind::counter, name, help, samples_of(label, values));
  }
  void add(report::Metric::Kind kind, const char* name, const char* help,
           std::vector<report::Sample> samples) {
    all_.push_back({std::string("cyberbackup_") + name, help, kind, std::move(samples)});
  }
  void add_all(const std::vector<report::Metric>& metrics) {
    all_.insert(all_.end(), metrics.begin(), metrics.end());
  }
  [[nodiscard]] std::string text() const { return report::metrics_text(all_); }

 private:
  static std::vector<report::Sample> samples_of(const char* label, const Labelled& values) {
    std::vector<report::Sample> samples;
    for (const auto& [name, value] : values) samples.push_back({{{label, name}}, value});
    return samples;
  }
  std::vector<report::Metric> all_;
};

}  // namespace cb::server
