// SPDX-License-Identifier: Apache-2.0
#include "retention_text.h"

#include "core/report/table.h"
#include "core/report/utc_text.h"

namespace cb::host {
namespace {

using report::Json;

constexpr size_t kShownDigits = 12;
constexpr size_t kDeviceDigits = 32;

std::string utc_of(const Json& one, const char* key) {
  const int64_t time = one.value(key, int64_t{0});
  return time == 0 ? std::string() : report::utc_text(time);
}

// "0a1b2c3d/5e6f7a8b9c0d" of device and source.
std::string short_source(const std::string& source) {
  if (source.size() <= kDeviceDigits) return "the repository";
  return source.substr(0, 8) + "/" + source.substr(kDeviceDigits, kShownDigits);
}

std::string snapshot_of(const Json& one) {
  return report::text_of(one, "snapshot").substr(0, kShownDigits);
}

std::string joined(const Json& texts) {
  std::string all;
  for (const Json& text : texts)
    if (text.is_string()) all += (all.empty() ? "" : ", ") + text.get<std::string>();
  return all;
}

std::string number_text(const Json& one, const char* key) {
  return std::to_string(one.value(key, uint64_t{0}));
}

void end_line(std::string& text) {
  if (!text.empty() && text.back() == '\n') text.pop_back();
}

std::string sources_table(const Json& sources) {
  report::Table table(
      {{"source"}, {"snapshots", true}, {"in trash", true}, {"newest"}, {"rules of"}, {"rules"}});
  for (const Json& one : sources)
    table.add({short_source(report::text_of(one, "source")), number_text(one, "snapshots"),
               number_text(one, "in_trash"), utc_of(one, "newest_ns"),
               report::text_of(one, "rules_of"), report::text_of(one, "rules")});
  return table.text();
}

// Why a snapshot stays, or until when it lies in the trash.
std::string why_of(const Json& one) {
  std::string why = joined(one.value("reasons", Json::array()));
  const std::string due = utc_of(one, "due_ns");
  if (!due.empty()) why += (why.empty() ? "until " : ", until ") + due;
  if (one.value("checkpoint", false)) why += why.empty() ? "a checkpoint" : " (a checkpoint)";
  return why;
}

std::string request_what(const Json& one) {
  const std::string source = short_source(report::text_of(one, "source"));
  if (report::text_of(one, "what") == "trash-stay")
    return "shorter stay in the trash for " + source;
  return "retention of " + report::text_of(one, "account") + ", " + source + ": " +
         report::text_of(one, "why") + " (trash " + number_text(one, "trash_count") + ", remove " +
         number_text(one, "remove_count") + ")";
}

}  // namespace

std::string retention_text(const Json& shown) {
  std::string text;
  for (const Json& one : shown.value("rules", Json::array()))
    text += "rules of " + short_source(report::text_of(one, "source")) + ": " +
            report::text_of(one, "rules") + ", set " + utc_of(one, "set_ns") + " by " +
            report::text_of(one, "set_by") + "\n";
  if (text.empty()) text = "no rules: everything is kept\n";
  const Json sources = shown.value("sources", Json::array());
  if (!sources.empty()) text += "\n" + sources_table(sources);
  const Json pins = shown.value("pins", Json::array());
  if (pins.empty()) {
    end_line(text);
    return text;
  }
  report::Table table({{"pinned"}, {"until"}, {"reason"}, {"by"}});
  for (const Json& one : pins) {
    const std::string until = utc_of(one, "until_ns");
    table.add({snapshot_of(one), until.empty() ? "for good" : until, report::text_of(one, "reason"),
               report::text_of(one, "set_by")});
  }
  text += "\n" + table.text();
  end_line(text);
  return text;
}

std::string retention_plan_text(const Json& detail) {
  report::Table table({{"account"}, {"source"}, {"snapshot"}, {"time"}, {"what"}, {"why"}});
  std::string notes;
  for (const Json& source : detail.value("sources", Json::array())) {
    const std::string account = report::text_of(source, "account");
    const std::string name = short_source(report::text_of(source, "source"));
    for (const Json& one : source.value("snapshots", Json::array()))
      table.add({account, name, snapshot_of(one), utc_of(one, "time_ns"),
                 report::text_of(one, "act"), why_of(one)});
    notes += account + ", " + name + ": " + report::text_of(source, "rules") +
             " (rules of: " + report::text_of(source, "rules_of") + ")\n";
    const std::string objection = report::text_of(source, "objection");
    if (!objection.empty()) notes += account + ", " + name + " asks first: " + objection + "\n";
  }
  std::string text = table.empty() ? notes : table.text() + "\n" + notes;
  end_line(text);
  return text;
}

std::string rules_set_text(const Json& done) {
  std::string text = "rules of " + short_source(report::text_of(done, "source")) + ": " +
                     report::text_of(done, "rules");
  if (done.contains("request"))
    text +=
        "\nthe shorter stay in the trash waits for another operator: cyberbackupd job approve " +
        number_text(done, "request");
  return text;
}

std::string requests_text(const Json& requests) {
  report::Table table({{"request", true}, {"asked"}, {"by"}, {"approved by"}, {"what"}});
  for (const Json& one : requests)
    table.add({number_text(one, "number"), utc_of(one, "asked_ns"),
               report::text_of(one, "asked_by"), report::text_of(one, "approved_by"),
               request_what(one)});
  if (table.empty()) return "nothing waits for an approval";
  std::string text = table.text();
  end_line(text);
  return text;
}

}  // namespace cb::host
