// SPDX-License-Identifier: Apache-2.0
#include "core/server/v3_accounts.h"

#include <algorithm>
#include <utility>

namespace cb::server {
namespace {

using catalog::LegacyClient;
using catalog::OaepHash;

// Keys that are remembered for clients who upload on another connection than they logged in on.
constexpr size_t kMaxKeys = 4096;

OaepHash other(OaepHash hash) {
  return hash == OaepHash::sha256 ? OaepHash::sha1 : OaepHash::sha256;
}

OaepHash choose(const LegacyClient& client, const V3GrantRules& rules) {
  if (rules.oaep == OaepChoice::sha256) return OaepHash::sha256;
  if (rules.oaep == OaepChoice::sha1) return OaepHash::sha1;
  if (client.oaep != OaepHash::unknown) return client.oaep;
  return rules.dialect == Dialect::of_2023 ? OaepHash::sha1 : OaepHash::sha256;
}

size_t suite_index(OaepHash hash, Dialect dialect) {
  return (hash == OaepHash::sha1 ? 1U : 0U) + (dialect == Dialect::of_2023 ? 2U : 0U);
}

Error unknown_client(const ClientId& id) {
  return fail(Code::not_found, "client " + id.hex(), "is not registered here");
}

}  // namespace

Result<std::unique_ptr<V3Accounts>> V3Accounts::open(Parts parts) {
  std::unique_ptr<V3Accounts> accounts(new V3Accounts(parts));
  CB_ASSIGN(const config::Schema* schema, parts.registry->schema("crypto-legacy"));
  for (const Dialect dialect : {Dialect::usual, Dialect::of_2023}) {
    for (const OaepHash hash : {OaepHash::sha256, OaepHash::sha1}) {
      const std::map<std::string, std::string> written = {
          {"oaep_hash", hash == OaepHash::sha1 ? "sha1" : "sha256"},
          {"key_bytes", dialect == Dialect::of_2023 ? "16" : "32"}};
      CB_ASSIGN(const config::Values values, config::values_from(*schema, written));
      CB_ASSIGN(plugin::Crypto made, parts.registry->make_crypto("crypto-legacy", values));
      accounts->suites_[suite_index(hash, dialect)] =
          std::make_unique<plugin::Crypto>(std::move(made));
    }
  }
  return accounts;
}

const plugin::Crypto& V3Accounts::suite(OaepHash hash, Dialect dialect) const {
  return *suites_[suite_index(hash, dialect)];
}

Result<ClientId> V3Accounts::add(const std::string& name, const std::string& address) {
  ClientId id;
  CB_TRY(parts_.ids->fill(id.bytes));
  const Status added = add_as(id, name, address);
  if (added) return id;
  if (added.error().code != Code::exists) return failed(added.error());
  // Without a key nothing can have been stored: the name belongs to whoever finishes first.
  CB_ASSIGN(const std::optional<LegacyClient> holder, parts_.catalog->client_by_name(name));
  if (holder && holder->public_key.empty()) return holder->id;
  return failed(added.error());
}

Status V3Accounts::add_as(const ClientId& id, const std::string& name, const std::string& address) {
  LegacyClient client;
  client.id = id;
  client.name = name;
  client.created_ns = client.last_seen_ns = parts_.clock->wall().count();
  client.last_address = address;
  return parts_.catalog->add_client(client);
}

Result<V3Grant> V3Accounts::take_key(const ClientId& id, ByteView public_key,
                                     const V3GrantRules& rules) {
  CB_ASSIGN(std::optional<LegacyClient> client, find(id));
  if (!client) return failed(unknown_client(id));
  CB_ASSIGN(const plugin::KeyPair pair,
            suite(OaepHash::sha256, rules.dialect).import_public(public_key));
  CB_ASSIGN(Bytes canonical, pair.public_half());
  if (canonical != client->public_key) {
    // First, so that no crash leaves the new key without the doubt about it. The first key of a
    // client that came by import without one is as doubtful: whoever knows the name can send it.
    CB_TRY(parts_.policy->note_key_replaced(id, rules.address));
    CB_TRY(parts_.catalog->set_public_key(id, canonical));
    // Another key may be another program: what it can open is to be learned again.
    if (client->oaep_proven) CB_TRY(parts_.catalog->set_oaep(id, client->oaep, false));
    client->public_key = std::move(canonical);
  }
  return grant(*client, rules);
}

Result<V3Grant> V3Accounts::reconnect(const ClientId& id, const std::string& name,
                                      const V3GrantRules& rules) {
  CB_ASSIGN(const std::optional<LegacyClient> client, find(id));
  if (!client || client->name != name || client->public_key.empty())
    return failed(Code::denied, "client " + id.hex(),
                  !client                ? "is not registered here"
                  : client->name != name ? "is registered under another name"
                                         : "never sent its public key");
  return grant(*client, rules);
}

Result<V3Grant> V3Accounts::grant(const LegacyClient& client, const V3GrantRules& rules) {
  const OaepHash hash = choose(client, rules);
  CB_ASSIGN(const plugin::KeyPair pair,
            suite(hash, rules.dialect).import_public(client.public_key));
  CB_ASSIGN(plugin::Encapsulated made, pair.encapsulate({}));
  // When it was last seen is worth no refusal, on a full disk for instance.
  (void)parts_.catalog->touch(client.id, parts_.clock->wall().count(), rules.address);
  V3Grant result{std::move(made.cipher), hash,
                 std::make_shared<const plugin::Key>(std::move(made.key))};
  remember(client.id, result.key);
  return result;
}

Result<std::optional<LegacyClient>> V3Accounts::find(const ClientId& id) {
  return parts_.catalog->client_by_id(id);
}

void V3Accounts::remember(const ClientId& id, std::shared_ptr<const plugin::Key> key) {
  const std::lock_guard lock(mutex_);
  keys_[id] = Kept{std::move(key), ++turn_};
  if (keys_.size() <= kMaxKeys) return;
  keys_.erase(std::min_element(keys_.begin(), keys_.end(), [](const auto& a, const auto& b) {
    return a.second.turn < b.second.turn;
  }));
}

std::shared_ptr<const plugin::Key> V3Accounts::current_key(const ClientId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(id);
  return found == keys_.end() ? nullptr : found->second.key;
}

Status V3Accounts::note_opened(const ClientId& id, OaepHash hash) {
  CB_ASSIGN(const std::optional<LegacyClient> client, find(id));
  if (!client) return failed(unknown_client(id));
  if (client->oaep == hash && client->oaep_proven) return {};
  return parts_.catalog->set_oaep(id, hash, true);
}

Status V3Accounts::note_unopened(const ClientId& id, OaepHash hash) {
  CB_ASSIGN(const std::optional<LegacyClient> client, find(id));
  if (!client) return failed(unknown_client(id));
  if (client->oaep_proven) return {};
  return parts_.catalog->set_oaep(id, other(hash), false);
}

}  // namespace cb::server
