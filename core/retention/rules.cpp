// SPDX-License-Identifier: Apache-2.0
#include "core/retention/rules.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>

#include "core/base/bytes.h"
#include "core/base/id.h"
#include "core/base/units.h"

namespace cb::retention {
namespace {

constexpr uint64_t kMostCount = 100'000;
constexpr size_t kMostTags = 64;
constexpr int64_t kLeastCadence = kHour / 60;
constexpr int64_t kMostStay = 10 * kYear;
constexpr int64_t kMostWithin = 100 * kYear;
constexpr std::string_view kKeepAll = "keep-all";
constexpr std::string_view kWithin = "keep-within";
constexpr std::string_view kTag = "keep-tag";
constexpr std::string_view kCadence = "cadence";
constexpr std::string_view kStay = "trash-stay";

struct CountRule {
  std::string_view name;
  uint64_t Rules::*count;
};
constexpr std::array<CountRule, 6> kCounts = {{{"keep-last", &Rules::keep_last},
                                               {"keep-hourly", &Rules::hourly},
                                               {"keep-daily", &Rules::daily},
                                               {"keep-weekly", &Rules::weekly},
                                               {"keep-monthly", &Rules::monthly},
                                               {"keep-yearly", &Rules::yearly}}};

tl::unexpected<Error> wrong(std::string_view what, std::string cause, std::string advice = {}) {
  return failed(Code::invalid, "retention rule '" + std::string(what) + "'", std::move(cause),
                std::move(advice));
}

Status check_time(std::string_view name, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return {};
  return wrong(name, duration_text(value) + " is not between " + duration_text(least) + " and " +
                         duration_text(most));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// One "name value" of the text.
struct Part {
  std::string_view name;
  std::string_view value;
};

Part part_of(std::string_view text) {
  const size_t space = text.find(' ');
  if (space == text.npos) return {text, {}};
  return {text.substr(0, space), trimmed(text.substr(space))};
}

Status read_count(const Part& part, uint64_t& count) {
  const char* end = part.value.data() + part.value.size();
  const auto [at, problem] = std::from_chars(part.value.data(), end, count);
  if (problem == std::errc{} && at == end && !part.value.empty()) return {};
  return wrong(part.name, "'" + std::string(part.value) + "' is not a number of snapshots",
               "write it as " + std::string(part.name) + " 7");
}

Status read_time(const Part& part, int64_t& time) {
  const auto value = parse_duration(part.value);
  if (!value)
    return wrong(part.name, "'" + std::string(part.value) + "' is not a length of time",
                 "write it as " + std::string(part.name) + " 30d");
  time = value->count();
  return {};
}

Status read_tag(const Part& part, std::vector<Hash>& tags) {
  const auto tag = Id<struct TagTextTag, 32>::from_hex_text(part.value);
  if (!tag) return wrong(part.name, "a tag is known here by the 64 hex digits of its hash");
  tags.push_back(tag->bytes);
  return {};
}

Status read_part(const Part& part, Rules& rules) {
  for (const CountRule& rule : kCounts)
    if (part.name == rule.name) return read_count(part, rules.*rule.count);
  if (part.name == kWithin) return read_time(part, rules.within_ns);
  if (part.name == kTag) return read_tag(part, rules.tags);
  if (part.name == kCadence) return read_time(part, rules.cadence_ns);
  if (part.name == kStay) return read_time(part, rules.trash_stay_ns);
  if (part.name == kKeepAll && part.value.empty()) return {};
  return wrong(part.name, "is not known",
               "known are: keep-last, keep-hourly, keep-daily, keep-weekly, keep-monthly, "
               "keep-yearly, keep-within, keep-tag, keep-all, cadence, trash-stay");
}

Status check_keeps(const Rules& rules, bool says_all) {
  if (says_all == rules.keeps_all()) return {};
  if (says_all) return wrong(kKeepAll, "stands beside rules that do not keep all", "leave one out");
  return failed(Code::invalid, "retention rules", "would keep nothing",
                "keep at least one, or say keep-all");
}

}  // namespace

Status check(const Rules& rules) {
  for (const CountRule& rule : kCounts)
    if (rules.*rule.count > kMostCount)
      return wrong(rule.name, "is more than " + std::to_string(kMostCount));
  CB_TRY(check_time(kWithin, rules.within_ns, 0, kMostWithin));
  CB_TRY(check_time(kCadence, rules.cadence_ns, kLeastCadence, kYear));
  CB_TRY(check_time(kStay, rules.trash_stay_ns, kHour, kMostStay));
  if (rules.tags.size() > kMostTags)
    return wrong(kTag, "there are more than " + std::to_string(kMostTags));
  if (std::adjacent_find(rules.tags.begin(), rules.tags.end(), std::greater_equal<>()) !=
      rules.tags.end())
    return wrong(kTag, "tags are not sorted, or twice the same");
  return {};
}

std::string duration_text(int64_t nanoseconds) {
  constexpr std::array<std::pair<std::string_view, int64_t>, 5> kUnits = {
      {{"d", kDay}, {"h", kHour}, {"m", kHour / 60}, {"s", kHour / 3600}, {"ns", 1}}};
  std::string text = nanoseconds < 0 ? "-" : "";
  uint64_t left =
      nanoseconds < 0 ? 0 - static_cast<uint64_t>(nanoseconds) : static_cast<uint64_t>(nanoseconds);
  if (left == 0) return "0s";
  for (const auto& [unit, length] : kUnits) {
    const auto width = static_cast<uint64_t>(length);
    if (left >= width) text += std::to_string(left / width) + std::string(unit);
    left %= width;
  }
  return text;
}

std::string text_of(const Rules& rules) {
  std::vector<std::string> parts;
  const auto add = [&parts](std::string_view name, const std::string& value) {
    parts.push_back(std::string(name) + " " + value);
  };
  if (rules.keeps_all()) parts.emplace_back(kKeepAll);
  for (const CountRule& rule : kCounts)
    if (rules.*rule.count != 0) add(rule.name, std::to_string(rules.*rule.count));
  if (rules.within_ns != 0) add(kWithin, duration_text(rules.within_ns));
  for (const Hash& tag : rules.tags) add(kTag, to_hex(tag));
  add(kCadence, duration_text(rules.cadence_ns));
  add(kStay, duration_text(rules.trash_stay_ns));
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

Result<Rules> parse_rules(std::string_view text) {
  Rules rules;
  std::set<std::string_view> seen;
  for (bool more = true; more;) {
    const size_t comma = text.find(',');
    const Part part = part_of(trimmed(text.substr(0, comma)));
    if (part.name.empty())
      return failed(Code::invalid, "retention rules", "have an empty part",
                    "write them as \"keep-daily 7, keep-weekly 5\"");
    if (!seen.insert(part.name).second && part.name != kTag)
      return wrong(part.name, "stands there twice");
    CB_TRY(read_part(part, rules));
    more = comma != text.npos;
    if (more) text.remove_prefix(comma + 1);
  }
  std::sort(rules.tags.begin(), rules.tags.end());
  rules.tags.erase(std::unique(rules.tags.begin(), rules.tags.end()), rules.tags.end());
  CB_TRY(check_keeps(rules, seen.contains(kKeepAll)));
  CB_TRY(check(rules));
  return rules;
}

}  // namespace cb::retention
