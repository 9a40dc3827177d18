// SPDX-License-Identifier: Apache-2.0
//
// The audit log: what is in it, and whether it is whole.
#include <fstream>
#include <iostream>

#include "answer.h"
#include "core/report/shown_text.h"
#include "core/report/table.h"
#include "core/report/utc_text.h"
#include "core/server/admin_server.h"
#include "core/server/audit_check.h"
#include "core/server/audit_page.h"

namespace cb::host {
namespace {

using report::ExitCode;
using report::Json;
using server::AuditCheck;
using server::AuditHead;

constexpr auto kPatience = std::chrono::seconds(60);
constexpr size_t kLongestLine = 64 * 1024;

// Pages of the daemon's answer, or of its files when none runs.
class Pages {
 public:
  explicit Pages(const server::Settings& settings) : settings_(settings) {}

  Result<Json> page(const Json& request) {
    if (!catalog_) {
      CB_ASSIGN(auto answer,
                server::ask_daemon_if_any(settings_.admin_socket(), request, kPatience));
      if (answer) return std::move(*answer);
      CB_ASSIGN(catalog_, open_catalog(settings_));
    }
    return server::audit_page(catalog_->audit(), request);
  }

  // Each record that the request asks for, in order.
  Status each(Json request, const std::function<Status(const Json&)>& take) {
    request["command"] = "audit.list";
    request["after"] = 0;
    while (true) {
      CB_ASSIGN(const Json answer, page(request));
      for (const Json& record : answer.value("records", Json::array())) CB_TRY(take(record));
      if (answer.value("last", true)) return {};
      request["after"] = answer.value("after", int64_t{0});
    }
  }

 private:
  const server::Settings& settings_;
  std::unique_ptr<catalog::Catalog> catalog_;
};

Status each_record(const CommonOptions& options, Json request,
                   const std::function<Status(const Json&)>& take) {
  CB_ASSIGN(const server::Settings settings, load_for_files(options));
  return Pages(settings).each(std::move(request), take);
}

Result<Json> filter_of(const AuditOptions& options) {
  const int64_t now = os::system_clock().wall().count();
  Json filter = Json::object();
  if (!options.since.empty()) {
    CB_ASSIGN(filter["since_ns"], report::parse_moment(options.since, now));
  }
  if (!options.until.empty()) {
    CB_ASSIGN(filter["until_ns"], report::parse_moment(options.until, now));
  }
  if (!options.action.empty()) filter["action"] = options.action;
  return filter;
}

report::Table empty_table() {
  return report::Table({{"record", true},
                        {"time"},
                        {"who"},
                        {"from"},
                        {"action"},
                        {"object"},
                        {"outcome"},
                        {"detail"}});
}

void add_row(report::Table& table, const Json& record) {
  const auto text = [&](const char* key) {
    const std::string value = report::text_of(record, key);
    return value.empty() ? std::string("-") : value;
  };
  table.add({number(record, "sequence"), text("time"), text("actor"), text("address"),
             text("action"), text("object"), text("outcome"), report::text_of(record, "detail")});
}

// Calls `take` with each line of a file.
Status each_line(const std::string& file, const std::function<Status(const std::string&)>& take) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return failed(fail_errno(errno, file, "open"));
  std::string line;
  while (std::getline(in, line)) {
    if (line.size() > kLongestLine)
      return failed(Code::corrupt, file, "has a line that is too long");
    if (!line.empty()) CB_TRY(take(line));
  }
  return {};
}

Status expect_heads(const std::string& file, AuditCheck& check) {
  return each_line(file, [&](const std::string& line) -> Status {
    auto head = server::audit_head_of(line);
    if (!head) {
      head.error().object = file + ": " + head.error().object;
      return failed(std::move(head).error());
    }
    check.expect(*head);
    return {};
  });
}

Status check_record(const Json& line, AuditCheck& check) {
  const auto row = server::audit_row_of(line);
  if (row)
    check.take(*row);
  else
    check.take_unreadable(row.error().text());
  return {};
}

Status check_file(const std::string& file, AuditCheck& check) {
  return each_line(file, [&](const std::string& line) {
    const auto json = report::parse_json(line);
    return check_record(json ? *json : Json(), check);
  });
}

Result<AuditCheck> check_chain(const AuditOptions& options) {
  AuditCheck check;
  if (!options.against.empty()) CB_TRY(expect_heads(options.against, check));
  if (options.file.empty())
    CB_TRY(each_record(options.common, Json::object(),
                       [&](const Json& line) { return check_record(line, check); }));
  else
    CB_TRY(check_file(options.file, check));
  check.finish();
  return check;
}

Json json_of(const AuditCheck& check) {
  return {{"records", check.records()},
          {"sequence", check.head().sequence},
          {"hash", check.head().hash.hex()},
          {"findings", check.findings()}};
}

std::string as_text(const AuditCheck& check) {
  std::string text;
  for (const std::string& finding : check.findings()) text += finding + "\n";
  const size_t count = check.findings().size();
  text += "checked " + std::to_string(check.records()) + " records: ";
  text += count == 0 ? "no change found" : std::to_string(count) + " findings";
  return text + "\n" + server::text_of(check.head());
}

}  // namespace

ExitCode run_audit_list(const AuditOptions& options) {
  const auto filter = filter_of(options);
  if (!filter) return tell(filter.error(), options.common.json);
  report::Table table = empty_table();
  Json all = Json::array();
  const Status listed = each_record(options.common, *filter, [&](const Json& record) -> Status {
    if (options.common.json)
      all.push_back(record);
    else
      add_row(table, record);
    return {};
  });
  if (!listed) return tell(listed.error(), options.common.json);
  if (options.common.json) {
    print(report::json_line({{"records", std::move(all)}}));
    return ExitCode::done;
  }
  std::string text = table.text();
  text.pop_back();
  print(text);
  return ExitCode::done;
}

ExitCode run_audit_verify(const AuditOptions& options) {
  const auto check = check_chain(options);
  if (!check) return tell(check.error(), options.common.json);
  print(options.common.json ? report::json_line(json_of(*check)) : as_text(*check));
  return check->findings().empty() ? ExitCode::done : ExitCode::failed;
}

ExitCode run_audit_export(const AuditOptions& options) {
  auto& files = os::real_file_system();
  auto file = files.open(options.file, os::Open::replace, 0600);
  if (!file) return tell(file.error(), options.common.json);
  uint64_t count = 0;
  Status done = each_record(options.common, Json::object(), [&](const Json& record) {
    ++count;
    return (*file)->write(as_bytes(report::json_line(record) + "\n"));
  });
  if (done) done = (*file)->sync();
  if (!done) return tell(done.error(), options.common.json);
  print(options.common.json ? report::json_line({{"records", count}, {"file", options.file}})
                            : std::to_string(count) + " records are in " + options.file);
  return ExitCode::done;
}

}  // namespace cb::host
