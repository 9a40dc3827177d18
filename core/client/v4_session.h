// SPDX-License-Identifier: Apache-2.0
//
// A repository behind one connection that speaks protocol v4 (docs/protocol-v4.md): requests go out
// as they come, answers find who waits. Runs the network on a thread of its own; functions block
// and are for any thread. Once the connection is lost every call ends with Code::closed.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/client/room.h"
#include "core/repository/drill_record.h"
#include "core/repository/keys.h"
#include "core/repository/owner_remote.h"
#include "core/repository/remote.h"
#include "core/stream/stack.h"
#include "core/stream/throttle.h"

namespace cb::client {

struct Enrolment;  // core/client/enrolment.h

// Who logs in, and what must be behind the door.
struct V4Identity {
  repository::RepositoryId repository;
  repository::SigningPublic root{};  // signs the repository record
  repository::DeviceId device;
  repository::SessionSealer::Sign sign;  // with the device's key; for any thread
  std::string program = "cyberbackup";   // for the server's log
  // Hears of each commit record that comes as an answer, on the thread that asked; what it fails
  // with is the answer then. May be empty.
  std::function<Status(ByteView)> receipt = {};
  // Of the repository record that this device knows: an older one is Code::denied, unless any will
  // do, as after a documented restore of the server.
  uint64_t revision = 0;
  bool any_revision = false;
};

struct V4Limits {
  std::chrono::nanoseconds connect = std::chrono::seconds(10);  // with the TLS handshake
  std::chrono::nanoseconds login = std::chrono::seconds(30);
  // One answer; for one of several parts the next of them.
  std::chrono::nanoseconds answer = std::chrono::minutes(2);
  std::chrono::nanoseconds flush = std::chrono::minutes(15);  // flush, commit, forget, undelete
  // The server takes no byte for this long.
  std::chrono::nanoseconds write = std::chrono::minutes(1);
  size_t held = 16 * 1024 * 1024;  // bytes of answers that came and nobody took yet
  // Bytes of the longest list of snapshots that is taken: more than a million of them.
  size_t listed = 512 * 1024 * 1024;
  // Of all bytes, what frames are made of, too. Sessions may share it.
  stream::FlowLimits flow = {};
};

// What the server said about itself.
struct V4Welcome {
  uint32_t version = 0;
  std::vector<std::string> features;
  std::string program;
  std::string account;
  repository::SigningPublic server_key{};  // signs commit records
  repository::RepositoryRecord record;     // verified against the root key
  uint64_t head_sequence = 0;              // of the newest commit; 0: none yet
  repository::CommitHash head_hash;
  std::chrono::nanoseconds clock_ahead{};  // the server's clock minus this one's
  uint64_t credit = 0;                     // bytes
  uint64_t wanted = 0;                     // blobs that were found damaged
  Room room;                               // what may still be stored
  bool is_copy = false;  // of another server's repository: server_key is that server's
};

class V4Session final : public repository::Remote, public repository::OwnerRemote {
 public:
  // Connects, says hello and logs in. `stack` must encrypt and authenticate (Code::unsupported).
  // Code::denied when the server does not know the device, Code::auth when it is not the expected
  // server or repository, Code::unsupported when no version fits.
  static Result<std::shared_ptr<V4Session>> open(const stream::Stack& stack,
                                                 const stream::Target& target,
                                                 const V4Identity& identity,
                                                 const V4Limits& limits = {});
  ~V4Session() override;  // says goodbye, waits at most a second
  V4Session(const V4Session&) = delete;
  V4Session& operator=(const V4Session&) = delete;

  [[nodiscard]] const V4Welcome& welcome() const;
  // Ends the connection; waiting calls end with Code::closed.
  void close();

  Result<std::vector<bool>> have(std::span<const repository::BlobId> ids) override;
  Result<uint64_t> put(repository::StoredBlob blob) override;
  [[nodiscard]] uint64_t durable_puts() const override;
  Status flush() override;
  Result<repository::CommitAnswer> commit(const repository::CommitRequest& request) override;
  // A sink may call this Remote again; what comes meanwhile then lies in memory.
  using repository::Remote::get;
  Status get(std::span<const repository::BlobId> ids, const repository::CopyChoice& copy,
             const BlobSink& sink) override;
  // Code::limit when the list is longer than V4Limits says.
  Result<std::vector<repository::SnapshotInfo>> snapshots(bool with_trash) override;
  Result<repository::CommitRecord> forget(const repository::BlobId& snapshot) override;
  Result<repository::CommitRecord> undelete(const repository::BlobId& snapshot) override;
  Result<repository::RepositoryRecord> record() override;
  Result<std::vector<repository::KeySlot>> slots() override;
  Status add_slot(const repository::KeySlot& slot) override;
  Status remove_slot(const repository::SlotId& slot) override;
  Result<repository::RemoteCounts> counts() override;
  Result<repository::ChainPage> chain(uint64_t sequence) override;
  Result<repository::WantedPage> wanted(const repository::BlobId& after) override;
  Result<repository::SignaturePage> signatures(uint64_t before) override;

  Result<repository::DeviceList> devices() override;
  Status add_invite(const repository::NewInvite& invite) override;
  Status remove_invite(const repository::InviteId& invite) override;
  Status set_device(const repository::DeviceId& device, uint64_t state) override;
  Status put_record(const repository::RepositoryRecord& record,
                    const std::optional<std::vector<repository::KeySlot>>& slots) override;
  Result<repository::SessionPage> sessions(uint32_t epoch,
                                           const repository::SessionId& after) override;
  Status put_sessions(std::span<const repository::SessionEntry> sessions) override;
  Result<repository::CopyPage> copies(uint64_t after) override;
  Status verified(const repository::DeviceId& device, std::span<const repository::BlobId> ids,
                  bool bad) override;

  // Rules of retention and pins as far as the server lists them, for owners.
  Result<repository::RetentionRecord> retention();
  struct RetentionSet {
    std::string rules;     // in force now
    uint64_t request = 0;  // not 0: an operator of the server is to approve the shorter stay
  };
  // `source` is a device's id and a source's hash, or empty; `rules` are in their text form, or
  // empty to take them away.
  Result<RetentionSet> set_retention(ByteView source, const std::string& rules);

  // Tells what came of a drill of this device; returns when the server took it, by its clock.
  // Code::exists when it knows a newer one, Code::unsupported when it is too old to know of drills.
  Result<int64_t> report_drill(const repository::DrillRecord& record);

  struct State;  // complete in v4_session.cpp only
  explicit V4Session(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

// Connects and enrols the first owner of an account; the connection is closed again. Errors as
// V4Session::open; Code::denied for a token that is wrong, used or expired.
Result<V4Welcome> enroll(const stream::Stack& stack, const stream::Target& target,
                         const Enrolment& enrolment, const V4Limits& limits = {});

}  // namespace cb::client
