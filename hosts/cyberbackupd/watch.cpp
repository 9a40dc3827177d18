// SPDX-License-Identifier: Apache-2.0
#include "answer.h"
#include "core/base/units.h"
#include "core/report/table.h"

namespace cb::host {
namespace {

using report::Json;

constexpr size_t kSourceDevice = 32;  // hex digits
constexpr size_t kShownDevice = 8;
constexpr size_t kShownHash = 12;

// "0a1b2c3d/5e6f7a8b9c0d" of device and path set.
std::string shown_source(const std::string& source) {
  if (source.size() <= kSourceDevice) return "all";
  return source.substr(0, kShownDevice) + "/" + source.substr(kSourceDevice, kShownHash);
}

std::string time_of(const Json& one, const char* key) {
  const int64_t time = report::number_of(one, key, 0);
  return time == 0 ? std::string() : utc(time);
}

std::string expected_of(const Json& one) {
  const std::string expected = time_of(one, "expected_ns");
  if (!expected.empty()) return expected;
  return report::text_of(one, "basis") == "never" ? "never" : "not known yet";
}

std::string state_of_source(const Json& one) {
  std::string state;
  const std::string overdue = time_of(one, "overdue_since_ns");
  const std::string frozen = time_of(one, "frozen_until_ns");
  if (!overdue.empty()) state = "overdue since " + overdue;
  if (!frozen.empty()) state += (state.empty() ? "" : ", ") + ("frozen until " + frozen);
  return state.empty() ? "well" : state;
}

// Why a source is frozen, line by line below the table.
std::string reasons_of(const Json& sources) {
  std::string text;
  for (const Json& one : sources) {
    if (report::number_of(one, "frozen_until_ns", 0) == 0) continue;
    text += "\n" + report::text_of(one, "account") + " " +
            shown_source(report::text_of(one, "source")) + ": " +
            report::text_of(one, "why_frozen");
    const std::string kept = report::text_of(one, "kept_snapshot");
    if (!kept.empty()) text += "; kept: snapshot " + kept.substr(0, kShownHash);
  }
  return text.empty() ? text : "\n" + text.substr(1);
}

std::string watch_text(const Json& answer) {
  const Json sources = answer.value("sources", Json::array());
  if (!answer.value("enabled", true)) return "nothing is watched: [watch] enabled is false";
  if (sources.empty()) return "no source has a backup yet, or none was looked at";
  report::Table table(
      {{"account"}, {"source"}, {"last backup"}, {"expected"}, {"by"}, {"score", true}, {"state"}});
  for (const Json& one : sources) {
    const Json last = one.value("last", Json::object());
    table.add({report::text_of(one, "account"), shown_source(report::text_of(one, "source")),
               time_of(last, "time_ns"), expected_of(one), report::text_of(one, "basis"),
               number(last, "score"), state_of_source(one)});
  }
  std::string text = table.text() + reasons_of(sources);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string released_text(const Json& done) {
  std::string text;
  for (const Json& source : done.value("released", Json::array()))
    text += (text.empty() ? "" : "\n") + ("source " + shown_source(source.get<std::string>())) +
            " is not frozen any more";
  return text + "\nits pinned snapshot stays: cyberbackupd retention unpin lets it go";
}

std::string set_text(const Json& done) {
  const std::string source = report::text_of(done, "source");
  const std::string of =
      source.empty() ? "sources of " + report::text_of(done, "account") : shown_source(source);
  const std::string what = report::text_of(done, "what");
  if (what == "none") return of + ": not missed whatever happens";
  if (what == "history") return of + ": expected as the history says";
  const auto time = [&](const char* key) {
    return format_duration(std::chrono::nanoseconds(report::number_of(done, key, 0)));
  };
  return of + ": expected " + time("every_ns") + " after the last backup, overdue " +
         time("tolerance_ns") + " later";
}

Result<Json> watch_set_request(const WatchOptions& options) {
  Json request = {{"command", "watch.set"},
                  {"account", options.account},
                  {"source", options.source},
                  {"what", options.what}};
  if (options.what.empty() == options.expect.empty())
    return failed(Code::invalid, "watch set",
                  options.what.empty() ? "does not say what is expected" : "says two things",
                  "use one of --expect 1d, none and history");
  if (options.what.empty()) {
    request["what"] = "expect";
    CB_ASSIGN(const auto every, parse_duration(options.expect));
    request["every_ns"] = every.count();
  }
  if (options.tolerance.empty()) return request;
  CB_ASSIGN(const auto tolerance, parse_duration(options.tolerance));
  request["tolerance_ns"] = tolerance.count();
  return request;
}

}  // namespace

report::ExitCode run_watch_list(const WatchOptions& options) {
  Json request = {{"command", "watch.list"}};
  if (!options.account.empty()) request["account"] = options.account;
  return show(options.common, request, watch_text);
}

report::ExitCode run_watch_release(const WatchOptions& options) {
  return show(
      options.common,
      {{"command", "watch.release"}, {"account", options.account}, {"source", options.source}},
      released_text);
}

report::ExitCode run_watch_set(const WatchOptions& options) {
  const auto request = watch_set_request(options);
  if (!request) return tell(request.error(), options.common.json);
  return show(options.common, *request, set_text);
}

}  // namespace cb::host
