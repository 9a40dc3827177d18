// SPDX-License-Identifier: Apache-2.0
//
// One v3 client as it goes through connections: its id, its keys, and what the last refusal said.
// Used by one thread at a time; functions block.
#pragma once

#include <optional>
#include <string>

#include "core/client/v3_identity.h"
#include "core/client/v3_keys.h"

namespace cb::client {

class V3Account {
 public:
  // Reads the identity. `suites` outlives the account.
  static Result<V3Account> open(V3IdentityFolder folder, const V3Suites& suites,
                                const std::string& user_name);

  [[nodiscard]] const std::string& user_name() const { return user_name_; }
  // The id to log in with; none: register first.
  [[nodiscard]] const std::optional<ClientId>& id() const { return id_; }
  // After a refused login: the id to try if registering is refused too, because the server gave a
  // new one with its refusal, or because it knows the old one but has no key for it.
  [[nodiscard]] const std::optional<ClientId>& fallback_id() const { return fallback_; }

  [[nodiscard]] V3Keys& keys() { return keys_; }

  // The server refused the id; `offered` is what its refusal carried.
  void refused(const std::optional<ClientId>& offered);
  // The server registered this client as `id`; written down with the first key.
  Status registered(const ClientId& id);
  // Goes on as the fallback id; written down by keep_keys once the server has taken it.
  void adopt_fallback();
  // Writes down the id and the first pair, if they are not so on disk already.
  Status keep_keys();

 private:
  V3Account(V3IdentityFolder folder, std::string user_name, V3Keys keys)
      : folder_(std::move(folder)), user_name_(std::move(user_name)), keys_(std::move(keys)) {}

  V3IdentityFolder folder_;
  std::string user_name_;
  V3Keys keys_;
  std::optional<ClientId> id_;
  std::optional<ClientId> fallback_;
  std::optional<ClientId> saved_id_;  // what the files hold
  Secret saved_key_;
};

}  // namespace cb::client
