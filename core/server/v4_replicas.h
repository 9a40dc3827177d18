// SPDX-License-Identifier: Apache-2.0
//
// Other servers that copy repositories of this one (docs/replication.md): whether a token lets them
// in, and what they may see. Thread-safe; functions block and belong on a worker.
#pragma once

#include <string>
#include <vector>

#include "core/base/secret.h"
#include "core/catalog/accounts.h"
#include "core/catalog/replication.h"
#include "core/log/log.h"
#include "core/os/clock.h"
#include "core/repository/engine.h"

namespace cb::server {

// Another server that is logged in.
struct V4Guest {
  catalog::Bytes16 token{};
  std::string name;  // what the operator calls it
};

// A repository that may be copied.
struct V4Copyable {
  catalog::Account account;
  repository::RepositoryRecord record;
  repository::Engine::Head head;
  repository::SigningPublic chain_key{};
};

class V4Replicas {
 public:
  // All outlive it.
  struct Parts {
    catalog::Accounts* accounts = nullptr;
    catalog::Replication* replication = nullptr;
    repository::Engine* engine = nullptr;
    const os::Clock* clock = nullptr;
    repository::SigningPublic server_key{};
    log::Log* log = nullptr;
  };
  explicit V4Replicas(const Parts& parts) : parts_(parts) {}

  // Code::denied for an unknown token and for a wrong secret, without telling which.
  Result<V4Guest> login(const catalog::Bytes16& token, const Secret& secret,
                        const std::string& address) const;
  // Is its token still good? Code::denied.
  Status confirm(const V4Guest& guest) const;

  // Repositories of protocol 4 that it may see, by account, past `after`; at most `most`. One whose
  // record or chain is damaged is left out, and the log says so.
  Result<std::vector<V4Copyable>> accounts(const V4Guest& guest, const std::string& after,
                                           size_t most) const;
  // The account of a repository that it may see. Code::not_found for any other, whether it is here
  // or not.
  Result<catalog::Account> account_of(const V4Guest& guest,
                                      const repository::RepositoryId& repository) const;

 private:
  Result<catalog::ReplicaToken> token_of(const V4Guest& guest) const;
  Result<V4Copyable> copyable(const catalog::Account& account,
                              const repository::RepositoryId& repository) const;

  Parts parts_;
};

}  // namespace cb::server
