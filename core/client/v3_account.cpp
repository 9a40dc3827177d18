// SPDX-License-Identifier: Apache-2.0
#include "core/client/v3_account.h"

#include <utility>

namespace cb::client {

Result<V3Account> V3Account::open(V3IdentityFolder folder, const V3Suites& suites,
                                  const std::string& user_name) {
  CB_ASSIGN(const V3Identity identity, folder.load(user_name));
  V3Account account(std::move(folder), user_name, V3Keys::load(suites, identity.private_keys));
  account.id_ = identity.id;
  // Both files are complete only when they agree on the key.
  if (identity.id && identity.complete && !account.keys_.empty()) {
    account.saved_id_ = identity.id;
    account.saved_key_ = identity.private_keys.front().clone();
  }
  if (account.keys_.empty()) CB_TRY(account.keys_.make_new());
  return account;
}

void V3Account::refused(const std::optional<ClientId>& offered) {
  fallback_ = offered && !offered->is_zero() ? offered : id_;
  id_.reset();
}

Status V3Account::registered(const ClientId& id) {
  id_ = id;
  fallback_.reset();
  return keep_keys();
}

void V3Account::adopt_fallback() { id_ = std::exchange(fallback_, std::nullopt); }

Status V3Account::keep_keys() {
  CB_ASSIGN(const Secret key, keys_.private_key());
  if (saved_id_ == id_ && equal_in_constant_time(saved_key_.view(), key.view())) return {};
  CB_TRY(folder_.save(user_name_, *id_, key));
  saved_id_ = id_;
  saved_key_ = key.clone();
  return {};
}

}  // namespace cb::client
