// SPDX-License-Identifier: Apache-2.0
//
// What an operator can do about copies on other servers and of other servers' repositories: tokens
// that let others copy, sources to copy from, and how it stands. Used by AdminCommands. Functions
// block; thread-safe.
#pragma once

#include <functional>

#include "core/catalog/catalog.h"
#include "core/os/clock.h"
#include "core/os/file_system.h"
#include "core/os/random.h"
#include "core/report/json.h"
#include "core/server/admin_commands.h"
#include "core/server/replication_settings.h"

namespace cb::server {

class AdminReplicas {
 public:
  // All outlive it.
  struct Parts {
    catalog::Catalog* catalog = nullptr;
    const os::Clock* clock = nullptr;
    os::Random* random = nullptr;
    os::FileSystem* files = nullptr;
    os::Path keys;  // where tokens of sources lie
    std::function<Result<ServerReach>()> reach;
    std::function<ReplicationSettings()> settings;  // as they are in force; may be empty
  };
  explicit AdminReplicas(Parts parts) : parts_(std::move(parts)) {}

  // {"name", "accounts": [...]}, none: all accounts. The answer has the token's text. Code::exists
  // for a name that another token has.
  Result<report::Json> create_token(const report::Json& request) const;
  // {"name", "token", "servers", "accounts", "remove_vanished", "heal_only"}: a source.
  Result<report::Json> add(const report::Json& request) const;
  // Sources with what came of each account, and who may copy from here.
  Result<report::Json> list() const;
  // {"name"}: a source that was added, or who may copy: its name or the beginning of its token's
  // id. What was copied stays. Code::not_found.
  Result<report::Json> remove(const report::Json& request) const;

 private:
  Result<std::vector<int64_t>> numbers_of(const std::vector<std::string>& accounts) const;
  Result<std::optional<catalog::ReplicaToken>> token_named(const std::string& name) const;
  [[nodiscard]] int64_t now() const { return parts_.clock->wall().count(); }

  const Parts parts_;
};

// What came of copying from those sources that there are.
Result<std::vector<catalog::ReplicaPull>> present_pulls(catalog::Replication& rows,
                                                        const ReplicationSettings& settings);
// The same of one account, for `status` and for scripts.
report::Json json_of(const catalog::ReplicaPull& pull);

}  // namespace cb::server
