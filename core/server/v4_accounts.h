// SPDX-License-Identifier: Apache-2.0
//
// Who may use protocol v4: enrols the first owner of an account, lets devices in. Thread-safe;
// functions block and belong on a worker.
#pragma once

#include <string>
#include <vector>

#include "core/os/clock.h"
#include "core/repository/replicas.h"
#include "core/server/account_notes.h"
#include "core/server/last_seen.h"
#include "core/server/v4_rules.h"

namespace cb::server {

// Who a session is, once it is logged in.
struct V4Member {
  catalog::Account account;
  repository::DeviceId device;  // zero: a person, and the next four are of no meaning
  repository::SigningPublic public_key{};
  repository::Role role = repository::Role::reader;
  bool shares_dedup = false;
  Bytes certificate;  // the record
  repository::RepositoryId repository;
  std::optional<repository::Origin> origin = {};  // where the repository is a copy of another's

  // Whose copies it means.
  [[nodiscard]] repository::Viewer viewer() const { return {device, role, shares_dedup}; }
};

// What an Enroll message says, decoded.
struct V4Enrolment {
  catalog::Bytes16 token{};
  Secret token_secret;
  repository::RepositoryRecord repository;
  V4NewDevice newcomer;
};

// Who a session of a device is that has come to an account.
V4Member member_of(const catalog::Account& account, const repository::RepositoryId& repository,
                   const V4NewDevice& device);

// The catalog's row of a device that comes to an account now.
catalog::Device row_of(const catalog::Account& account, const V4NewDevice& device, int64_t now_ns);

// What a newcomer that was cut short may have done before: Code::exists is no failure.
Status unless_there(Status done);

// Is this member still let in? Code::denied when account or device were disabled since, or the
// password that a person came with was replaced.
Status confirm_member(catalog::Accounts& accounts, const V4Member& member);

class V4Accounts {
 public:
  struct Parts {
    catalog::Accounts* accounts = nullptr;
    repository::Engine* engine = nullptr;
    AccountNotes* notes = nullptr;
    LastSeen* seen = nullptr;
    const os::Clock* clock = nullptr;
  };
  explicit V4Accounts(const Parts& parts) : parts_(parts) {}

  // The device that signed the channel statement `statement`. Code::denied for a wrong signature
  // and for an unknown device, without telling which.
  Result<catalog::Device> prove(const repository::DeviceId& device, ByteView statement,
                                const repository::Signature& signature) const;
  // Lets a device in that has proved who it is. Code::denied when it or its account is disabled, or
  // the owner's record revokes it.
  Result<V4Member> login(const catalog::Device& device) const;

  // Pairs the first owner of an account: the token is spent, the repository made. The same device
  // with the same token may come again. Code::denied for a token that is unknown, used or expired,
  // and for an account that has an owner; Code::auth for signatures that are wrong.
  Result<V4Member> enroll(const V4Enrolment& enrolment, ByteView statement,
                          const repository::Signature& signature) const;

  // Whose copies are meant by the name of a device of the member's account: zero is the server's
  // own. Code::not_found for any other.
  Result<repository::Viewer> viewer_of(const V4Member& member,
                                       const repository::DeviceId& device) const;

  // confirm_member's rules.
  Status confirm(const V4Member& member) const { return confirm_member(*parts_.accounts, member); }

 private:
  Result<catalog::PairingToken> token_for(const V4Enrolment& enrolment) const;
  Status check_account(const catalog::Account& account, const V4Enrolment& enrolment) const;
  Status install(const V4Enrolment& enrolment, const catalog::PairingToken& token,
                 const catalog::Account& account) const;
  Status make_repository(const V4Enrolment& enrolment, const catalog::Account& account) const;
  [[nodiscard]] int64_t now() const { return parts_.clock->wall().count(); }

  Parts parts_;
};

}  // namespace cb::server
