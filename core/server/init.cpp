// SPDX-License-Identifier: Apache-2.0
#include "core/server/init.h"

#include <algorithm>

#include "core/identity/certificate.h"

namespace cb::server {
namespace {

constexpr const char* kDefaultListen = "127.0.0.1:1256";
constexpr const char* kConfigName = "cyberbackupd.toml";
// Written first and removed last: a folder that has it was left by an init that was cut short.
constexpr const char* kMark = "init-not-finished";
constexpr auto kCertificateLife = std::chrono::hours(24 * 365 * 5);

struct Plan {
  InitRequest request;
  std::vector<std::pair<std::string, bool>> listen;  // address, is tls
};

Result<Plan> plan_of(InitRequest request) {
  if (request.store != "fs" && request.store != "sqlite")
    return failed(Code::invalid, "--store " + request.store, "is neither fs nor sqlite");
  request.folder = std::filesystem::absolute(request.folder).lexically_normal();
  Plan plan;
  if (!request.listen_v4.empty()) plan.listen.emplace_back(request.listen_v4, true);
  if (!request.listen_v3.empty()) plan.listen.emplace_back(request.listen_v3, false);
  if (plan.listen.empty()) plan.listen.emplace_back(kDefaultListen, false);
  for (const auto& [address, is_tls] : plan.listen) CB_TRY(parse_listen_address(address));
  plan.request = std::move(request);
  return plan;
}

Status check_folder(const os::Path& folder, os::FileSystem& files) {
  CB_TRY(files.make_folders(folder));
  CB_ASSIGN(const std::vector<std::string> names, files.list(folder));
  const bool unfinished = std::find(names.begin(), names.end(), kMark) != names.end();
  if (names.empty() || unfinished) return {};
  return failed(Code::exists, folder.string(), "is not empty (it holds " + names.front() + ")",
                "choose a folder that is empty or does not exist yet");
}

std::string listen_block(const std::string& address, bool is_tls) {
  std::string text = "[[listen]]\naddress = " + config::toml_text(address) + "\n";
  if (!is_tls)
    return text +
           "# Protocol 3 without any encryption around it, for clients of the installed base.\n"
           "transport = [\"tcp\"]\nversions = [3]\n#dialect = \"standard\"\n\n";
  return text +
         "# TLS over TCP. Clients check the certificate's key by its pin (SHA-256).\n"
         "# versions = [3, 4] lets clients of the installed base in as well, inside TLS.\n"
         "transport = [\"tls\", \"tcp\"]\nversions = [4]\n\n"
         "[listen.tls]\ncertificate = \"keys/tls.crt\"\nkey = \"keys/tls.key\"\n\n";
}

std::string store_block(const std::string& store) {
  if (store == "fs") return "[store]\nuse = [\"fs\"]\n\n[store.fs]\nfolder = \"store\"\n\n";
  return "[store]\nuse = [\"sqlite\"]\n\n[store.sqlite]\nfile = \"store.sqlite\"\n\n";
}

std::string config_text(const Plan& plan) {
  std::string text =
      "# Configuration of cyberbackupd.\n"
      "# All keys with their meaning:   cyberbackupd config options\n"
      "# Is this file good?             cyberbackupd config check --config FILE\n"
      "# Environment and command line override it: CYBERBACKUPD_SERVER__WORKERS=4, "
      "--set server.workers=4\n\n"
      "[server]\n"
      "# Keys, catalog and admin socket lie here; relative paths start at this file.\n"
      "data = \".\"\n"
      "# Ceiling of all transfer buffers together.\n"
      "#memory = \"64MiB\"\n"
      "# How long running uploads may go on after SIGTERM.\n"
      "#drain_timeout = \"30s\"\n\n"
      "[log]\nlevel = \"info\"\n\n";
  if (plan.request.write_plugin_folder)
    text += "[plugins]\ndir = " +
            config::toml_text(std::filesystem::absolute(plan.request.plugin_folder).string()) +
            "\n# Refuse plugins whose SHA-256 is not pinned: cyberbackupd plugins pin\n"
            "#pins = \"enforce\"\n\n";
  for (const auto& [address, is_tls] : plan.listen) text += listen_block(address, is_tls);
  return text + store_block(plan.request.store) +
         "[compress]\nuse = \"zstd\"\n\n"
         "[legacy]\n"
         "# Which OAEP hash clients of protocol 3 use: auto learns it for each client.\n"
         "#oaep = \"auto\"\n\n"
         "[limits]\n"
         "#connections = 10000\n"
         "# New uploads are refused when the store has less than this left.\n"
         "#reserve = \"64MiB\"\n";
}

Status write_private(const os::Path& path, ByteView content, const Seams& seams) {
  return os::write_file_atomically(*seams.files, path, content, 0600);
}

// The certificate's names: the addresses that clients dial, as far as they are known.
std::vector<std::string> certificate_names(const Plan& plan) {
  std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"};
  for (const auto& [address, is_tls] : plan.listen) {
    const auto parsed = parse_listen_address(address);
    const bool is_any = parsed && (parsed->first == "0.0.0.0" || parsed->first == "::");
    if (!is_tls || !parsed || is_any) continue;
    if (std::find(names.begin(), names.end(), parsed->first) == names.end())
      names.push_back(parsed->first);
  }
  return names;
}

Result<std::string> write_certificate(const Plan& plan, const Seams& seams) {
  const bool any = std::any_of(plan.listen.begin(), plan.listen.end(),
                               [](const auto& listen) { return listen.second; });
  if (!any) return std::string();
  CB_ASSIGN(const identity::Certificate made,
            identity::make_certificate(certificate_names(plan), kCertificateLife));
  const os::Path keys = plan.request.folder / "keys";
  CB_TRY(write_private(keys / "tls.key", made.key.view(), seams));
  CB_TRY(write_private(keys / "tls.crt", as_bytes(made.certificate), seams));
  return made.pin;
}

// Key, catalog and store, by opening them as the daemon will.
Status make_back_end(const Plan& plan, Settings& settings, const Seams& seams) {
  const auto registry = make_registry(settings, seams, *seams.log);
  CB_TRY(prepare_plugins(settings, *registry));
  CB_ASSIGN(const plugin::Crypto crypto,
            registry->make_crypto(settings.crypto.id, settings.crypto.values));
  CB_ASSIGN(const plugin::KeyPair pair, crypto.pair_new());
  CB_ASSIGN(const Secret raw, pair.private_form());
  CB_TRY(write_private(settings.key_file(), raw.view(), seams));
  CB_TRY(ensure_signing_key(settings, seams));
  CB_TRY(catalog::open_sqlite_catalog(settings.catalog_file().string(), true));
  CB_TRY(Backend::open(settings, *registry, seams));
  return seams.files->sync_folder(plan.request.folder);
}

}  // namespace

Result<InitResult> init_folder(const InitRequest& request, const Seams& seams) {
  CB_ASSIGN(const Plan plan, plan_of(request));
  const os::Path& folder = plan.request.folder;
  CB_TRY(check_folder(folder, *seams.files));
  CB_TRY(write_private(folder / kMark, {}, seams));
  CB_TRY(seams.files->make_folders(folder / "keys"));
  InitResult result;
  CB_ASSIGN(result.pin, write_certificate(plan, seams));
  result.config = folder / kConfigName;
  CB_TRY(write_private(result.config, as_bytes(config_text(plan)), seams));
  SettingsRequest load;
  load.file = result.config;
  load.default_plugin_folder = plan.request.plugin_folder;
  load.probe_program = plan.request.probe_program;
  load.files = seams.files;
  config::Problems problems;
  CB_ASSIGN(Settings settings, load_settings(load, problems));
  if (problems.has_errors()) return failed(problems.error(""));
  CB_TRY(seams.files->make_folders(settings.plugins.probe_cache));
  CB_TRY(make_back_end(plan, settings, seams));
  for (const auto& [address, is_tls] : plan.listen)
    result.listeners.push_back(address + (is_tls ? " (tls over tcp)" : " (tcp)"));
  CB_TRY(seams.files->remove(folder / kMark));
  return result;
}

}  // namespace cb::server
