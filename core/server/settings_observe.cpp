// SPDX-License-Identifier: Apache-2.0
//
// What the configuration says about seeing into the daemon.
#include "core/server/settings_tables.h"

namespace cb::server {
namespace {

bool is_loopback(const std::string& host) { return host.starts_with("127.") || host == "::1"; }

}  // namespace

ObserveSettings observe_settings_of(const Tables& tables, config::Problems& problems) {
  const CheckedTable& table = tables.single.at("observe");
  ObserveSettings read;
  read.is_on = table.values.is_set("listen");
  read.allow_public = table.values.boolean("allow_public");
  if (!read.is_on) return read;
  auto parsed = parse_listen_address(table.values.text("listen"));
  if (!parsed) {
    problems.add(tables.place(table, "listen"), "observe.listen", parsed.error().cause,
                 parsed.error().advice);
    return read;
  }
  read.host = parsed->first;
  read.port = parsed->second;
  if (!read.allow_public && !is_loopback(read.host))
    problems.add(tables.place(table, "listen"), "observe.listen",
                 "could be read by other machines: the pages ask for no password",
                 "listen on 127.0.0.1, or set allow_public = true behind a firewall");
  return read;
}

log::ModuleLevels log_levels_of(const Tables& tables, config::Problems& problems) {
  log::ModuleLevels all;
  const config::Node* log = tables.single.at("log").node;
  const config::Node* levels = log != nullptr ? log->find("levels") : nullptr;
  if (levels == nullptr) return all;
  if (levels->kind != config::Kind::table) {
    problems.add(levels->at, "log.levels", "must be a table", "write it like { v4 = \"debug\" }");
    return all;
  }
  for (const config::Member& one : levels->members) {
    const auto level = log::level_named(one.value.text);
    if (!level)
      problems.add(one.value.at, "log.levels." + one.key,
                   "must be one of trace, debug, info, warn, error");
    else
      all[one.key] = *level;
  }
  return all;
}

}  // namespace cb::server
