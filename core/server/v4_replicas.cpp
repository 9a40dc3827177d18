// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_replicas.h"

#include <algorithm>

#include "core/identity/signing.h"
#include "core/repository/catalog_rebuild.h"
#include "core/repository/replicas.h"

namespace cb::server {
namespace {

using repository::RepositoryId;

Error replica_refused() {
  return fail(Code::denied, "replica token", "is not known here, or was taken back",
              "ask the source's operator for a new one: cyberbackupd token create --replica");
}

bool may_see(const catalog::ReplicaToken& token, const catalog::Account& account) {
  if (account.kind != catalog::AccountKind::v4) return false;
  return token.all_accounts ||
         std::binary_search(token.accounts.begin(), token.accounts.end(), account.number);
}

}  // namespace

Result<V4Guest> V4Replicas::login(const catalog::Bytes16& id, const Secret& secret,
                                  const std::string& address) const {
  CB_ASSIGN(const auto token, parts_.replication->token_by_id(id));
  const identity::Hash hash = identity::sha256(secret.view());
  if (!token || !equal_in_constant_time(hash, token->secret_hash)) return failed(replica_refused());
  CB_TRY(parts_.replication->touch_token(id, parts_.clock->wall().count(), address));
  return V4Guest{id, token->name};
}

Result<catalog::ReplicaToken> V4Replicas::token_of(const V4Guest& guest) const {
  CB_ASSIGN(auto token, parts_.replication->token_by_id(guest.token));
  if (!token) return failed(replica_refused());
  return std::move(*token);
}

Status V4Replicas::confirm(const V4Guest& guest) const {
  CB_TRY(token_of(guest));
  return {};
}

Result<std::vector<V4Copyable>> V4Replicas::accounts(const V4Guest& guest, const std::string& after,
                                                     size_t most) const {
  CB_ASSIGN(const catalog::ReplicaToken token, token_of(guest));
  CB_ASSIGN(const auto all, parts_.accounts->accounts());
  std::vector<V4Copyable> found;
  for (const catalog::Account& account : all) {
    if (found.size() == most) break;
    if (account.name <= after || !may_see(token, account)) continue;
    CB_ASSIGN(const auto id, parts_.engine->of_account(account.name));
    if (!id) continue;
    auto one = copyable(account, *id);
    if (one) {
      found.push_back(std::move(*one));
      continue;
    }
    // Damage keeps no other account from being copied.
    if (!repository::is_damage(one.error().code)) return failed(std::move(one).error());
    parts_.log->warn(
        "replica.skipped",
        {{"replica", guest.name}, {"account", account.name}, {"why", one.error().text()}});
  }
  return found;
}

Result<V4Copyable> V4Replicas::copyable(const catalog::Account& account,
                                        const RepositoryId& repository) const {
  V4Copyable one;
  one.account = account;
  CB_ASSIGN(one.record, parts_.engine->record(repository));
  CB_ASSIGN(one.head, parts_.engine->head(repository));
  CB_ASSIGN(const auto origin, parts_.engine->replicas().origin(repository));
  one.chain_key = origin ? origin->server_key : parts_.server_key;
  return one;
}

Result<catalog::Account> V4Replicas::account_of(const V4Guest& guest,
                                                const RepositoryId& repository) const {
  CB_ASSIGN(const catalog::ReplicaToken token, token_of(guest));
  CB_ASSIGN(const auto all, parts_.accounts->accounts());
  for (const catalog::Account& account : all) {
    if (!may_see(token, account)) continue;
    CB_ASSIGN(const auto id, parts_.engine->of_account(account.name));
    if (id == repository) return account;
  }
  return failed(Code::not_found, "repository " + repository.hex(),
                "is none that this token lets be copied");
}

}  // namespace cb::server
