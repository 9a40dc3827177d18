// SPDX-License-Identifier: Apache-2.0
//
// What devices said of restores that they tried.
#include "answer.h"
#include "core/base/units.h"
#include "core/report/table.h"

namespace cb::host {
namespace {

using report::Json;

std::string age_text(const Json& account) {
  return format_duration(std::chrono::nanoseconds(report::number_of(account, "age_ns", 0)));
}

// The account's own cells stand in its first row alone.
void add_devices(report::Table& table, const Json& account) {
  std::string name = report::text_of(account, "account");
  std::string passed = last_seen(report::number_of(account, "passed_ns", 0));
  std::string age = age_text(account);
  const Json devices = account.value("devices", Json::array());
  if (devices.empty()) table.add({name, passed, age, "none drilled yet"});
  for (const Json& one : devices) {
    table.add({name, passed, age, report::text_of(one, "device").substr(0, 12),
               utc(report::number_of(one, "received_ns", 0)), report::text_of(one, "outcome"),
               number(one, "files"), number(one, "files_listed"),
               format_size(one.value("bytes", uint64_t{0})), number(one, "problems")});
    name = passed = age = "";
  }
}

std::string drills_text(const Json& all) {
  if (all.empty()) return "no account has a snapshot that could be restored";
  report::Table table({{"account"},
                       {"last passed"},
                       {"age"},
                       {"device"},
                       {"came"},
                       {"outcome"},
                       {"files", true},
                       {"of", true},
                       {"bytes", true},
                       {"problems", true}});
  for (const Json& account : all) add_devices(table, account);
  std::string text = table.text();
  text.pop_back();
  return text;
}

}  // namespace

report::ExitCode run_drill_list(const AccountOptions& options) {
  return show(options.common, {{"command", "drill.list"}, {"account", options.name}}, drills_text);
}

}  // namespace cb::host
