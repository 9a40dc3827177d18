// SPDX-License-Identifier: Apache-2.0
//
// How many bytes a second come and go.
#include "answer.h"
#include "core/base/units.h"
#include "core/os/clock.h"
#include "core/report/table.h"
#include "core/report/utc_text.h"

namespace cb::host {
namespace {

using report::Json;

std::string per_second(const Json& from) {
  return format_size(from.value("rate", uint64_t{0})) + "/s";
}

std::string about(const Json& rule) {
  std::string text;
  for (const char* key : {"networks", "accounts"})
    for (const Json& one : rule.value(key, Json::array()))
      text += (text.empty() ? "" : ", ") + one.get<std::string>();
  return text.empty() ? "all" : text;
}

std::string state_of_rule(const Json& rule, bool is_paused) {
  if (rule.value("holds", false)) return "holds";
  return is_paused ? "paused" : "not now";
}

// The first line tells of a pause.
std::string pause_text(const Json& traffic) {
  if (!traffic.value("paused", false)) return "";
  const auto until = traffic.value("until_ns", int64_t{0});
  return "all rules are paused until " +
         (until == 0 ? std::string("cyberbackupd traffic resume") : utc(until)) + "\n";
}

std::string traffic_text(const Json& traffic) {
  const Json rules = traffic.value("rules", Json::array());
  if (rules.empty()) return pause_text(traffic) + "there is no traffic rule";
  report::Table table({{"rule"},
                       {"direction"},
                       {"about"},
                       {"rate", true},
                       {"burst", true},
                       {"state"},
                       {"waiting", true},
                       {"let go", true}});
  for (const Json& rule : rules)
    table.add({report::text_of(rule, "name"), report::text_of(rule, "direction"), about(rule),
               per_second(rule) + (rule.value("live", false) ? " (set live)" : ""),
               format_size(rule.value("burst", uint64_t{0})),
               state_of_rule(rule, traffic.value("paused", false)), number(rule, "waiting"),
               format_size(rule.value("bytes", uint64_t{0}))});
  std::string text = pause_text(traffic) + table.text();
  text.pop_back();  // print adds it
  return text;
}

Result<Json> pause_request(const TrafficOptions& options) {
  Json request = {{"command", "traffic.pause"}};
  if (!options.length.empty()) {
    CB_ASSIGN(const auto length, parse_duration(options.length));
    if (length <= std::chrono::nanoseconds::zero())
      return failed(Code::invalid, "--for", "must be longer than nothing");
    request["for_ns"] = length.count();
  }
  if (!options.until.empty()) {
    CB_ASSIGN(request["until_ns"], report::parse_utc(options.until));
  }
  return request;
}

Result<Json> set_request(const TrafficOptions& options) {
  Json request = {{"command", "traffic.set"}, {"rule", options.rule}};
  CB_ASSIGN(request["rate"], parse_size(options.rate));
  if (!options.burst.empty()) {
    CB_ASSIGN(request["burst"], parse_size(options.burst));
  }
  return request;
}

report::ExitCode show_traffic(const CommonOptions& options, const Result<Json>& request) {
  if (!request) return tell(request.error(), options.json);
  return show(options, *request, traffic_text);
}

}  // namespace

report::ExitCode run_traffic_show(const CommonOptions& options) {
  return show_traffic(options, Json{{"command", "traffic.show"}});
}

report::ExitCode run_traffic_pause(const TrafficOptions& options) {
  return show_traffic(options.common, pause_request(options));
}

report::ExitCode run_traffic_resume(const CommonOptions& options) {
  return show_traffic(options, Json{{"command", "traffic.resume"}});
}

report::ExitCode run_traffic_set(const TrafficOptions& options) {
  return show_traffic(options.common, set_request(options));
}

}  // namespace cb::host
