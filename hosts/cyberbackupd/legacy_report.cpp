// SPDX-License-Identifier: Apache-2.0
//
// Who still speaks protocol 3.
#include "core/server/legacy_report.h"

#include "answer.h"
#include "core/base/units.h"

namespace cb::host {
namespace {

Result<server::LegacyReport> report_of(const LegacyReportOptions& options) {
  CB_ASSIGN(const std::chrono::nanoseconds since, parse_duration(options.since));
  CB_ASSIGN(const server::Settings settings, load_for_files(options.common));
  CB_ASSIGN(const auto catalog, open_catalog(settings));
  return server::collect_legacy_report(*catalog, settings, os::system_clock().wall().count(),
                                       since);
}

}  // namespace

report::ExitCode run_legacy_report(const LegacyReportOptions& options) {
  const auto report = report_of(options);
  if (!report) return tell(report.error(), options.common.json);
  if (options.metrics) {
    std::string text = server::legacy_report_metrics(*report);
    text.pop_back();
    print(text);
  } else {
    print(options.common.json ? report::json_line(server::legacy_report_json(*report))
                              : server::legacy_report_text(*report));
  }
  return report::ExitCode::done;
}

}  // namespace cb::host
