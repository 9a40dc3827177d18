// SPDX-License-Identifier: Apache-2.0
//
// Where the daemon tells what happened.
#include "answer.h"
#include "core/base/units.h"
#include "core/report/table.h"

namespace cb::host {
namespace {

using report::ExitCode;
using report::Json;

std::string targets_text(const Json& all) {
  if (all.empty()) return "no target is configured: see [[notify]] in `config options`";
  report::Table table({{"name"},
                       {"target"},
                       {"severity"},
                       {"sent", true},
                       {"failed", true},
                       {"held", true},
                       {"waiting", true},
                       {"last success"},
                       {"last failure"},
                       {"problem"}});
  for (const Json& one : all)
    table.add({report::text_of(one, "name"), report::text_of(one, "target"),
               report::text_of(one, "severity"), number(one, "sent"), number(one, "failed"),
               number(one, "held"), number(one, "waiting"),
               last_seen(report::number_of(one, "last_success_ns", 0)),
               last_seen(report::number_of(one, "last_failure_ns", 0)),
               report::text_of(one, "last_error")});
  std::string text = table.text();
  text.pop_back();
  return text;
}

std::string outcomes_text(const Json& all) {
  if (all.empty()) return "no target is configured: see [[notify]] in `config options`";
  std::string text;
  for (const Json& one : all) {
    const auto took = std::chrono::nanoseconds(report::number_of(one, "took_ns", 0));
    text += (text.empty() ? "" : "\n") + report::text_of(one, "name") + ": ";
    if (one.value("sent", false)) {
      text += "sent in " + format_duration(took) + " (" + report::text_of(one, "target") + ")";
      continue;
    }
    const Json error = one.value("error", Json::object());
    text += "failed after " + format_duration(took) + ": " + report::text_of(error, "object") +
            ": " + report::text_of(error, "cause");
  }
  return text;
}

// Did every target take it?
bool is_all_sent(const Json& all) {
  for (const Json& one : all)
    if (!one.value("sent", false)) return false;
  return true;
}

}  // namespace

ExitCode run_notify_list(const NotifyOptions& options) {
  return show(options.common, {{"command", "notify.list"}}, targets_text);
}

ExitCode run_notify_test(const NotifyOptions& options) {
  const auto done = run_admin(options.common, {{"command", "notify.test"}, {"name", options.name}});
  if (!done) return tell(done.error(), options.common.json);
  print(options.common.json ? report::json_line(*done) : outcomes_text(*done));
  return is_all_sent(*done) ? ExitCode::done : ExitCode::failed;
}

}  // namespace cb::host
