// SPDX-License-Identifier: Apache-2.0
#include "core/server/settings_traffic.h"

namespace cb::server {
namespace {

using config::Type;

constexpr int64_t kLongestRuleName = 64;

config::Schema whom_schema() {
  return {
      {.key = "name",
       .type = Type::text,
       .help = "How commands and metrics name the rule.",
       .min = 1,
       .max = kLongestRuleName,
       .required = true,
       .reloadable = true},
      {.key = "networks",
       .type = Type::list,
       .help = "Networks of the clients, as 10.0.0.0/8; without it, all.",
       .def = "",
       .reloadable = true},
      {.key = "accounts",
       .type = Type::list,
       .help = "Accounts, as alice, v3/* or v3/ID; without it, all.",
       .def = "",
       .reloadable = true},
      {.key = "direction",
       .type = Type::choice,
       .help = "in: what clients back up; out: what they restore; both: the sum of it.",
       .def = "both",
       .choices = {"in", "out", "both"},
       .reloadable = true},
  };
}

config::Schema when_schema() {
  return {
      {.key = "days",
       .type = Type::list,
       .help = "Days of the week, as mon; without it, all. A night is of the day it begins on.",
       .def = "",
       .reloadable = true},
      {.key = "time",
       .type = Type::text,
       .help = "Time of day, as 08:00-18:00; without it, any.",
       .def = "",
       .min = 0,
       .max = 16,
       .reloadable = true},
      {.key = "zone",
       .type = Type::choice,
       .help = "The clock that these times are of.",
       .def = "utc",
       .choices = {"utc", "local"},
       .reloadable = true},
  };
}

config::Schema rate_schema() {
  return {
      {.key = "rate",
       .type = Type::size,
       .help = "Bytes a second of all clients together whom the rule is about.",
       .min = static_cast<int64_t>(stream::kLeastRate),
       .max = static_cast<int64_t>(stream::kMostRate),
       .required = true,
       .reloadable = true},
      {.key = "burst",
       .type = Type::size,
       .help = "Bytes that may go at once after a rest; without it, those of one second.",
       .min = 1,
       .max = static_cast<int64_t>(stream::kMostBurst),
       .reloadable = true},
  };
}

// One table, as it becomes a rule.
class RuleReader {
 public:
  RuleReader(const Tables& tables, const CheckedTable& table, config::Problems& problems)
      : tables_(tables), table_(table), values_(table.values), problems_(problems) {}

  TrafficRule read() {
    TrafficRule rule;
    if (values_.is_set("name")) rule.name = values_.text("name");
    rule.accounts = values_.list("accounts");
    rule.direction = static_cast<Direction>(values_.number("direction"));  // order of the choices
    rule.in_local_time = values_.text("zone") == "local";
    rule.rate.per_second = static_cast<uint64_t>(values_.number("rate"));
    rule.rate.burst = values_.is_set("burst") ? static_cast<uint64_t>(values_.number("burst"))
                                              : rule.rate.per_second;
    read_networks(rule);
    read_when(rule);
    return rule;
  }

 private:
  void refuse(const char* key, const Error& error) {
    problems_.add(tables_.place(table_, key), table_.name + "." + key,
                  error.object + " " + error.cause, error.advice);
  }
  void read_networks(TrafficRule& rule) {
    for (const std::string& text : values_.list("networks")) {
      const auto network = Network::parse(text);
      if (network)
        rule.networks.push_back(*network);
      else
        refuse("networks", network.error());
    }
  }
  void read_when(TrafficRule& rule) {
    const auto time = schedule::Window::parse(values_.text("time"));
    if (!time) return refuse("time", time.error());
    const auto when = schedule::TimeFrame::make(values_.list("days"), *time);
    if (!when) return refuse("days", when.error());
    rule.when = *when;
  }

  const Tables& tables_;
  const CheckedTable& table_;
  const config::Values& values_;
  config::Problems& problems_;
};

}  // namespace

config::Schema traffic_schema() {
  config::Schema schema = whom_schema();
  for (config::Option& option : when_schema()) schema.push_back(std::move(option));
  for (config::Option& option : rate_schema()) schema.push_back(std::move(option));
  return schema;
}

std::vector<TrafficRule> traffic_of(const Tables& tables, config::Problems& problems) {
  std::vector<TrafficRule> rules;
  for (const CheckedTable& table : tables.repeated.at("traffic")) {
    TrafficRule rule = RuleReader(tables, table, problems).read();
    const bool is_taken = std::any_of(rules.begin(), rules.end(), [&](const TrafficRule& other) {
      return !rule.name.empty() && other.name == rule.name;
    });
    if (is_taken)
      problems.add(tables.place(table, "name"), table.name + ".name",
                   "is the name of another rule too", "give each a name of its own");
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace cb::server
