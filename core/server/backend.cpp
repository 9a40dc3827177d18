// SPDX-License-Identifier: Apache-2.0
#include "core/server/backend.h"

#include <sys/stat.h>

#include "core/server/program.h"

namespace cb::server {
namespace {

constexpr uint64_t kLongestKey = 64 * kKiB;
constexpr const char* kInitAdvice = "make a data folder with: cyberbackupd init DIR";

Result<Secret> read_server_key(const Settings& settings, const Seams& seams) {
  const os::Path path = settings.key_file();
  auto info = seams.files->info(path);
  if (!info) return failed(std::move(info).error().with_advice(kInitAdvice));
  if ((info->mode & (S_IRWXG | S_IRWXO)) != 0)
    return failed(Code::denied, path.string(), "the server's key is open to group or others",
                  "chmod 600 " + path.string());
  return os::read_secret_file(*seams.files, path, kLongestKey);
}

}  // namespace

std::unique_ptr<plugin::Registry> make_registry(const Settings& settings, const Seams& seams,
                                                log::Log& log) {
  plugin::HostServices services;
  services.log = &log;
  services.clock = seams.clock;
  services.random = seams.plugin_random;
  services.host_name = "cyberbackupd";
  services.host_version = kProgramVersion;
  return std::make_unique<plugin::Registry>(std::move(services), settings.plugins);
}

Status prepare_plugins(Settings& settings, plugin::Registry& registry) {
  config::Problems problems;
  load_plugins(settings, registry, problems);
  check_plugin_options(settings, registry, problems);
  if (problems.has_errors()) return failed(problems.error(""));
  return {};
}

Result<std::unique_ptr<Backend>> Backend::open(const Settings& settings, plugin::Registry& registry,
                                               const Seams& seams) {
  std::unique_ptr<Backend> backend(new Backend);
  CB_TRY(backend->open_crypto(settings, registry, seams));
  CB_ASSIGN(backend->compress_,
            registry.make_compress(settings.compress.id, settings.compress.values));
  CB_TRY(backend->open_store(settings, registry));
  CB_TRY(backend->open_catalog(settings, seams));
  repository::Vault::Parts parts;
  parts.store = &*backend->store_;
  parts.crypto = &*backend->crypto_;
  parts.compress = &*backend->compress_;
  parts.server_key = &*backend->key_;
  parts.random = &os::system_random();
  backend->vault_.emplace(parts);
  return backend;
}

Status Backend::open_crypto(const Settings& settings, plugin::Registry& registry,
                            const Seams& seams) {
  CB_ASSIGN(crypto_, registry.make_crypto(settings.crypto.id, settings.crypto.values));
  if ((crypto_->capabilities() & CB_CRYPTO_UNAUTHENTICATED) != 0)
    return failed(Code::unsupported, settings.crypto.id,
                  "does not authenticate what it seals, so it cannot protect stored objects",
                  "set [crypto] use = \"modern\"");
  CB_ASSIGN(const Secret raw, read_server_key(settings, seams));
  auto key = crypto_->import_private(raw.view());
  if (!key) {
    key.error().object = settings.key_file().string();
    return failed(std::move(key).error().with_advice("restore the key from your copy of it"));
  }
  key_.emplace(std::move(*key));
  return {};
}

Status Backend::open_store(const Settings& settings, plugin::Registry& registry) {
  std::shared_ptr<plugin::Instance> below;
  for (size_t i = settings.store.size(); i-- > 0;) {
    const PluginUse& use = settings.store[i];
    auto store = registry.make_store(use.id, use.values, below);
    if (!store) return failed(std::move(store).error());
    below = store->instance();
    store_.emplace(std::move(*store));
  }
  return {};
}

Status Backend::open_catalog(const Settings& settings, const Seams& seams) {
  const os::Path file = settings.catalog_file();
  if (auto info = seams.files->info(file); !info)
    return failed(std::move(info).error().with_advice(kInitAdvice));
  CB_ASSIGN(catalog_, catalog::open_sqlite_catalog(file.string(), false));
  return {};
}

}  // namespace cb::server
