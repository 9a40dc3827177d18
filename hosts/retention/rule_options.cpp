// SPDX-License-Identifier: Apache-2.0
#include "rule_options.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "core/base/bytes.h"
#include "core/base/units.h"

namespace cb::host {
namespace {

// Nothing for what is no date of 1970 to 2261.
std::optional<int64_t> parse_date(const std::string& text) {
  int year = 0, read = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
  int found =
      std::sscanf(text.c_str(), "%4d-%2u-%2u%n", &year, &month, &day, &read) == 3 ? read : 0;
  if (static_cast<size_t>(found) != text.size())
    found = std::sscanf(text.c_str(), "%4d-%2u-%2uT%2u:%2u:%2uZ%n", &year, &month, &day, &hour,
                        &minute, &second, &read) == 6
                ? read
                : 0;
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                         std::chrono::day{day}};
  const bool is_whole = static_cast<size_t>(found) == text.size();
  if (!is_whole || !date.ok() || year < 1970 || year > 2261) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  return (days * 86400 + hour * 3600 + minute * 60 + second) * 1'000'000'000;
}

}  // namespace

void add_rule_options(CLI::App& command, RuleOptions& options, const std::string& tag_name) {
  std::vector<CLI::Option*> all = {
      command.add_option("--keep-last", options.last, "Keep the first of the last N cadences"),
      command.add_option("--keep-hourly", options.hourly, "Keep the first of N hours"),
      command.add_option("--keep-daily", options.daily, "Keep the first of N days"),
      command.add_option("--keep-weekly", options.weekly, "Keep the first of N weeks"),
      command.add_option("--keep-monthly", options.monthly, "Keep the first of N months"),
      command.add_option("--keep-yearly", options.yearly, "Keep the first of N years"),
      command.add_option("--keep-within", options.within,
                         "Keep what is no older than this beside the newest, as 30d"),
      command.add_option(tag_name, options.tags, "Keep what bears this tag; may be repeated")};
  auto* keep_all = command.add_flag("--keep-all", options.keep_all, "Keep everything");
  for (CLI::Option* option : all) option->excludes(keep_all);
  all.push_back(keep_all);
  all.push_back(command.add_option("--cadence", options.cadence,
                                   "No more than one snapshot in so long counts; 1d by default"));
  all.push_back(command.add_option("--trash-stay", options.trash_stay,
                                   "How long snapshots lie in the trash; 7d by default"));
  auto* none = command.add_flag("--none", options.none, "Take the rules away");
  for (CLI::Option* option : all) option->excludes(none);
}

Result<std::optional<retention::Rules>> rules_of(const RuleOptions& options,
                                                 const std::vector<retention::Hash>& tags) {
  if (options.none) return std::nullopt;
  std::string text = options.keep_all ? "keep-all" : "";
  const auto add = [&text](const char* name, const std::string& value) {
    if (!value.empty()) text += (text.empty() ? "" : ", ") + std::string(name) + " " + value;
  };
  add("keep-last", options.last);
  add("keep-hourly", options.hourly);
  add("keep-daily", options.daily);
  add("keep-weekly", options.weekly);
  add("keep-monthly", options.monthly);
  add("keep-yearly", options.yearly);
  add("keep-within", options.within);
  for (const retention::Hash& tag : tags) add("keep-tag", to_hex(tag));
  add("cadence", options.cadence);
  add("trash-stay", options.trash_stay);
  if (text.empty())
    return failed(Code::invalid, "retention rules", "are not given",
                  "say what to keep, as --keep-daily 7, or --keep-all, or --none");
  CB_ASSIGN(retention::Rules rules, retention::parse_rules(text));
  return rules;
}

Result<int64_t> parse_moment(const std::string& text, int64_t now_ns) {
  if (const auto moment = parse_date(text)) return *moment;
  const auto life = parse_duration(text);
  if (life && life->count() < 200 * retention::kYear) return now_ns + life->count();
  return failed(Code::invalid, "'" + text + "'", "is neither a date nor a length of time",
                "write it as 2026-12-31 or 90d");
}

}  // namespace cb::host
