// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <charconv>

#include "answer.h"
#include "core/base/units.h"
#include "core/report/table.h"

namespace cb::host {
namespace {

using report::Json;

enum class LimitForm { size, time, count };
struct LimitName {
  const char* option;
  const char* key;  // of "limits" in an answer
  LimitForm form;
};
constexpr std::array<LimitName, 7> kLimitNames = {{{"stored", "stored", LimitForm::size},
                                                   {"soft", "soft", LimitForm::size},
                                                   {"grace", "grace_ns", LimitForm::time},
                                                   {"sessions", "sessions", LimitForm::count},
                                                   {"requests", "requests", LimitForm::count},
                                                   {"upload", "upload", LimitForm::size},
                                                   {"snapshot", "snapshot", LimitForm::size}}};

Result<int64_t> parse_count(const std::string& text) {
  uint32_t count = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (problem == std::errc() && end == text.data() + text.size()) return int64_t{count};
  return failed(Code::invalid, "'" + text + "'", "is not a number",
                "give one, or none, or default");
}

Result<int64_t> parse_amount(LimitForm form, const std::string& text) {
  if (form == LimitForm::size) return parse_size(text);
  if (form == LimitForm::count) return parse_count(text);
  CB_ASSIGN(const auto time, parse_duration(text));
  return time.count();
}

// 0 would be no limit, which is not what is meant.
Result<Json> parse_limit(const LimitName& name, const std::string& text) {
  const std::string object = std::string("--") + name.option;
  if (text == "default") return Json(nullptr);
  const bool is_time = name.form == LimitForm::time;
  if (text == "none") {
    if (!is_time) return Json(0);
    return failed(Code::invalid, object, "has to be a length of time",
                  "take the soft limit away with --soft none, or give 0s");
  }
  auto value = parse_amount(name.form, text);
  if (!value) return failed(Code::invalid, object, value.error().text());
  if (*value == 0 && !is_time)
    return failed(Code::invalid, object, "would let nothing be done",
                  "give none for no limit; cyberbackupd account disable keeps an account out");
  return Json(static_cast<uint64_t>(*value));
}

Result<Json> set_limits_request(const LimitOptions& options) {
  Json values = Json::object();
  for (const LimitName& name : kLimitNames) {
    const auto given = options.values.find(name.option);
    if (given == options.values.end() || given->second.empty()) continue;
    CB_ASSIGN(values[name.option], parse_limit(name, given->second));
  }
  return Json{{"command", "limits.set"},
              {"account", options.account},
              {"device", options.device},
              {"values", std::move(values)}};
}

std::string amount_text(const Json& limits, const LimitName& name) {
  const auto value = static_cast<uint64_t>(report::number_of(limits, name.key, 0));
  if (name.form == LimitForm::time)
    return value == 0 ? "none"
                      : format_duration(std::chrono::nanoseconds(static_cast<int64_t>(value)));
  if (value == 0) return "-";
  return name.form == LimitForm::size ? format_size(value) : std::to_string(value);
}

std::string state_text(const Json& use) {
  if (use.value("is_over", false)) return "full";
  const int64_t until = report::number_of(use, "soft_until_ns", 0);
  return until == 0 ? "" : "above soft until " + utc(until);
}

void add_row(report::Table& table, const std::string& who, const Json& of) {
  const Json use = of.value("use", Json::object());
  const Json limits = of.value("limits", Json::object());
  const auto bytes = [&](const char* key) {
    return format_size(static_cast<uint64_t>(report::number_of(use, key, 0)));
  };
  std::vector<std::string> row = {who, bytes("stored")};
  for (const LimitName& name : kLimitNames) row.push_back(amount_text(limits, name));
  row.push_back(number(use, "snapshots"));
  row.push_back(bytes("declared_bytes"));
  row.push_back(state_text(use));
  table.add(std::move(row));
}

report::Table limits_table() {
  return report::Table({{"who"},
                        {"stored", true},
                        {"limit", true},
                        {"soft", true},
                        {"grace", true},
                        {"sessions", true},
                        {"requests", true},
                        {"upload", true},
                        {"snapshot", true},
                        {"snapshots", true},
                        {"declared", true},
                        {"state"}});
}

void add_account(report::Table& table, const Json& account) {
  add_row(table, report::text_of(account, "account"), account);
  for (const Json& device : account.value("devices", Json::array()))
    add_row(table, "  " + report::text_of(device, "device"), device);
}

std::string limits_text(const Json& shown) {
  report::Table table = limits_table();
  std::string errors;
  for (const Json& account : shown.value("accounts", Json::array())) {
    if (account.contains("error"))
      errors += "account " + report::text_of(account, "account") +
                " cannot be read: " + report::text_of(account, "error") + "\n";
    else
      add_account(table, account);
  }
  std::string refused;
  const Json refusals = shown.value("refused", Json::object());
  for (const auto& [kind, count] : refusals.items())
    if (count.is_number() && count.get<uint64_t>() > 0)
      refused += (refused.empty() ? "" : ", ") + kind + " " + count.dump();
  std::string text = table.text() + errors;
  text += refused.empty() ? "nothing was refused since the start"
                          : "refused since the start: " + refused;
  return text;
}

std::string limits_set_text(const Json& account) {
  report::Table table = limits_table();
  add_account(table, account);
  std::string text = table.text();
  if (!text.empty()) text.pop_back();
  return text;
}

}  // namespace

report::ExitCode run_limits_show(const LimitOptions& options) {
  return show(options.common, {{"command", "limits.show"}, {"account", options.account}},
              limits_text);
}

report::ExitCode run_limits_set(const LimitOptions& options) {
  const auto request = set_limits_request(options);
  if (!request) return tell(request.error(), options.common.json);
  return show(options.common, *request, limits_set_text);
}

}  // namespace cb::host
