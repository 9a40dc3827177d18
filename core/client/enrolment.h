// SPDX-License-Identifier: Apache-2.0
//
// The first owner of an account: fresh keys, the records that the server gets, and a pending file
// with which an interrupted enrolment goes on with the same keys. Functions block; use a profile by
// one process at a time.
#pragma once

#include <string>
#include <vector>

#include "core/client/profile.h"
#include "core/os/clock.h"
#include "core/os/random.h"
#include "core/repository/pairing_token.h"
#include "core/repository/slots.h"

namespace cb::client {

struct Enrolment {
  repository::TokenId token_id;
  Secret token_secret;  // 32 bytes
  Bytes repository;     // records as the server gets them
  Bytes certificate;
  std::vector<Bytes> slots;  // of the passphrase and of the recovery code
  Profile profile;           // without the account's name, which the server tells
  Secret recovery_code;      // 32 bytes: to be shown to people once
};

// What an enrolment works with; all outlive the calls.
struct EnrolmentParts {
  const plugin::Crypto* crypto = nullptr;
  os::FileSystem* files = nullptr;
  os::Random* random = nullptr;
  const os::Clock* clock = nullptr;
  os::Path folder;  // of the profile
  repository::SlotCost cost;
};

// What the person chose.
struct EnrolmentWish {
  std::string_view passphrase;
  std::string name;  // of the device, for owners to see; may be empty
};

// Makes keys and keeps them in the pending file, before anything is sent. After an interruption the
// same call gives the same keys again, and the name of the first time: Code::denied when the
// passphrase is another. Code::exists when the folder has a profile that is not of this token's
// enrolment, Code::invalid for a name that is none.
Result<Enrolment> begin_enrolment(const EnrolmentParts& parts,
                                  const repository::PairingToken& token, const EnrolmentWish& wish);

// The server has taken it under the name `account`: saves the profile. The pending file stays until
// finish_enrolment, which is to be called when the recovery code was shown.
Status accept_enrolment(const EnrolmentParts& parts, Enrolment& enrolment,
                        const std::string& account);
Status finish_enrolment(const EnrolmentParts& parts);

// The profile of an enrolment that waits in `folder` for its end, if there is one.
bool enrolment_pending(os::FileSystem& files, const os::Path& folder);

}  // namespace cb::client
