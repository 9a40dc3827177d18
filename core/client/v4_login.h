// SPDX-License-Identifier: Apache-2.0
//
// The first words of a v4 session, all bound to the channel: login, and the conversations of who
// has no device here yet: an invite, joining, a person's password. Coroutines are of one strand;
// the other functions block and are for any thread.
#pragma once

#include "core/client/v4_greeting.h"

namespace cb::client {

struct V4LoggedIn {
  std::unique_ptr<V4Wire> wire;
  V4Welcome welcome;
  std::chrono::nanoseconds heartbeat{};  // send something at least this often
};

// Connects and logs in. The parameters outlive the coroutine. Errors as V4Session::open.
stream::Task<V4LoggedIn> log_in(const stream::Stack& stack, const stream::Target& target,
                                const V4Identity& identity, const V4Limits& limits);

// The record that a server showed: signed by this root key, of this repository, and of no feature
// that this program does not know. Code::auth, Code::unsupported.
Status check_record(const repository::RepositoryRecord& record,
                    const repository::RepositoryId& repository,
                    const repository::SigningPublic& root);

// What signs the chain of commits: the server itself or, of a copy, the one that it was copied
// from. `field` is that of an answer, empty for a server's own repository.
Status take_chain_key(const std::string& field, V4Welcome& welcome);

// Who holds an invite's text.
struct InviteProof {
  repository::InviteId invite;
  Secret proof;  // 32 bytes (docs/trust.md, "Invites")
  repository::RepositoryId repository;
  repository::SigningPublic root{};
};

// What an invite leads to.
struct OpenedInvite {
  std::string account;
  repository::RepositoryRecord record;  // verified against the root key
  repository::Invite invite;            // likewise
  Bytes sealed_keys;
};

// Asks what the invite leads to; the connection is closed again. Code::denied for one that is
// wrong, used or expired, Code::auth when the answer is not of the invite's repository.
Result<OpenedInvite> open_invite(const stream::Stack& stack, const stream::Target& target,
                                 const InviteProof& proof, const V4Limits& limits = {});

// A device that is to be of an account.
struct NewDevice {
  Bytes certificate;
  std::vector<Bytes> slots;
  repository::DeviceId device;
  repository::SessionSealer::Sign sign;  // with the device's key
};

// Joins with a device that the invite's key certified; the connection is closed again. May be
// repeated when the answer was lost. Errors as open_invite. `record` of the answer is that of
// `opened`.
Result<V4Welcome> join(const stream::Stack& stack, const stream::Target& target,
                       const InviteProof& proof, const OpenedInvite& opened,
                       const NewDevice& device, const V4Limits& limits = {});

// A person who knows the account's password and has no device yet. Each call is a connection of its
// own, so nobody waits while somebody types. Used by one thread at a time.
class PersonRemote {
 public:
  struct Parts {
    stream::Stack stack;
    stream::Target target;
    std::string account;
    Secret password;
    V4Limits limits = {};
  };
  // Logs in and fetches record and slots. Code::denied for a wrong account or password,
  // Code::busy while the server wants no more tries.
  static Result<std::unique_ptr<PersonRemote>> open(Parts parts);

  // Signed by the root key that it names, which is the owner's only if a slot that opens has that
  // key's seed.
  [[nodiscard]] const repository::RepositoryRecord& record() const { return record_; }
  [[nodiscard]] const std::vector<repository::KeySlot>& slots() const { return slots_; }

  // Adds a device that the root key certified. May be repeated when the answer was lost.
  Result<V4Welcome> add_device(const NewDevice& device);

 private:
  explicit PersonRemote(Parts parts) : parts_(std::move(parts)) {}

  Parts parts_;
  repository::RepositoryRecord record_;
  std::vector<repository::KeySlot> slots_;
};

}  // namespace cb::client
