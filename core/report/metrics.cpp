// SPDX-License-Identifier: Apache-2.0
#include "core/report/metrics.h"

#include <prometheus/text_serializer.h>

#include "core/report/shown_text.h"

namespace cb::report {
namespace {

prometheus::ClientMetric line_of(const Sample& sample, Metric::Kind kind) {
  prometheus::ClientMetric line;
  for (const auto& [name, value] : sample.labels) line.label.push_back({name, shown_text(value)});
  if (kind == Metric::Kind::counter)
    line.counter.value = sample.value;
  else
    line.gauge.value = sample.value;
  return line;
}

}  // namespace

std::string metrics_text(const std::vector<Metric>& metrics) {
  std::vector<prometheus::MetricFamily> families;
  for (const Metric& metric : metrics) {
    const bool counts = metric.kind == Metric::Kind::counter;
    prometheus::MetricFamily family{
        metric.name,
        metric.help,
        counts ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge,
        {}};
    for (const Sample& sample : metric.samples)
      family.metric.push_back(line_of(sample, metric.kind));
    families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace cb::report
