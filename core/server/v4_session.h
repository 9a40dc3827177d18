// SPDX-License-Identifier: Apache-2.0
//
// One connection of protocol v4: hello, login, then requests, answered in their order
// (docs/protocol-v4.md). Runs on the connection's strand; what blocks is done on workers.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/protocol/v4/frame.h"
#include "core/protocol/v4/messages.h"
#include "core/protocol/v4/privileges.h"
#include "core/server/held_place.h"
#include "core/server/v4_guard.h"
#include "core/server/v4_input.h"
#include "core/server/v4_owners.h"
#include "core/server/v4_pace.h"
#include "core/server/v4_puts.h"
#include "core/server/v4_reading.h"
#include "core/server/v4_replicas.h"
#include "core/server/v4_service.h"

namespace cb::server {

class V4Session {
 public:
  // What all sessions share; outlives them.
  struct Shared {
    V4Service::Parts parts;
    const V4Accounts* accounts = nullptr;
    const V4Joining* joining = nullptr;
    const V4Owners* owners = nullptr;
    const V4Migration* migration = nullptr;
    const V4Replicas* replicas = nullptr;
    V4Running* running = nullptr;
    V4Guard* guard = nullptr;
    V4Counters* counters = nullptr;
  };

  V4Session(const Shared& shared, const V4Settings& settings,
            std::unique_ptr<stream::Connection> connection, ByteView first);

  boost::asio::awaitable<void> run();

 private:
  // A frame whose header and head have come.
  struct Frame {
    v4::Request code{};
    uint32_t request_id = 0;
    uint32_t message_size = 0;
    uint32_t bulk_size = 0;
  };
  // An answer to be sent.
  struct Answer {
    v4::Response code{};
    Bytes message;
  };

  stream::Task<void> serve();
  stream::Task<void> wait_for_frame();
  stream::Task<Frame> read_frame();
  [[nodiscard]] Status check_order(const Frame& frame) const;
  [[nodiscard]] bool may(v4::Request request) const;
  [[nodiscard]] bool is_in() const { return standing_ >= v4::Standing::replica; }
  [[nodiscard]] bool is_over() const;
  stream::Task<void> keep_pace(const Frame& frame);
  stream::Task<void> admit_blob(const Frame& frame, uint64_t size);
  Status check_snapshot_size(uint64_t bytes);
  Status take_allowance();
  [[nodiscard]] v4::pb::Room room() const;
  stream::Task<void> take(const Frame& frame);
  stream::Task<void> deny(const Frame& frame);
  [[nodiscard]] bool changes_copy(v4::Request request) const;
  [[nodiscard]] Error only_read() const;
  stream::Task<void> answer(const Frame& frame, const Bytes& message);
  [[nodiscard]] std::chrono::nanoseconds patience() const;
  [[nodiscard]] std::chrono::nanoseconds time_of_request() const;
  [[nodiscard]] TrafficShare::Whose moving(Direction direction) const;

  // v4_maintenance.cpp
  Status admit(v4::Request code);
  stream::Task<void> turn_away(const Frame& frame, const Error& why);

  // v4_login.cpp
  stream::Task<void> hello(const Frame& frame, const Bytes& message);
  Result<v4::pb::HelloReply> greet(const v4::pb::Hello& hello);
  Result<Answer> enroll(const Bytes& message);
  Result<Answer> login(const Bytes& message);
  [[nodiscard]] Result<Bytes> statement(const repository::DeviceId& device) const;
  Status enter(V4Member member);
  Result<Answer> entrance(v4::Request code, const Bytes& message);
  stream::Task<void> let_in(const Frame& frame, const Bytes& message);
  stream::Task<void> refuse_entrance(uint32_t request_id, const char* event, Error why);
  template <typename T>
  Result<T> proved(const std::string& subject, Result<T> result);

  // v4_newcomers.cpp
  Result<Answer> open_invite(const Bytes& message);
  Result<Answer> join(const Bytes& message);
  Result<Answer> password_login(const Bytes& message);
  Result<Answer> add_device(const Bytes& message);

  // v4_migration_requests.cpp
  Result<Answer> migrate(const Bytes& message);
  Result<Answer> prove_key(const Bytes& message);
  Result<Answer> adopt(const Bytes& message);

  // v4_owner_requests.cpp
  Result<Answer> devices();
  [[nodiscard]] Status add_devices(int64_t account, v4::pb::DevicesReply& reply) const;
  Result<Answer> add_invite(const Bytes& message);
  Result<Answer> remove_invite(const Bytes& message);
  Result<Answer> set_device(const Bytes& message);
  Result<Answer> put_record(const Bytes& message);
  Result<Answer> add_slot(const Bytes& message);
  Result<Answer> remove_slot(const Bytes& message);

  // v4_upkeep_requests.cpp
  Result<Answer> sessions(const Bytes& message);
  Result<Answer> put_sessions(const Bytes& message);
  Result<Answer> chain(const Bytes& message);
  [[nodiscard]] Result<Answer> chain_page(const repository::RepositoryId& repository,
                                          uint64_t sequence) const;
  Result<Answer> copies(const Bytes& message);
  Result<Answer> wanted(const Bytes& message);
  Result<Answer> signatures(const Bytes& message);
  Result<Answer> verified(const Bytes& message);

  // v4_replica_requests.cpp
  Result<Answer> replica_login(const Bytes& message);
  stream::Task<void> let_replica_in(const Frame& frame, Result<Answer> answer);
  Result<Answer> replica_request(v4::Request code, const Bytes& message);
  Result<Answer> replica_accounts(const Bytes& message);
  Result<Answer> replica_records(const Bytes& message);
  Result<Answer> replica_devices(const Bytes& message);
  Result<Answer> replica_chain(const Bytes& message);
  stream::Task<void> replica_get(const Frame& frame, const Bytes& message);

  // v4_retention_requests.cpp
  Result<Answer> retention();
  Result<Answer> set_retention(const Bytes& message);

  // v4_drill_request.cpp
  Result<Answer> drill_result(const Bytes& message);

  // v4_requests.cpp
  Result<Answer> plain_request(v4::Request code, const Bytes& message);
  Result<Answer> owner_request(v4::Request code, const Bytes& message);
  Result<Answer> forget(v4::Request code, const Bytes& message);
  Result<Answer> slots();
  Result<Answer> counts();
  stream::Task<repository::Viewer> viewer_of(const std::string& device);
  stream::Task<void> have(const Frame& frame, const Bytes& message);
  stream::Task<void> flush(const Frame& frame);
  Result<repository::CommitAnswer> commit_reported(repository::Intake& intake,
                                                   const repository::CommitRequest& request);
  stream::Task<void> commit(const Frame& frame, const Bytes& message);
  stream::Task<void> get(const Frame& frame, const Bytes& message);
  // Blobs to be sent; what is asked for, and not there, is told at the end.
  struct Outgoing {
    repository::RepositoryId repository;
    V4Reading::Copies copies;
    std::vector<repository::BlobId> ids;
    std::function<bool(const repository::BlobId&)> is_asked;
  };
  stream::Task<HeldPlace> place_to_be_held();
  stream::Task<void> send_blobs(const Frame& frame, Outgoing what);
  stream::Task<void> snapshots(const Frame& frame, const Bytes& message);

  stream::Task<void> send(v4::Response code, uint32_t request_id, Bytes message);
  stream::Task<void> send(const Frame& frame, Result<Answer> answer);
  stream::Task<void> send_secret(const Frame& frame, Answer answer);
  stream::Task<void> fail_request(uint32_t request_id, const Error& why, bool fatal);
  [[nodiscard]] Error downgrade(const std::string& object, std::string cause) const;
  // One line, and one record of the audit log, for an act that needs a privilege: who, from where,
  // what. On a worker.
  void audit(std::string_view event, std::string_view key = "account",
             const std::string& value = {}) const;
  // Records alone; neither blocks.
  void audit_stranger(std::string_view event, std::string outcome, std::string detail) const;
  void audit_entrance(std::string_view event) const;
  // The end of a session that broke the rules, or cannot go on.
  stream::Task<void> end_with(uint32_t request_id, const Error& why);

  const Shared& shared_;
  const V4Settings settings_;
  std::unique_ptr<stream::Connection> connection_;
  const std::string peer_;
  const std::string network_;  // of it, for limits
  TrafficShare in_;            // what may come and go of blobs
  TrafficShare out_;
  V4Input input_;
  V4Puts puts_;
  std::optional<Maintenance::Ticket> backup_;   // since it sent the first blob of one
  std::optional<Maintenance::Ticket> reading_;  // while a Get is answered
  v4::Standing standing_ = v4::Standing::fresh;
  std::chrono::nanoseconds began_{};
  std::chrono::nanoseconds entered_{};
  std::chrono::nanoseconds last_request_{};
  uint32_t request_id_ = 0;  // of the frame under way
  Bytes hello_;              // the messages as they went over the wire
  Bytes hello_reply_;
  std::array<std::byte, 32> nonce_{};
  Bytes binding_;
  std::optional<V4Member> member_;
  std::optional<V4Guest> guest_;  // another server, in the place of a member
  std::optional<V4Running::Ticket> running_;
  Allowance allowance_;  // since it was let in
  V4Pace pace_;
  uint64_t sent_ = 0;                     // stored bytes of blobs that were announced
  bool added_ = false;                    // a person's one device
  std::optional<V4Candidate> candidate_;  // a client of protocol v3 that wants to migrate
};

}  // namespace cb::server
