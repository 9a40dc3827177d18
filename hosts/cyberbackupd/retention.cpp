// SPDX-License-Identifier: Apache-2.0
#include "answer.h"
#include "core/os/clock.h"
#include "hosts/retention/retention_text.h"

namespace cb::host {
namespace {

using report::Json;

Result<std::vector<retention::Hash>> hashes_of(const std::vector<std::string>& texts) {
  std::vector<retention::Hash> hashes;
  for (const std::string& text : texts) {
    const auto hash = Id<struct TagHashTag, 32>::from_hex_text(text);
    if (!hash)
      return failed(Code::invalid, "tag hash '" + text + "'", "is not 64 hex digits",
                    "cyberbackup retention set --keep-tag, on an owner's device, takes the tag");
    hashes.push_back(hash->bytes);
  }
  return hashes;
}

Result<Json> set_request(const RetentionOptions& options) {
  CB_ASSIGN(const auto tags, hashes_of(options.rules.tags));
  CB_ASSIGN(const auto rules, rules_of(options.rules, tags));
  return Json{{"command", "retention.set"},
              {"account", options.account},
              {"source", options.source},
              {"rules", rules ? retention::text_of(*rules) : std::string()}};
}

std::string pin_text(const Json& done) {
  return "snapshot " + report::text_of(done, "snapshot") +
         (done.value("pinned", false) ? " is pinned" : " is not pinned any more");
}

std::string approval_text(const Json& request) {
  const std::string number_of = number(request, "number");
  if (report::text_of(request, "what") == "trash-stay")
    return "request " + number_of + " is approved and done";
  return "request " + number_of +
         " is approved; the next run does it: cyberbackupd job run retention";
}

}  // namespace

report::ExitCode run_retention_show(const RetentionOptions& options) {
  return show(options.common, {{"command", "retention.show"}, {"account", options.account}},
              retention_text);
}

report::ExitCode run_retention_set(const RetentionOptions& options) {
  const auto request = set_request(options);
  if (!request) return tell(request.error(), options.common.json);
  return show(options.common, *request, rules_set_text);
}

report::ExitCode run_retention_pin(const RetentionOptions& options, bool pins) {
  Json request = {{"command", pins ? "retention.pin" : "retention.unpin"},
                  {"account", options.account},
                  {"snapshot", options.snapshot},
                  {"reason", options.reason}};
  if (!options.until.empty()) {
    const auto until = parse_moment(options.until, os::system_clock().wall().count());
    if (!until) return tell(until.error(), options.common.json);
    request["until_ns"] = *until;
  }
  return show(options.common, request, pin_text);
}

report::ExitCode run_retention_plan(const RetentionOptions& options) {
  Json request = {{"command", "job.run"}, {"job", "retention"}, {"dry_run", true}};
  if (!options.account.empty()) request["account"] = options.account;
  return show(options.common, request, [](const Json& run) {
    const std::string text = retention_plan_text(run.value("result", Json::object()));
    return text.empty() ? report::text_of(run, "summary")
                        : text + "\n" + report::text_of(run, "summary");
  });
}

report::ExitCode run_requests(const CommonOptions& options) {
  return show(options, {{"command", "job.requests"}}, requests_text);
}

report::ExitCode run_approve(const RetentionOptions& options) {
  return show(options.common, {{"command", "job.approve"}, {"number", options.request}},
              approval_text);
}

}  // namespace cb::host
