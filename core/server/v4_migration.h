// SPDX-License-Identifier: Apache-2.0
//
// How a client of protocol v3 becomes the owner of its account (docs/protocol-v4.md, "Migration"):
// it proves that it holds its RSA key, is given the keys that the server held for it, and brings a
// device that the root key certified. Thread-safe; functions block and belong on a worker.
#pragma once

#include "core/plugin/crypto.h"
#include "core/server/account_locks.h"
#include "core/server/v3_keys.h"
#include "core/server/v3_policy.h"
#include "core/server/v4_accounts.h"

namespace cb::server {

// What a Migrate message says, decoded.
struct V4MigrationWish {
  ClientId client;
  std::string name;  // of protocol v3
  std::optional<catalog::Bytes16> token;
  Secret token_secret;  // with a token
};

// A client that was told its challenge.
struct V4Candidate {
  V4MigrationWish wish;
  catalog::LegacyClient client;
  Secret challenge;  // 32 bytes
  bool proved = false;
};

struct V4Challenge {
  Bytes wrapped;  // an AES key under the client's RSA key
  Bytes sealed;   // the challenge under it
};

// What the server held for a client.
struct V4Handover {
  std::string account;
  repository::RepositoryRecord record;
  Secret keyring;  // encoded
  repository::SlotId server_slot;
};

class V4Migration {
 public:
  struct Parts {
    catalog::Catalog* catalog = nullptr;
    repository::Engine* engine = nullptr;
    AccountNotes* notes = nullptr;
    const V3Keys* keys = nullptr;
    const V3Policy* policy = nullptr;
    const plugin::Crypto* legacy = nullptr;  // crypto-legacy, OAEP with SHA-256
    const os::Clock* clock = nullptr;
    os::Random* random = nullptr;
    AccountLocks* changes = nullptr;  // as V4Joining's
  };
  explicit V4Migration(const Parts& parts) : parts_(parts) {}

  // Code::denied for a client that is not known under this id and name, and for one that may not
  // migrate now; advice says what helps.
  Result<V4Candidate> begin(V4MigrationWish wish) const;
  // A fresh challenge of the candidate's.
  Result<V4Challenge> challenge(V4Candidate& candidate) const;

  // The keys, for who opened the challenge on the channel of `statement`. Code::denied otherwise.
  Result<V4Handover> hand_over(V4Candidate& candidate, ByteView proof, ByteView statement) const;

  // The account's first owner. From then on the account is one of protocol v4. Code::denied when
  // the client may not migrate (any more), or the device is no owner that the root key certified
  // directly; Code::auth for wrong signatures.
  Result<V4Member> adopt(const V4Candidate& candidate, const V4NewDevice& device,
                         ByteView statement, const repository::Signature& signature) const;

  // When the account was a v3 client's and no key slot is left that the server opens: its copy of
  // the keys goes, for good. True when that was done now. After every change of slots.
  Result<bool> settle(const std::string& account) const;
  // The same for all, since a crash may have come between. Returns how many.
  Result<uint64_t> settle_all() const;

 private:
  Status check(const catalog::LegacyClient& client, const V4MigrationWish& wish) const;
  Status check_not_owned(const catalog::LegacyClient& client,
                         const catalog::LegacyPolicy& policy) const;
  Status check_token(const catalog::LegacyClient& client, const V4MigrationWish& wish) const;
  Status check_rules(const catalog::LegacyClient& client,
                     const catalog::LegacyPolicy& policy) const;
  Status spend_token(const V4MigrationWish& wish, const repository::DeviceId& device) const;
  Status check_device(const catalog::Account& account, const repository::RepositoryRecord& record,
                      const V4NewDevice& device) const;
  Status install(const V4Candidate& candidate, const catalog::Account& account,
                 const repository::RepositoryId& repository, const V4NewDevice& device) const;
  [[nodiscard]] int64_t now() const { return parts_.clock->wall().count(); }

  Parts parts_;
};

}  // namespace cb::server
