// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-rescue/opened.h"

#include <cstdio>

#include "core/client/recovery_code.h"
#include "core/config/schema.h"
#include "core/report/json.h"
#include "hosts/cyberbackup/entry_text.h"
#include "hosts/cyberbackup/passphrase.h"
#include "hosts/cyberbackup/places.h"
#include "hosts/cyberbackup/reading.h"

namespace cb {
namespace {

constexpr uint64_t kMostKeyFile = 1024 * 1024;  // bytes
constexpr const char* kStorePlugin = "store-sqlite";

Result<config::Values> values_of(RescueOpened& opened, const std::string& id,
                                 const std::map<std::string, std::string>& written) {
  CB_ASSIGN(const config::Schema* schema, opened.registry->schema(id));
  return config::values_from(*schema, written);
}

Status load_plugins(RescueOpened& opened, const CommonOptions& common) {
  CB_ASSIGN(opened.log,
            log::open_log({common.verbose ? log::Level::debug : log::Level::error, {}, {}}));
  plugin::LoadOptions load;
  CB_ASSIGN(load.folder, plugin_folder(common.plugin_dir));
  plugin::HostServices services;
  services.log = opened.log.get();
  services.clock = &os::system_clock();
  services.random = [](const std::string&) -> os::Random& { return os::system_random(); };
  services.host_name = "cyberbackup-rescue";
  services.host_version = CB_PROGRAM_VERSION;
  opened.registry = std::make_unique<plugin::Registry>(std::move(services), std::move(load));
  for (const char* id : {"crypto-modern", "compress-zstd"}) {
    const Status loaded = opened.registry->load(id);
    if (!loaded) return failed(plugin_trouble(loaded.error()));
  }
  CB_ASSIGN(const config::Values modern, values_of(opened, "crypto-modern", {}));
  CB_ASSIGN(opened.crypto, opened.registry->make_crypto("crypto-modern", modern));
  CB_ASSIGN(const config::Values zstd, values_of(opened, "compress-zstd", {}));
  CB_ASSIGN(opened.compress, opened.registry->make_compress("compress-zstd", zstd));
  return {};
}

// Only who has a file of store-sqlite needs that plugin.
Result<plugin::Store> open_store(RescueOpened& opened, const os::Path& file) {
  CB_TRY(opened.registry->load(kStorePlugin));
  CB_ASSIGN(const config::Values values,
            values_of(opened, kStorePlugin, {{"file", file.string()}}));
  return opened.registry->make_store(kStorePlugin, values);
}

Result<rescue::RescueSecret> secret_of_text(const Secret& text, bool must_be_code) {
  rescue::RescueSecret secret;
  if (!must_be_code && !client::looks_like_recovery_code(as_text(text.view()))) {
    secret.passphrase = text.clone();
    return secret;
  }
  auto code = client::parse_recovery_code(as_text(text.view()));
  if (!code) {
    Error error = std::move(code).error();
    error.code = Code::denied;
    return failed(std::move(error));
  }
  secret.code = std::move(*code);
  return secret;
}

Result<rescue::RescueSecret> read_secret(const RescueOptions& options) {
  if (!options.key_file.empty()) {
    CB_ASSIGN(const Secret text,
              os::read_secret_file(os::real_file_system(), options.key_file, kMostKeyFile));
    auto key = rescue::parse_rescue_key(as_text(text.view()));
    if (!key) {
      Error error = std::move(key).error();
      error.object = "key file " + options.key_file;
      return failed(std::move(error));
    }
    rescue::RescueSecret secret;
    secret.key = std::move(*key);
    return secret;
  }
  if (!options.code_file.empty()) {
    CB_ASSIGN(const Secret text, passphrase_of_file(options.code_file));
    return secret_of_text(text, true);
  }
  CB_ASSIGN(const Secret text, read_passphrase(options.common, "Passphrase or recovery code: "));
  return secret_of_text(text, false);
}

void tell(const CommonOptions& common, const char* kind, const std::string& text) {
  if (common.json) {
    (void)print(report::json_line({{"event", kind}, {"text", text}}) + "\n");
    return;
  }
  std::fprintf(stderr, "cyberbackup-rescue: %s: %s\n", kind, shown_path(text).c_str());
}

}  // namespace

void add_rescue_options(CLI::App& command, RescueOptions& options) {
  command
      .add_option("FOLDER", options.folder,
                  "A store's folder, any folder with packs, or the file of store-sqlite")
      ->required();
  auto* key =
      command.add_option("--key", options.key_file, "File that `cyberbackup key export` wrote");
  auto* code =
      command.add_option("--recovery-code-file", options.code_file, "File with the recovery code");
  auto* passphrase = command.add_option("--passphrase-file", options.common.passphrase_file,
                                        "File with the passphrase; else it is asked for");
  key->excludes(code)->excludes(passphrase);
  code->excludes(passphrase);
  command.add_option("--repository", options.repository,
                     "Id of the repository, when the key opens several");
  command.add_flag("--all", options.all,
                   "Also snapshots that no commit names: interrupted ones, and removed ones");
  command.add_flag("--scan", options.scan, "Trust no footer: read every pack from front to back");
}

Result<std::unique_ptr<RescueOpened>> open_rescue(const RescueOptions& options, bool scan) {
  auto opened = std::make_unique<RescueOpened>();
  rescue::RescueWish wish;
  wish.all = options.all;
  if (!options.repository.empty()) {
    auto id = repository::RepositoryId::from_hex_text(options.repository);
    if (!id)
      return failed(Code::invalid, "--repository " + options.repository, "is no repository id",
                    "give its 32 hex digits");
    wish.repository = *id;
  }
  CB_TRY(load_plugins(*opened, options.common));
  CB_ASSIGN(const rescue::RescueSecret secret, read_secret(options));
  opened->interruption.emplace().react([&stopped = opened->stopped] { stopped = true; });
  const auto is_stopped = [&stopped = opened->stopped] { return stopped.load(); };
  CB_ASSIGN(auto hoard, rescue::Hoard::read(
                            os::real_file_system(), options.folder,
                            [&](const os::Path& file) { return open_store(*opened, file); },
                            scan || options.scan, is_stopped));
  CB_ASSIGN(
      opened->rescue,
      rescue::Rescue::open(std::move(hoard), {&*opened->crypto, &*opened->compress}, secret, wish));
  opened->fetcher =
      std::make_unique<client::BlobFetcher>(opened->rescue->remote(), opened->rescue->opener());
  return opened;
}

void tell_oddities(const CommonOptions& common, const rescue::Rescue& rescue) {
  for (const std::string& damage : rescue.hoard().damage) tell(common, "damage", damage);
  for (const std::string& note : rescue.notes()) tell(common, "note", note);
  if (!rescue.has_commits())
    tell(common, "note",
         "there are no commit records: every snapshot in the packs is shown, also interrupted, "
         "forgotten and removed ones");
}

Result<repository::SnapshotInfo> choose_rescued(const rescue::Rescue& rescue,
                                                const std::string& text) {
  CB_ASSIGN(const auto list, rescue.remote()->snapshots(true));
  std::vector<repository::SnapshotInfo> wanted = list;
  if (text == "latest") std::erase_if(wanted, [](const auto& info) { return info.in_trash; });
  if (text == "latest" && wanted.empty())
    return failed(Code::not_found, text, "there is no snapshot that was not forgotten",
                  "`cyberbackup-rescue list` shows what there is");
  return choose_snapshot(wanted, text, "cyberbackup-rescue list");
}

}  // namespace cb
