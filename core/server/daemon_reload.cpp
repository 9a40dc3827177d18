// SPDX-License-Identifier: Apache-2.0
//
// How a running daemon takes over a changed configuration.
#include <algorithm>

#include "core/server/daemon_state.h"

namespace cb::server {
namespace {

// "log.level, limits.reserve": the keys that were written otherwise before.
std::string changes_between(const std::vector<ShownOption>& before,
                            const std::vector<ShownOption>& now) {
  std::string text;
  for (const ShownOption& option : now) {
    const bool is_same = std::any_of(before.begin(), before.end(), [&](const ShownOption& old) {
      return old.table == option.table && old.key == option.key && old.value == option.value;
    });
    if (!is_same) text += (text.empty() ? "" : ", ") + option.table + "." + option.key;
  }
  return text;
}

}  // namespace

Status Daemon::reload(Settings fresh) {
  State& s = *state_;
  config::Problems problems;
  check_plugin_options(fresh, *s.registry, problems);
  if (problems.has_errors()) return failed(problems.error(""));
  // Before anything changes.
  CB_ASSIGN(const auto versions, versions_after(fresh));
  warn_of_restart(fresh);
  for (size_t i = 0; i < s.doors.size(); ++i) change_versions(*s.doors[i], versions[i]);
  s.v3_policy->reconfigure(fresh.v3);
  s.v3->reconfigure(fresh.v3);
  s.v4->reconfigure(fresh.v4);
  s.sessions->set_limits(fresh.limits);
  s.backend->limits().reconfigure(fresh.quotas);
  s.backend->engine().set_room_limits(fresh.engine.reserve, fresh.engine.low_water);
  s.jobs->reconfigure(fresh.upkeep);
  s.backend->watch().reconfigure(fresh.watch);
  change_targets(fresh.notify);
  s.traffic->reconfigure(std::move(fresh.traffic));
  s.maintenance->reconfigure(fresh.store_mode);
  s.drain_timeout = fresh.drain_timeout.count();
  const std::string changed = changes_between(s.settings.shown, fresh.shown);
  s.settings.shown = std::move(fresh.shown);
  for (const auto& door : s.doors) {
    const Status done = door->reload();
    if (!done)
      s.log.error("reload.failed", {{"listener", door->settings().name},
                                    {"cause", done.error().text()},
                                    {"advice", "the listener goes on as before"}});
  }
  s.log.info("reload.done");
  note("daemon.reloaded", changed);
  return {};
}

void Daemon::change_targets(const notify::Notifier::Targets& targets) const {
  const notify::TargetChanges changes = state_->notifier->reconfigure(targets);
  if (changes.empty()) return;
  std::string detail;
  const auto add = [&detail](const char* what, const std::vector<std::string>& names) {
    for (const std::string& name : names)
      detail += (detail.empty() ? "" : ", ") + std::string(what) + " " + name;
  };
  add("added", changes.added);
  add("changed", changes.changed);
  add("removed", changes.removed);
  note("notify.changed", detail);
}

// What each listener is to serve. One that the settings do not tell of any more goes on.
Result<std::vector<std::vector<int>>> Daemon::versions_after(const Settings& fresh) const {
  std::vector<bool> taken(fresh.listen.size());
  std::vector<std::vector<int>> all;
  for (const auto& door : state_->doors) {
    all.push_back(door->versions());
    for (size_t i = 0; i < fresh.listen.size(); ++i) {
      const ListenSettings& listen = fresh.listen[i];
      const bool is_same =
          !taken[i] && listen.host == door->settings().host && listen.port == door->settings().port;
      if (!is_same) continue;
      taken[i] = true;
      CB_ASSIGN(all.back(), door->versions_for(listen, fresh.v4.unsafe_plain_transport));
      break;
    }
  }
  return all;
}

void Daemon::change_versions(Door& door, const std::vector<int>& versions) const {
  if (door.versions() == versions) return;
  const auto text = [](const std::vector<int>& all) {
    std::string list;
    for (const int version : all) list += (list.empty() ? "" : ",") + std::to_string(version);
    return list.empty() ? std::string("none") : list;
  };
  state_->log.info("listener.versions", {{"listener", door.settings().name},
                                         {"before", text(door.versions())},
                                         {"now", text(versions)}});
  door.serve_versions(versions);
}

void Daemon::warn_of_restart(const Settings& fresh) const {
  const auto is_in = [](const ShownOption& option, const std::vector<ShownOption>& all) {
    return std::any_of(all.begin(), all.end(), [&](const ShownOption& other) {
      return other.table == option.table && other.key == option.key && other.value == option.value;
    });
  };
  for (const ShownOption& option : fresh.shown) {
    if (option.reloadable || is_in(option, state_->settings.shown)) continue;
    state_->log.warn("reload.needs-restart", {{"key", option.table + "." + option.key}});
  }
}

}  // namespace cb::server
