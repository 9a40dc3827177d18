// SPDX-License-Identifier: Apache-2.0
//
// What an operator does about traffic rules while the daemon runs.
#include "core/server/admin_commands.h"

namespace cb::server {
namespace {

using report::Json;

constexpr int64_t kLongestPause = 366 * 24 * 3600 * int64_t{1'000'000'000};

Json json_of(const Traffic::Shown& shown) {
  const TrafficRule& rule = shown.rule;
  Json networks = Json::array();
  for (const Network& network : rule.networks) networks.push_back(network.text());
  return {{"name", rule.name},
          {"networks", std::move(networks)},
          {"accounts", rule.accounts},
          {"direction", name_of(rule.direction)},
          {"rate", rule.rate.per_second},
          {"burst", rule.rate.burst},
          {"holds", shown.holds},
          {"live", shown.is_live},
          {"bytes", shown.bytes},
          {"waiting", shown.waiting},
          {"waited_ns", shown.waited.count()}};
}

// The end of a pause; nothing for one without.
Result<std::optional<int64_t>> pause_end_of(const Json& request, int64_t now_ns) {
  const int64_t length = report::number_of(request, "for_ns", 0);
  const int64_t until = report::number_of(request, "until_ns", 0);
  if (length < 0 || until < 0 || (length > 0 && until > 0))
    return failed(Code::invalid, "pause", "has no one end", "give --for or --until, or neither");
  if (length > kLongestPause)
    return failed(Code::invalid, "pause", "is longer than a year",
                  "leave --for away for one without end");
  if (length == 0 && until == 0) return std::nullopt;
  return until > 0 ? until : now_ns + length;
}

stream::Rate rate_of(const Json& request) {
  const int64_t rate = report::number_of(request, "rate", 0);
  const int64_t burst = report::number_of(request, "burst", rate);
  return {static_cast<uint64_t>(std::max<int64_t>(rate, 0)),
          static_cast<uint64_t>(std::max<int64_t>(burst, 0))};
}

}  // namespace

Json traffic_as_json(const Traffic& traffic) {
  Json rules = Json::array();
  for (const Traffic::Shown& shown : traffic.shown()) rules.push_back(json_of(shown));
  const auto until = traffic.paused_until();
  return {
      {"paused", until.has_value()}, {"until_ns", until.value_or(0)}, {"rules", std::move(rules)}};
}

Status AdminCommands::change_traffic(const std::string& command, const Json& request) const {
  Traffic& traffic = *parts_.traffic;
  if (command == "traffic.pause") {
    CB_ASSIGN(const auto until, pause_end_of(request, now()));
    return traffic.pause(until);
  }
  if (command == "traffic.set")
    return traffic.set_rate(report::text_of(request, "rule"), rate_of(request));
  if (command != "traffic.resume")
    return failed(Code::unsupported, "command '" + command + "'", "is not known",
                  "known are: status, " + names());
  traffic.resume();
  return {};
}

Result<Json> AdminCommands::use_traffic(const std::string& command, const Json& request) const {
  if (parts_.traffic == nullptr)
    return failed(Code::state, "daemon", "does not run, and so has no traffic",
                  "rules stand in the configuration as [[traffic]]");
  if (command == "traffic.show") return traffic_as_json(*parts_.traffic);
  const Status changed = change_traffic(command, request);
  Result<Json> done = changed ? Result<Json>(traffic_as_json(*parts_.traffic))
                              : Result<Json>(failed(changed.error()));
  parts_.log->info("admin." + command, {{"rule", report::text_of(request, "rule")},
                                        {"by", report::text_of(request, "asked_by")},
                                        {"result", done ? "done" : done.error().text()}});
  note(command, request, done);
  return done;
}

}  // namespace cb::server
