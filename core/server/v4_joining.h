// SPDX-License-Identifier: Apache-2.0
//
// How further devices come to an account of protocol v4: by an owner's invite, or certified by the
// root key and brought by a person who knows the account's password. Thread-safe; functions block
// and belong on a worker.
#pragma once

#include "core/server/account_locks.h"
#include "core/server/v4_accounts.h"

namespace cb::server {

// What an invite leads to.
struct V4Opened {
  std::string account;
  repository::RepositoryRecord record;
  catalog::InviteRow invite;
};

class V4Joining {
 public:
  struct Parts {
    catalog::Accounts* accounts = nullptr;
    repository::Engine* engine = nullptr;
    AccountNotes* notes = nullptr;
    const os::Clock* clock = nullptr;
    AccountLocks* changes = nullptr;
  };
  explicit V4Joining(const Parts& parts) : parts_(parts) {}

  // Code::denied for an invite that is unknown, used, expired or revoked, and for a wrong proof.
  Result<V4Opened> open(const repository::InviteId& invite, ByteView proof) const;

  // The device that the invite's key certified. The same device may come again. Code::denied as
  // above, and for a certificate of another invite; Code::auth for wrong signatures.
  Result<V4Member> join(const repository::InviteId& invite, ByteView proof,
                        const V4NewDevice& device, ByteView statement,
                        const repository::Signature& signature) const;

  // A person. Takes as long for an account that is not there. Code::denied without saying why.
  Result<V4Member> person(const std::string& account, const Secret& password) const;

  // A device that the root key certified directly. Errors as join.
  Status add(const V4Member& member, const V4NewDevice& device, ByteView statement,
             const repository::Signature& signature) const;

 private:
  struct Found {
    catalog::InviteRow invite;
    catalog::Account account;
    repository::RepositoryRecord record;
  };

  Result<Found> find(const repository::InviteId& invite, ByteView proof) const;
  // Is it there already, as it says now? Code::denied when it is there otherwise.
  Result<bool> is_there(const catalog::Account& account, const V4NewDevice& device) const;
  Status check_new(const catalog::Account& account, const repository::RepositoryRecord& record,
                   const V4NewDevice& device) const;
  Status install(const catalog::Account& account, const repository::RepositoryId& repository,
                 const V4NewDevice& device) const;
  [[nodiscard]] int64_t now() const { return parts_.clock->wall().count(); }

  Parts parts_;
};

}  // namespace cb::server
