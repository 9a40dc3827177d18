// SPDX-License-Identifier: Apache-2.0
#include "core/server/backend.h"

#include <sys/stat.h>

#include "core/plugin/instance.h"
#include "core/server/plugin_needs.h"
#include "core/server/program.h"

namespace cb::server {
namespace {

constexpr uint64_t kLongestKey = 64 * kKiB;
constexpr const char* kKeyAdvice =
    "bring the file back from your copy of keys/; for a new server: cyberbackupd init DIR";
constexpr const char* kCatalogAdvice =
    "if it is lost: cyberbackupd rebuild-catalog; for a new server: cyberbackupd init DIR";
constexpr const char* kSigningAdvice =
    "bring keys/signing.key back from your copy; if it is lost for good, take that of a new folder "
    "of cyberbackupd init, which each client has to accept once with --accept-rollback";

Result<Secret> read_private(const os::Path& path, const Seams& seams) {
  auto info = seams.files->info(path);
  if (!info) return failed(std::move(info).error().with_advice(kKeyAdvice));
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
  CB_TRY(check_needs(*backend->compress_));
  CB_TRY(backend->open_store(settings, registry));
  CB_TRY(backend->open_catalog(settings, seams));
  CB_TRY(backend->open_signing_key(settings, seams));
  CB_TRY(backend->open_engine(settings, seams));
  backend->clock_ = seams.clock;
  backend->archive_.emplace(backend->v3_parts());
  return backend;
}

V3Keys::Parts Backend::v3_parts() {
  V3Keys::Parts parts;
  parts.engine = engine_.get();
  parts.store = &*store_;
  parts.catalog = catalog_.get();
  parts.suite = {&*crypto_, &*compress_};
  parts.server_key = &*key_;
  parts.clock = clock_;
  parts.random = &os::system_random();
  return parts;
}

Status Backend::open_signing_key(const Settings& settings, const Seams& seams) {
  if (!seams.files->info(settings.signing_key_file())) return {};
  CB_ASSIGN(const Secret seed, read_private(settings.signing_key_file(), seams));
  auto key = identity::SigningKey::from_seed(seed.view());
  if (!key) {
    key.error().object = settings.signing_key_file().string();
    return failed(std::move(key).error().with_advice("restore the key from your copy of it"));
  }
  signing_key_.emplace(std::move(*key));
  return {};
}

Result<repository::SigningPublic> Backend::signing_public() const {
  if (!signing_key_)
    return failed(Code::not_found, "keys/signing.key", "is not there yet",
                  "the first start of the daemon makes it");
  return signing_key_->public_key();
}

void Backend::cancel_stores() {
  for (const auto& store : stores_) store->cancel(true);
}

Status Backend::open_engine(const Settings& settings, const Seams& seams) {
  repository::Engine::Parts parts;
  parts.store = &*store_;
  parts.catalog = catalog_.get();
  parts.clock = seams.clock;
  parts.random = &os::system_random();
  parts.limits = settings.engine;
  parts.sign = [this](ByteView message) -> Result<repository::Signature> {
    CB_TRY(signing_public());
    return signing_key_->sign(message);
  };
  if (signing_key_) parts.server_key = signing_key_->public_key();
  parts.is_read_only = seams.is_read_only;
  limits_.emplace(LimitBook::Parts{catalog_.get(), seams.clock, seams.log}, settings.quotas);
  parts.quota = &*limits_;
  CB_ASSIGN(engine_, repository::Engine::open(std::move(parts)));
  notes_.emplace(*catalog_, *engine_);
  retention_.emplace(RetentionBook::Parts{catalog_.get(), engine_.get(), seams.clock});
  watch_.emplace(WatchBook::Parts{catalog_.get(), seams.clock}, settings.watch);
  return {};
}

namespace {

// Another key in its place would be refused by every client, and nobody would know why.
Status check_nothing_signed(const Settings& settings, const Seams& seams) {
  if (!seams.files->info(settings.catalog_file())) return {};
  CB_ASSIGN(const auto catalog,
            catalog::open_sqlite_catalog(settings.catalog_file().string(), false));
  CB_ASSIGN(const auto repositories, catalog->index().repositories());
  for (const catalog::RepositoryRow& one : repositories) {
    CB_ASSIGN(const auto last, catalog->index().last_commit(one.number));
    CB_ASSIGN(const auto copy, catalog->replication().replica(one.number));
    if (last && !copy)
      return failed(Code::not_found, settings.signing_key_file().string(),
                    "is missing, and there are commits that it signed", kSigningAdvice);
  }
  return {};
}

}  // namespace

Status ensure_signing_key(const Settings& settings, const Seams& seams) {
  if (seams.files->info(settings.signing_key_file())) return {};
  CB_TRY(check_nothing_signed(settings, seams));
  CB_ASSIGN(const identity::SigningKey key, identity::SigningKey::make(os::system_random()));
  CB_TRY(seams.files->make_folders(settings.signing_key_file().parent_path()));
  return os::write_file_atomically(*seams.files, settings.signing_key_file(), key.seed().view(),
                                   0600);
}

Status Backend::open_crypto(const Settings& settings, plugin::Registry& registry,
                            const Seams& seams) {
  CB_ASSIGN(crypto_, registry.make_crypto(settings.crypto.id, settings.crypto.values));
  CB_TRY(check_needs(*crypto_));
  CB_ASSIGN(const Secret raw, read_private(settings.key_file(), seams));
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
    stores_.push_back(below);
    store_.emplace(std::move(*store));
  }
  return check_needs(*store_);
}

Status Backend::open_catalog(const Settings& settings, const Seams& seams) {
  const os::Path file = seams.catalog.empty() ? settings.catalog_file() : seams.catalog;
  if (auto info = seams.files->info(file); !info)
    return failed(std::move(info).error().with_advice(kCatalogAdvice));
  CB_ASSIGN(catalog_, catalog::open_sqlite_catalog(file.string(), false));
  return {};
}

}  // namespace cb::server
