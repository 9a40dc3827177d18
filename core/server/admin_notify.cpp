// SPDX-License-Identifier: Apache-2.0
//
// What an operator asks of notifications.
#include "core/server/admin_commands.h"
#include "core/server/event_post.h"

namespace cb::server {
namespace {

using report::Json;

Json target_as_json(const notify::TargetReport& target) {
  return {{"name", target.name},
          {"target", target.description},
          {"kinds", target.kinds},
          {"severity", notify::name_of(target.least)},
          {"sent", target.sent},
          {"failed", target.failed},
          {"retries", target.retries},
          {"held", target.held},
          {"waiting", target.waiting},
          {"last_success_ns", target.last_success_ns},
          {"last_failure_ns", target.last_failure_ns},
          {"last_error", target.last_error}};
}

Json outcome_as_json(const notify::TestOutcome& outcome) {
  Json one = {{"name", outcome.name},
              {"target", outcome.description},
              {"took_ns", outcome.took.count()},
              {"sent", !outcome.error.has_value()}};
  if (outcome.error) one["error"] = report::json_of(*outcome.error);
  return one;
}

Json list_of_targets(const notify::Notifier& notifier) {
  Json all = Json::array();
  for (const notify::TargetReport& target : notifier.list()) all.push_back(target_as_json(target));
  return all;
}

// One after the other, so that who waits hears of each.
Result<Json> test_targets(notify::Notifier& notifier, const Json& request,
                          const AdminCommands::Progress& progress) {
  std::vector<std::string> names = {report::text_of(request, "name")};
  if (names[0].empty()) {
    names.clear();
    for (const notify::TargetReport& target : notifier.list()) names.push_back(target.name);
  }
  Json all = Json::array();
  for (const std::string& name : names) {
    if (progress && !progress(all.size(), names.size()))
      return failed(Code::cancelled, "test", "was cancelled");
    CB_ASSIGN(const auto outcomes, notifier.test(name, report::text_of(request, "asked_by")));
    for (const notify::TestOutcome& outcome : outcomes) all.push_back(outcome_as_json(outcome));
  }
  return all;
}

}  // namespace

Result<Json> AdminCommands::use_notify(const std::string& command, const Json& request,
                                       const Progress& progress) const {
  if (command != "notify.list" && command != "notify.test")
    return failed(Code::unsupported, "command '" + command + "'", "is not known",
                  "known are: status, " + names());
  if (parts_.notifier == nullptr)
    return failed(Code::state, "notifications", "are the running daemon's, and none runs",
                  "cyberbackupd serve --config FILE");
  if (command == "notify.list") return list_of_targets(*parts_.notifier);
  auto done = test_targets(*parts_.notifier, request, progress);
  note(command, request, done);
  return done;
}

}  // namespace cb::server
