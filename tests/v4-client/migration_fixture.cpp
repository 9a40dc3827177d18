// SPDX-License-Identifier: Apache-2.0
#include "tests/v4-client/migration_fixture.h"

#include <filesystem>

#include "core/identity/signing.h"
#include "core/protocol/v3/cksum.h"
#include "core/server/legacy_export.h"

namespace cb::client {

using repository::KeySlot;
using repository::SlotKind;

Migrating::Migrating() {
  server::SettingsRequest request;
  request.file = folder_ / "cyberbackupd.toml";
  request.set = {"plugins.probe=false", "plugins.check_owner=false"};
  request.default_plugin_folder = test::plugins();
  config::Problems problems;
  settings_ = must(server::load_settings(request, problems));
  registry_ = server::make_registry(settings_, seams_, log_);
  must(server::prepare_plugins(settings_, *registry_));
  must(server::ensure_signing_key(settings_, seams_));
  backend_ = must(server::Backend::open(settings_, *registry_, seams_));
  const auto crypto = [&](const char* id, const std::map<std::string, std::string>& written) {
    must(registry_->load(id));
    return must(registry_->make_crypto(
        id, must(config::values_from(*must(registry_->schema(id)), written))));
  };
  modern_.emplace(crypto("crypto-modern", {}));
  suites_.emplace(V3Suites{crypto("crypto-legacy", {{"oaep_hash", "sha256"}}),
                           crypto("crypto-legacy", {{"oaep_hash", "sha1"}})});
  must(registry_->load("compress-zstd"));
  zstd_.emplace(must(registry_->make_compress(
      "compress-zstd", must(config::values_from(*must(registry_->schema("compress-zstd")), {})))));
}

Migrating::~Migrating() {
  stop();
  suites_.reset();
  modern_.reset();
  zstd_.reset();
  backend_.reset();
}

OldClient Migrating::old_client(const std::string& name, bool allowed) {
  OldClient client;
  client.name = name;
  must(os::system_random().fill(client.id.bytes));
  client.folder = folder_ / ("old-" + name);
  client.profile = folder_ / ("profile-" + name) / "default";
  V3Keys keys = V3Keys::load(suites(), {});
  must(keys.make_new());
  must(V3IdentityFolder(os::real_file_system(), client.folder)
           .save(name, client.id, must(keys.private_key())));
  catalog::LegacyClient row;
  row.id = client.id;
  row.name = name;
  row.public_key = must(keys.public_key());
  must(backend().catalog().add_client(row));
  if (allowed)
    change_policy(client,
                  [](catalog::LegacyPolicy& policy) { policy.allowed_until_ns = INT64_MAX; });
  upload(client, "note.txt", "of " + name);
  return client;
}

void Migrating::upload(const OldClient& client, const std::string& file,
                       const std::string& content) {
  const auto deposit = must(backend().archive().begin(client.id, file));
  must(deposit->write(as_bytes(content)));
  must(deposit->commit(v3::cksum_of(as_bytes(content))));
}

AdoptionClaim::Token Migrating::token_of(const OldClient& client, int64_t expires_ns) {
  catalog::Accounts& accounts = backend().catalog().accounts();
  const auto account = must(accounts.account_by_name(server::V3Keys::account_of(client.id)));
  AdoptionClaim::Token token{{}, Secret(32)};
  must(os::system_random().fill(token.id.bytes));
  must(os::system_random().fill(token.secret.span()));
  catalog::PairingToken row;
  row.id = token.id.bytes;
  row.secret_hash = identity::sha256(token.secret.view());
  row.account = account.value().number;
  row.expires_ns = expires_ns;
  must(accounts.add_token(row));
  return token;
}

void Migrating::change_policy(const OldClient& client,
                              const std::function<void(catalog::LegacyPolicy&)>& change) {
  must(backend().catalog().change_legacy_policy(client.id, change));
}

V3Keys Migrating::keys_of(const OldClient& client) {
  const V3Folder found = must(read_v3_folder(os::real_file_system(), client.folder, {}));
  return V3Keys::load(suites(), found.private_keys);
}

stream::Stack Migrating::stack() const {
  return must(stream::Stack::make(
      {test::make("transport-tls", {{"pin", "[\"" + pin_ + "\"]"}}), test::make("transport-tcp")}));
}

std::unique_ptr<CutServer> Migrating::server(const OldClient& client, V3Keys& keys,
                                             std::optional<AdoptionClaim::Token> token) {
  return std::make_unique<CutServer>(
      stack(), stream::Target{"127.0.0.1", port(), ""},
      AdoptionClaim{client.id, client.name, &keys, std::move(token)});
}

EnrolmentParts Migrating::parts(const OldClient& client, os::FileSystem& files) const {
  return {&modern(), &files, &os::system_random(), &os::system_clock(), client.profile, {1, 8192}};
}

MigrationWish Migrating::wish(const OldClient& client, std::string_view passphrase) const {
  return {client.id, {"127.0.0.1:" + std::to_string(port())}, pin_, passphrase, "desk"};
}

Result<Migrated> Migrating::run(const OldClient& client,
                                std::optional<AdoptionClaim::Token> token) {
  V3Keys keys = keys_of(client);
  const auto there = server(client, keys, std::move(token));
  return migrate(parts(client), wish(client), *there);
}

std::set<std::string> Migrating::files_below(const os::Path& folder) const {
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) found.insert(entry.path().lexically_relative(folder).string());
  return found;
}

void Migrating::expect_migrated(const OldClient& client) {
  catalog::Catalog& catalog = backend().catalog();
  EXPECT_FALSE(must(catalog.legacy_repository(client.id))) << "the server keeps the keys";
  EXPECT_NE(must(catalog.legacy_policy(client.id)).migrated_ns, 0);
  const std::string name = server::V3Keys::account_of(client.id);
  const auto account = must(catalog.accounts().account_by_name(name));
  ASSERT_TRUE(account);
  EXPECT_EQ(account->kind, catalog::AccountKind::v4);
  EXPECT_EQ(must(catalog.accounts().devices(account->number)).size(), 1U);
  const auto repository = must(backend().engine().of_account(name));
  ASSERT_TRUE(repository);
  // As the daemon wrote it down, not as another engine remembers it.
  std::multiset<SlotKind> kinds;
  for (const Bytes& raw : must(catalog.index().slots(
           must(catalog.index().repository(repository->bytes)).value().number)))
    kinds.insert(must(repository::decode_slot(raw)).kind);
  EXPECT_EQ(kinds, (std::multiset{SlotKind::passphrase, SlotKind::recovery_code}));
  for (const auto& version : must(catalog.versions(client.id))) EXPECT_TRUE(version.taken_over);
  const auto exported = server::export_legacy({client.name, "", std::nullopt, folder_ / "export"},
                                              backend(), os::real_file_system());
  ASSERT_FALSE(exported);
  EXPECT_EQ(exported.error().code, Code::denied) << exported.error().text();
}

}  // namespace cb::client
