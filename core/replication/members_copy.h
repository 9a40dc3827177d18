// SPDX-License-Identifier: Apache-2.0
//
// Who may come to a copy: the account and the devices of its source, whose certificates the owner's
// root key signed. Functions keep nothing.
#pragma once

#include "core/catalog/catalog.h"
#include "core/replication/source_remote.h"
#include "core/repository/engine.h"
#include "core/server/account_notes.h"

namespace cb::replication {

struct MembersParts {
  catalog::Catalog* catalog = nullptr;
  repository::Engine* engine = nullptr;
  server::AccountNotes* notes = nullptr;
};

// The account that a copy comes into: made, or begun by an earlier run. Code::exists for one of
// this server's own, Code::invalid for a name that is none.
Status make_account(const MembersParts& parts, const repository::AccountRecord& account);

// Lets the password and the devices be as at the source; devices that are not known there stay, and
// so does a password that the source has no more. Nothing takes access away for good by the
// source's word: a device is revoked when the signed record says so, else it is disabled at most,
// and whether the account is disabled is for this server's operator to say. Code::auth for a device
// that no owner certified.
Status take_members(const MembersParts& parts, const repository::RepositoryRecord& record,
                    const repository::AccountRecord& account,
                    const std::vector<repository::DeviceEntry>& devices);

}  // namespace cb::replication
