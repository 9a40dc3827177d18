// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/v3_engine.h"

#include "core/config/schema.h"
#include "hosts/cyberbackup/places.h"

namespace cb {
namespace {

// As a list of text is written in TOML.
std::string toml_list(const std::vector<std::string>& items) {
  std::string text = "[";
  for (const std::string& item : items) text += (text.size() > 1 ? ", \"" : "\"") + item + "\"";
  return text + "]";
}

Result<std::map<std::string, std::string>> tls_options(const SendOptions& options) {
  // The installed base sits behind terminators of every age.
  std::map<std::string, std::string> written{{"min_version", "1.2"}};
  if (!options.ca.empty()) {
    std::error_code error;
    written["ca"] = std::filesystem::absolute(options.ca, error).string();
  }
  for (const std::string& pin : options.pins)
    if (pin.size() != 64 || !from_hex(pin))
      return failed(Code::invalid, "--pin " + pin, "is not 64 hex digits",
                    "take the line that `cyberbackupd init` printed");
  if (!options.pins.empty()) written["pin"] = toml_list(options.pins);
  return written;
}

}  // namespace

Result<std::unique_ptr<V3Engine>> V3Engine::load(const SendOptions& options) {
  std::unique_ptr<V3Engine> engine(new V3Engine());
  CB_ASSIGN(engine->log_,
            log::open_log({options.verbose ? log::Level::debug : log::Level::error, {}, {}}));
  plugin::LoadOptions load_options;
  CB_ASSIGN(load_options.folder, plugin_folder(options.plugins));
  if (const os::Path cache = cache_folder(); !cache.empty())
    load_options.probe_cache = cache / "plugin-probes";
  plugin::HostServices services;
  services.log = engine->log_.get();
  services.clock = &os::system_clock();
  services.random = [](const std::string&) -> os::Random& { return os::system_random(); };
  services.host_name = "cyberbackup";
  services.host_version = CB_PROGRAM_VERSION;
  engine->registry_ =
      std::make_unique<plugin::Registry>(std::move(services), std::move(load_options));
  CB_TRY(engine->make_stack(options));
  CB_TRY(engine->load_plugin("crypto-legacy"));
  CB_ASSIGN(auto sha256, engine->make_suite("sha256"));
  CB_ASSIGN(auto sha1, engine->make_suite("sha1"));
  engine->suites_.emplace(client::V3Suites{std::move(sha256), std::move(sha1)});
  return engine;
}

Status V3Engine::load_plugin(const std::string& id) {
  Status loaded = registry_->load(id);
  return loaded ? loaded : failed(plugin_trouble(std::move(loaded).error()));
}

Result<plugin::Transport> V3Engine::make_transport(
    const std::string& id, const std::map<std::string, std::string>& written) {
  CB_TRY(load_plugin(id));
  CB_ASSIGN(const config::Schema* schema, registry_->schema(id));
  CB_ASSIGN(const config::Values values, config::values_from(*schema, written));
  return registry_->make_transport(id, values);
}

Result<plugin::Crypto> V3Engine::make_suite(const char* hash) {
  CB_ASSIGN(const config::Schema* schema, registry_->schema("crypto-legacy"));
  CB_ASSIGN(const config::Values values, config::values_from(*schema, {{"oaep_hash", hash}}));
  return registry_->make_crypto("crypto-legacy", values);
}

Status V3Engine::make_stack(const SendOptions& options) {
  std::vector<plugin::Transport> top_first;
  if (options.tls) {
    CB_ASSIGN(const auto written, tls_options(options));
    CB_ASSIGN(plugin::Transport tls, make_transport("transport-tls", written));
    top_first.push_back(std::move(tls));
  }
  CB_ASSIGN(plugin::Transport tcp, make_transport("transport-tcp", {}));
  top_first.push_back(std::move(tcp));
  CB_ASSIGN(stream::Stack stack, stream::Stack::make(std::move(top_first)));
  stack_.emplace(std::move(stack));
  return {};
}

}  // namespace cb
