// SPDX-License-Identifier: Apache-2.0
#include "core/report/metrics.h"

#include <prometheus/text_serializer.h>

#include <limits>

#include "core/report/shown_text.h"

namespace cb::report {
namespace {

prometheus::ClientMetric line_of(const Sample& sample, Metric::Kind kind) {
  prometheus::ClientMetric line;
  for (const auto& [name, value] : sample.labels) line.label.push_back({name, shown_text(value)});
  if (kind == Metric::Kind::histogram) {
    line.histogram.sample_count = sample.count;
    line.histogram.sample_sum = sample.value;
    for (const Bucket& bucket : sample.buckets)
      line.histogram.bucket.push_back({bucket.count, bucket.most});
    line.histogram.bucket.push_back({sample.count, std::numeric_limits<double>::infinity()});
  } else if (kind == Metric::Kind::counter) {
    line.counter.value = sample.value;
  } else {
    line.gauge.value = sample.value;
  }
  return line;
}

prometheus::MetricType type_of(Metric::Kind kind) {
  if (kind == Metric::Kind::histogram) return prometheus::MetricType::Histogram;
  return kind == Metric::Kind::counter ? prometheus::MetricType::Counter
                                       : prometheus::MetricType::Gauge;
}

}  // namespace

std::string metrics_text(const std::vector<Metric>& metrics) {
  std::vector<prometheus::MetricFamily> families;
  for (const Metric& metric : metrics) {
    prometheus::MetricFamily family{metric.name, metric.help, type_of(metric.kind), {}};
    for (const Sample& sample : metric.samples)
      family.metric.push_back(line_of(sample, metric.kind));
    families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace cb::report
