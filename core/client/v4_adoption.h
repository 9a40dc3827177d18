// SPDX-License-Identifier: Apache-2.0
//
// The conversation by which a client of protocol v3 becomes the owner of its account
// (docs/protocol-v4.md, "Migration"): it proves that it holds its RSA key, is given the keys that
// the server held, and brings a device. Functions block and are for any thread.
#pragma once

#include <functional>
#include <optional>

#include "core/client/v3_keys.h"
#include "core/client/v4_login.h"
#include "core/repository/pairing_token.h"

namespace cb::client {

// Who wants to migrate, and what lets it.
struct AdoptionClaim {
  ClientId client;   // of protocol v3
  std::string name;  // likewise
  V3Keys* keys = nullptr;
  struct Token {
    repository::TokenId id;
    Secret secret;
  };
  std::optional<Token> token;
};

// What the server held for the client. The record is signed by the root key whose seed the keyring
// has.
struct HandedOver {
  std::string account;
  repository::RepositoryRecord record;
  repository::Keyring keyring;
  repository::SlotId server_slot;  // that the server opens
};

// Makes the first owner's device out of it, within the server's patience (30 s).
using MakeOwner = std::function<Result<NewDevice>(const HandedOver&)>;

// The connection is closed again. Code::denied when the server does not let this client migrate,
// or its key is not the one that the server knows; Code::auth when it is not the expected server;
// otherwise what `make_owner` fails with. When the answer was lost, the device may be in: log in
// with it.
Result<V4Welcome> adopt(const stream::Stack& stack, const stream::Target& target,
                        const AdoptionClaim& claim, const MakeOwner& make_owner,
                        const V4Limits& limits = {});

}  // namespace cb::client
