// SPDX-License-Identifier: Apache-2.0
//
// What an operator sees of the audit log, and what of an operator's commands goes into it.
#include <algorithm>
#include <array>

#include "core/server/admin_commands.h"
#include "core/server/audit_page.h"

namespace cb::server {
namespace {

using report::Json;

// Commands that change nothing.
constexpr std::array<std::string_view, 2> kReads = {"check", "status"};
constexpr std::array<std::string_view, 4> kReadSuffixes = {".list", ".show", ".history",
                                                           ".requests"};

// What of a request is told. Secrets are not among it.
constexpr std::array<const char*, 33> kTold = {
    "action",     "mode",      "min_version",    "ratchet",  "job",          "number",
    "snapshot",   "source",    "rules",          "until",    "until_ns",     "for_ns",
    "expires_ns", "reason",    "dry_run",        "none",     "trash_stay",   "approve",
    "name",       "client",    "what",           "every_ns", "tolerance_ns", "values",
    "rule",       "rate",      "burst",          "drain_ns", "replica",      "servers",
    "accounts",   "heal_only", "remove_vanished"};

bool is_read(const std::string& command) {
  if (std::find(kReads.begin(), kReads.end(), command) != kReads.end()) return true;
  return std::any_of(kReadSuffixes.begin(), kReadSuffixes.end(),
                     [&](std::string_view suffix) { return command.ends_with(suffix); });
}

std::string told(const Json& request) {
  std::string text;
  for (const char* key : kTold) {
    const auto member = request.find(key);
    if (member == request.end() || member->is_null()) continue;
    const std::string value =
        member->is_string() ? member->get<std::string>() : report::json_line(*member);
    if (!value.empty()) text += (text.empty() ? "" : ", ") + std::string(key) + " " + value;
  }
  return text;
}

std::string object_of(const Json& request) {
  if (const std::string device = report::text_of(request, "device"); !device.empty())
    return "device " + device;
  const std::string account = report::text_of(request, "account");
  return account.empty() ? "" : "account " + account;
}

}  // namespace

Result<Json> AdminCommands::list_audit(const Json& request) const {
  if (parts_.audit != nullptr) CB_TRY(parts_.audit->flush());
  return audit_page(parts_.catalog->audit(), request);
}

void AdminCommands::note(const std::string& command, const Json& request,
                         const Result<Json>& done) const {
  const bool is_unknown = !done && done.error().code == Code::unsupported;
  if (parts_.audit == nullptr || is_unknown || is_read(command)) return;
  AuditEvent event;
  event.actor = report::text_of(request, "asked_by");
  event.action = "admin." + command;
  event.object = object_of(request);
  event.outcome = outcome_of(done);
  event.detail = told(request);
  if (!done) event.detail += (event.detail.empty() ? "" : ": ") + done.error().text();
  parts_.audit->write(std::move(event));
}

}  // namespace cb::server
