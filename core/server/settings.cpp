// SPDX-License-Identifier: Apache-2.0
#include "core/server/settings.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <thread>

#include "core/server/settings_admin.h"
#include "core/server/settings_confinement.h"
#include "core/server/settings_limits.h"
#include "core/server/settings_notify.h"
#include "core/server/settings_replication.h"
#include "core/server/settings_tables.h"
#include "core/server/settings_traffic.h"
#include "core/server/settings_upkeep.h"
#include "core/server/settings_watch.h"

namespace cb::server {
namespace {

using config::Node;
using config::Place;
using config::Problems;
using config::Values;

std::vector<int> versions_of(ListenMode mode) {
  if (mode == ListenMode::legacy) return {3};
  return mode == ListenMode::compat ? std::vector<int>{3, 4} : std::vector<int>{4};
}

std::string as_list(const std::vector<int>& versions) {
  std::string text;
  for (const int version : versions) text += (text.empty() ? "" : ", ") + std::to_string(version);
  return "[" + text + "]";
}

// Builds the Settings of checked tables; what does not fit together becomes a problem.
class Builder {
 public:
  Builder(const SettingsRequest& request, const Tables& tables, Problems& problems)
      : request_(request), tables_(tables), problems_(problems) {}

  Settings build() {
    settings_.file = request_.file;
    read_server();
    read_log();
    read_plugins();
    for (const CheckedTable& listen : tables_.listen) read_listener(listen);
    read_store();
    settings_.crypto = single_use("crypto");
    settings_.compress = single_use("compress");
    read_legacy();
    read_v4();
    read_limits();
    settings_.observe = observe_settings_of(tables_, problems_);
    settings_.traffic = traffic_of(tables_, problems_);
    settings_.upkeep = upkeep_of(table("upkeep"), tables_.root.at, problems_);
    settings_.watch = watch_of(table("watch"), tables_.root.at, problems_);
    settings_.notify = notify_targets_of(tables_, problems_);
    settings_.upkeep.replication = replication_of(tables_, problems_);
    settings_.operators = operators_of(table("admin"), tables_.root.at, problems_);
    settings_.confinement = confinement_of(tables_, problems_);
    return std::move(settings_);
  }

 private:
  [[nodiscard]] const CheckedTable& table(const char* name) const {
    return tables_.single.at(name);
  }
  [[nodiscard]] uint32_t count(const Values& values, const char* key) const {
    return static_cast<uint32_t>(values.number(key));
  }
  [[nodiscard]] Place place(const CheckedTable& of, const char* key) const {
    return tables_.place(of, key);
  }

  void read_server() {
    const Values& values = table("server").values;
    const uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
    const uint32_t io_threads = count(values, "io_threads");
    const uint32_t workers = count(values, "workers");
    settings_.data = values.text("data");
    settings_.io_threads = io_threads != 0 ? io_threads : cores;
    settings_.workers = workers != 0 ? workers : 2 * cores;
    settings_.memory = static_cast<uint64_t>(values.number("memory"));
    settings_.drain_timeout = values.duration("drain_timeout");
    settings_.advertise = values.list("advertise");
  }

  void read_log() {
    const Values& values = table("log").values;
    settings_.log.level = log::level_named(values.text("level")).value_or(log::Level::info);
    settings_.log.file = values.text("file");
    settings_.log.format = values.text("format") == "json" ? log::Format::json : log::Format::text;
    settings_.log.levels = log_levels_of(tables_, problems_);
  }

  void read_plugins() {
    const CheckedTable& plugins = table("plugins");
    const Values& values = plugins.values;
    settings_.plugins.folder =
        values.is_set("dir") ? os::Path(values.text("dir")) : request_.default_plugin_folder;
    settings_.plugins.pins = static_cast<plugin::Pins>(values.number("pins"));
    settings_.plugins.check_owner = values.boolean("check_owner");
    settings_.plugins.probe_unknown = values.boolean("probe");
    settings_.plugins.probe_program = request_.probe_program;
    settings_.plugins.probe_cache = settings_.data / "probes";
    settings_.load = values.list("load");
    const Node* pins = plugins.node != nullptr ? plugins.node->find("sha256") : nullptr;
    if (pins != nullptr) read_pins(*pins);
  }

  void read_pins(const Node& pins) {
    if (pins.kind != config::Kind::table) {
      problems_.add(pins.at, "plugins.sha256", "must be a table",
                    "cyberbackupd plugins pin prints it");
      return;
    }
    for (const config::Member& pin : pins.members) {
      const bool is_hash = pin.value.text.size() == 64 && from_hex(pin.value.text).has_value();
      if (!is_hash)
        problems_.add(pin.value.at, "plugins.sha256." + pin.key, "must be text of 64 hex digits",
                      "cyberbackupd plugins pin prints it");
      settings_.plugins.sha256[pin.key] = pin.value.text;
    }
  }

  PluginUse use_of(const CheckedTable& in, const std::string& kind, const std::string& name,
                   Place at) {
    PluginUse use;
    use.name = name;
    const bool is_id =
        std::find(settings_.load.begin(), settings_.load.end(), name) != settings_.load.end();
    use.id = is_id ? name : kind + "-" + name;
    use.table_name = in.name + "." + name;
    use.at = std::move(at);
    const Node* written = in.node != nullptr ? in.node->find(name) : nullptr;
    if (written != nullptr) use.table = *written;
    if (written == nullptr) use.table.at = use.at;
    return use;
  }

  // A table of options for a plugin that is not used is as wrong as an unknown key.
  void check_used(const CheckedTable& in, const std::vector<std::string>& used) {
    if (in.node == nullptr) return;
    for (const config::Member& member : in.node->members) {
      const bool is_key = std::any_of(in.section->schema.begin(), in.section->schema.end(),
                                      [&](const auto& option) { return option.key == member.key; });
      if (is_key || member.value.kind != config::Kind::table ||
          std::find(used.begin(), used.end(), member.key) != used.end())
        continue;
      const std::string near = config::nearest(member.key, used);
      problems_.add(member.at, in.name + "." + member.key, "belongs to no plugin that is used here",
                    near.empty() ? "" : "did you mean " + in.name + "." + near + "?");
    }
  }

  void read_listener(const CheckedTable& table) {
    const Values& values = table.values;
    ListenSettings listen;
    listen.at = table.node->at;
    listen.name = values.is_set("name") ? values.text("name") : values.text("address");
    listen.max_connections = count(values, "max_connections");
    listen.dialect = values.text("dialect") == "2023" ? Dialect::of_2023 : Dialect::usual;
    if (values.is_set("address")) read_address(table, listen);
    for (const std::string& name : values.list("transport"))
      listen.transport.push_back(use_of(table, "transport", name, place(table, "transport")));
    if (listen.transport.empty())
      problems_.add(place(table, "transport"), table.name + ".transport", "must not be empty",
                    "write [\"tcp\"]");
    check_used(table, values.list("transport"));
    read_versions(table, listen);
    read_mode(table, listen);
    settings_.listen.push_back(std::move(listen));
  }

  void read_address(const CheckedTable& table, ListenSettings& listen) {
    auto parsed = parse_listen_address(table.values.text("address"));
    if (!parsed) {
      problems_.add(place(table, "address"), table.name + ".address", parsed.error().cause,
                    parsed.error().advice);
      return;
    }
    listen.host = parsed->first;
    listen.port = parsed->second;
    for (const ListenSettings& other : settings_.listen)
      if (other.port != 0 && other.port == listen.port && other.host == listen.host)
        problems_.add(place(table, "address"), table.name + ".address",
                      "is the address of another listener too (" + other.at.text() + ")");
  }

  // What a mode means is what may be written beside it, and nothing else.
  void read_mode(const CheckedTable& table, ListenSettings& listen) {
    if (!table.values.is_set("mode")) return;
    listen.mode = static_cast<ListenMode>(table.values.number("mode"));  // order of the choices
    const std::vector<int> meant = versions_of(*listen.mode);
    const bool is_written = table.node->find("versions") != nullptr;
    std::sort(listen.versions.begin(), listen.versions.end());
    if (is_written && listen.versions != meant)
      problems_.add(
          place(table, "versions"), table.name + ".versions",
          "contradicts mode = \"" + table.values.text("mode") + "\", which means " + as_list(meant),
          "write one of the two");
    listen.versions = meant;
  }

  void read_versions(const CheckedTable& table, ListenSettings& listen) {
    for (const std::string& version : table.values.list("versions")) {
      if (version == "3" || version == "4") {
        listen.versions.push_back(version[0] - '0');
        continue;
      }
      problems_.add(place(table, "versions"), table.name + ".versions",
                    "'" + version + "' is not a version that this program serves",
                    "write [3], [4] or [3, 4]");
    }
    if (table.values.list("versions").empty())
      problems_.add(place(table, "versions"), table.name + ".versions", "must not be empty",
                    "write [3], [4] or [3, 4]");
  }

  void read_store() {
    const CheckedTable& store = table("store");
    for (const std::string& name : store.values.list("use"))
      settings_.store.push_back(use_of(store, "store", name, place(store, "use")));
    if (settings_.store.empty())
      problems_.add(place(store, "use"), "store.use", "must not be empty", "write [\"fs\"]");
    check_used(store, store.values.list("use"));
    settings_.store_mode.mode = static_cast<StoreMode>(store.values.number("mode"));
    settings_.store_mode.drain = store.values.duration("drain");
  }

  PluginUse single_use(const char* kind) {
    const CheckedTable& in = table(kind);
    check_used(in, {in.values.text("use")});
    return use_of(in, kind, in.values.text("use"), place(in, "use"));
  }

  void read_legacy() {
    const Values& values = table("legacy").values;
    V3Settings& v3 = settings_.v3;
    v3.oaep = static_cast<OaepChoice>(values.number("oaep"));  // same order as the choices
    v3.ack_resend_at_once = values.text("ack_resend") == "immediate";
    v3.ack_delay = values.duration("ack_delay");
    v3.idle_timeout = values.duration("idle_timeout");
    v3.request_timeout = values.duration("request_timeout");
    v3.write_timeout = values.duration("write_timeout");
    v3.upload_timeout = values.duration("upload_timeout");
    v3.max_resends = count(values, "max_resends");
    v3.max_upload = static_cast<uint64_t>(values.number("max_upload"));
    v3.registrations_per_minute = count(values, "registrations_per_minute");
    v3.min_version = static_cast<int>(values.number("min_version"));
    v3.ratchet = values.boolean("ratchet");
    v3.new_clients = values.boolean("new_clients");
    v3.migrate = static_cast<V3Migration>(values.number("migrate"));  // the same order, too
    v3.space_reserve = static_cast<uint64_t>(table("limits").values.number("reserve"));
    settings_.engine.reserve = v3.space_reserve;
  }

  void read_v4() {
    const Values& values = table("v4").values;
    V4Settings& v4 = settings_.v4;
    v4.lease = values.duration("lease");
    v4.heartbeat = values.duration("heartbeat");
    v4.login_timeout = values.duration("login_timeout");
    v4.request_timeout = values.duration("request_timeout");
    v4.write_timeout = values.duration("write_timeout");
    v4.session_limit = values.duration("session_limit");
    v4.hellos_per_minute = count(values, "hellos_per_minute");
    v4.login_tries = count(values, "login_tries");
    v4.login_wait = values.duration("login_wait");
    v4.longest_login_wait = values.duration("longest_login_wait");
    v4.password_checks = count(values, "password_checks");
    v4.credit = static_cast<uint64_t>(values.number("credit"));
    v4.unsafe_plain_transport = values.boolean("unsafe_plain_transport_for_tests");
    repository::EngineLimits& engine = settings_.engine;
    engine.data_pack = static_cast<uint64_t>(values.number("data_pack"));
    engine.node_pack = static_cast<uint64_t>(values.number("node_pack"));
    engine.pack_age = values.duration("pack_age");
  }

  void read_limits() {
    const Values& values = table("limits").values;
    settings_.limits.connections = count(values, "connections");
    settings_.limits.connections_per_address = count(values, "connections_per_address");
    settings_.limits.handshake_timeout = values.duration("handshake_timeout");
    settings_.quotas = limit_defaults_of(table("limits"), tables_.root.at, problems_);
    settings_.engine.low_water = low_water_of(table("limits"), tables_.root.at, problems_);
  }

  const SettingsRequest& request_;
  const Tables& tables_;
  Problems& problems_;
  Settings settings_;
};

bool is_numeric(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

void show_table(const CheckedTable& table, std::vector<ShownOption>& shown) {
  for (size_t i = 0; i < table.section->schema.size(); ++i) {
    const config::Option& option = table.section->schema[i];
    const bool is_written = table.node != nullptr && table.node->find(option.key) != nullptr;
    // A mode says it instead.
    if (option.key == "versions" && !is_written && table.values.is_set("mode")) continue;
    const config::Value& value = table.values.in_order()[i];
    if (value.is_set)
      shown.push_back(
          {table.name, option.key, config::as_toml(option, value), !is_written, option.reloadable});
  }
}

}  // namespace

std::vector<std::string> Settings::plugin_ids() const {
  std::vector<std::string> ids;
  const auto add = [&](const std::string& id) {
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  };
  for (const ListenSettings& listener : listen)
    for (const PluginUse& use : listener.transport) add(use.id);
  add(kV3Crypto);
  add(crypto.id);
  add(compress.id);
  for (const PluginUse& use : store) add(use.id);
  for (const std::string& id : load) add(id);
  return ids;
}

Result<Settings> load_settings(const SettingsRequest& request, Problems& problems) {
  Tables tables;
  CB_TRY(read_tables(request, tables, problems));
  Settings settings = Builder(request, tables, problems).build();
  for (const config::Section& section : settings_sections()) {
    if (section.name == "replication.source") continue;
    if (!section.repeated) {
      show_table(tables.single.at(section.name), settings.shown);
      continue;
    }
    const auto& all = section.name == "listen" ? tables.listen : tables.repeated.at(section.name);
    for (const CheckedTable& one : all) show_table(one, settings.shown);
  }
  return settings;
}

Result<std::pair<std::string, uint16_t>> parse_listen_address(const std::string& text) {
  constexpr const char* kForm = "write it like \"0.0.0.0:1256\" or \"[::]:1256\"";
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return failed(Code::invalid, text, "'" + text + "' is not HOST:PORT", kForm);
  std::string host = text.substr(0, colon);
  const char* stop = text.data() + text.size();
  uint16_t port = 0;
  const auto [end, problem] = std::from_chars(text.data() + colon + 1, stop, port);
  if (problem != std::errc() || end != stop)
    return failed(Code::invalid, text, "'" + text + "' has no port from 0 to 65535", kForm);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  if (!is_numeric(host) || bracketed != (host.find(':') != std::string::npos))
    return failed(Code::invalid, text, "'" + text + "' has no numeric host", kForm);
  return std::pair(host, port);
}

}  // namespace cb::server
