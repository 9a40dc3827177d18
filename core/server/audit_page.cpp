// SPDX-License-Identifier: Apache-2.0
#include "core/server/audit_page.h"

#include <algorithm>
#include <limits>

#include "core/base/units.h"
#include "core/server/audit_record.h"

namespace cb::server {
namespace {

using report::Json;

// One answer: so many bytes of records, so many records looked at.
constexpr size_t kPageBytes = 128 * kKiB;
constexpr size_t kPageRows = 10'000;
constexpr size_t kReadAtOnce = 500;

// What a listing leaves out.
struct AuditFilter {
  int64_t since_ns = std::numeric_limits<int64_t>::min();
  int64_t until_ns = std::numeric_limits<int64_t>::max();
  std::string action;  // also all that begin with it and a dot

  // A record that cannot be read is never left out.
  [[nodiscard]] bool lets_through(const catalog::AuditRow& row) const {
    const auto record = decode_audit_record(row.record);
    if (!record) return true;
    if (record->time_ns < since_ns || record->time_ns >= until_ns) return false;
    const std::string& of = record->event.action;
    return action.empty() || of == action || of.starts_with(action + ".");
  }
};

// A page of the log, for one request.
class AuditPage {
 public:
  AuditPage(catalog::Audit& audit, const Json& request)
      : audit_(audit), after_(std::max<int64_t>(0, report::number_of(request, "after", 0))) {
    filter_.since_ns = report::number_of(request, "since_ns", filter_.since_ns);
    filter_.until_ns = report::number_of(request, "until_ns", filter_.until_ns);
    filter_.action = report::text_of(request, "action");
  }

  Result<Json> read() {
    while (!is_last_ && bytes_ < kPageBytes && seen_ < kPageRows) {
      CB_ASSIGN(const auto rows, audit_.rows(after_, kReadAtOnce));
      is_last_ = rows.size() < kReadAtOnce;
      for (const catalog::AuditRow& row : rows) {
        if (bytes_ >= kPageBytes) {
          is_last_ = false;
          break;
        }
        take(row);
      }
    }
    return Json{{"records", std::move(records_)}, {"after", after_}, {"last", is_last_}};
  }

 private:
  void take(const catalog::AuditRow& row) {
    after_ = row.sequence;
    ++seen_;
    if (!filter_.lets_through(row)) return;
    bytes_ += row.record.size() + 100;
    records_.push_back(server::json_of(row));
  }

  catalog::Audit& audit_;
  AuditFilter filter_;
  Json records_ = Json::array();
  int64_t after_;
  size_t bytes_ = 0;
  size_t seen_ = 0;
  bool is_last_ = false;
};

}  // namespace

Result<Json> audit_page(catalog::Audit& audit, const Json& request) {
  return AuditPage(audit, request).read();
}

}  // namespace cb::server
