// SPDX-License-Identifier: Apache-2.0
//
// The pages about a running daemon: /health, /ready, /metrics, /diagnostics.
#include "core/report/utc_text.h"
#include "core/server/daemon_state.h"

namespace cb::server {
namespace {

using report::Json;

observe::Page json_page(unsigned status, const Json& json) {
  return {status, "application/json", report::json_text(json) + "\n"};
}

// The settings in force. Secrets show as such and nothing more; those of plugins are not among
// them.
Json settings_shown(const std::vector<ShownOption>& shown) {
  Json all = Json::object();
  for (const ShownOption& option : shown) all[option.table + "." + option.key] = option.value;
  return all;
}

Json troubles_shown(const log::RecentLog& recent) {
  Json all = Json::array();
  for (const log::RecentLog::Line& line : recent.recent())
    all.push_back({{"time", report::utc_text(line.time_ns)},
                   {"level", std::string(log::name_of(line.level))},
                   {"line", line.text}});
  return all;
}

}  // namespace

// "ok", or what is wrong.
Json Daemon::readiness() const {
  State& s = *state_;
  const auto text = [](const auto& done) { return done ? std::string("ok") : done.error().text(); };
  const auto space = s.backend->store().space();
  const bool has_no_space = !space && space.error().code == Code::unsupported;
  const std::string refusal = s.v3->refusal();
  const StoreMode mode = s.maintenance->mode();
  return {{"catalog", text(s.backend->catalog().audit().last())},
          {"store", has_no_space ? "ok" : text(space)},
          {"space", refusal.empty() ? "ok" : refusal},
          {"mode", mode == StoreMode::normal ? std::string("ok")
                                             : std::string("the store is ") + name_of(mode)},
          {"listeners", s.draining ? "the daemon is ending" : "ok"}};
}

Json Daemon::diagnostics() const {
  Json all = status();
  all["checks"] = readiness();
  all["settings"] = settings_shown(state_->settings.shown);
  all["troubles"] = troubles_shown(state_->recent);
  return all;
}

Status Daemon::open_observe() {
  State& s = *state_;
  const ObserveSettings& settings = s.settings.observe;
  if (!settings.is_on) return {};
  const auto ready = [this] {
    const Json checks = readiness();
    bool is_ready = true;
    for (const auto& [name, found] : checks.items()) is_ready = is_ready && found == "ok";
    return json_page(is_ready ? 200 : 503, {{"ready", is_ready}, {"checks", checks}});
  };
  const auto metrics = [this] {
    return observe::Page{200, "text/plain; version=0.0.4; charset=utf-8", this->metrics()};
  };
  observe::HttpSettings http;
  http.host = settings.host;
  http.port = settings.port;
  http.local_names_only = !settings.allow_public;
  CB_ASSIGN(s.pages,
            observe::HttpServer::open(
                http, {s.threads.get(), s.readers.get(), &s.log},
                {{"/health", false,
                  [] {
                    return observe::Page{200, "text/plain", "ok\n"};
                  }},
                 {"/ready", true, ready},
                 {"/metrics", true, metrics},
                 {"/diagnostics", true, [this] { return json_page(200, diagnostics()); }}}));
  s.log.info("observe.open", {{"address", settings.host}, {"port", s.pages->port()}});
  return {};
}

uint16_t Daemon::observe_port() const { return state_->pages ? state_->pages->port() : 0; }

}  // namespace cb::server
