// SPDX-License-Identifier: Apache-2.0
//
// What an operator does about the mode of the store.
#include "core/server/admin_commands.h"
#include "core/server/jobs.h"

namespace cb::server {
namespace {

using report::Json;

// A job that runs and is told to end because of the mode.
std::string held_job(Jobs* jobs) {
  if (jobs == nullptr) return {};
  const auto all = jobs->list();
  if (!all) return {};
  for (const Json& one : *all)
    if (one.contains("running") && one.contains("held")) return report::text_of(one, "job");
  return {};
}

}  // namespace

Json store_as_json(const Maintenance& maintenance) {
  const Maintenance::Shown shown = maintenance.shown();
  size_t left = 0;
  if (shown.mode != StoreMode::normal) left += shown.backups;
  if (shown.mode == StoreMode::offline) left += shown.readings;
  return {{"mode", name_of(shown.mode)},      {"configured", name_of(shown.configured)},
          {"told", name_of(shown.told.mode)}, {"told_by", shown.told.told_by},
          {"told_ns", shown.told.told_ns},    {"backups", shown.backups},
          {"readings", shown.readings},       {"left", left},
          {"until_ns", shown.until_ns},       {"refused", shown.refused}};
}

Status AdminCommands::set_store_mode(const Json& request) const {
  const std::string name = report::text_of(request, "mode");
  const auto mode = store_mode_named(name);
  if (!mode)
    return failed(Code::invalid, "mode '" + name + "'", "is not known",
                  "use normal, read-only or offline");
  const int64_t usual = parts_.maintenance->usual_drain().count();
  const std::chrono::nanoseconds drain(report::number_of(request, "drain_ns", usual));
  return parts_.maintenance->tell({*mode, now(), report::text_of(request, "asked_by")}, drain);
}

Result<Json> AdminCommands::use_store(const std::string& command, const Json& request) const {
  const auto show = [&]() -> Result<Json> {
    Json shown = store_as_json(*parts_.maintenance);
    shown["job"] = held_job(parts_.jobs);
    return shown;
  };
  if (parts_.maintenance == nullptr || (command != "store.show" && command != "store.mode"))
    return failed(Code::unsupported, "command '" + command + "'", "is not known",
                  "known are: status, " + names());
  if (command == "store.show") return show();
  const Status set = set_store_mode(request);
  Result<Json> done = set ? show() : Result<Json>(failed(set.error()));
  note(command, request, done);
  return done;
}

}  // namespace cb::server
