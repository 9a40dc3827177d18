// SPDX-License-Identifier: Apache-2.0
//
// One connection of protocol v3: reads requests, answers them, and learns which OAEP hash its
// client can open (docs/protocol-v3.md). Runs on the connection's strand; what blocks is done on
// workers.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/server/rate_limit.h"
#include "core/server/v3_accounts.h"
#include "core/server/v3_input.h"
#include "core/server/v3_transfers.h"

namespace cb::server {

class V3Session {
 public:
  // What all sessions share; outlives them.
  struct Shared {
    V3Service::Parts parts;
    V3Accounts* accounts = nullptr;
    RateLimit* registrations = nullptr;
    V3Counters* counters = nullptr;
  };

  V3Session(const Shared& shared, const V3Settings& settings, V3Listener listener,
            std::unique_ptr<stream::Connection> connection, ByteView first = {});

  // Serves until the peer or an error ends it, then closes the connection.
  boost::asio::awaitable<void> run();

 private:
  enum class Next { go_on, end };

  stream::Task<void> serve();
  stream::Task<bool> wait_for_request();
  stream::Task<Next> answer(const protocol::RequestHeader& header);
  stream::Task<Next> dispatch(v3::Request request, const protocol::RequestHeader& header);
  stream::Task<Next> sign_up(const protocol::RequestHeader& header);
  stream::Task<Next> send_key(const protocol::RequestHeader& header);
  stream::Task<Next> reconnect(const protocol::RequestHeader& header);
  stream::Task<Next> send_file(const protocol::RequestHeader& header);
  stream::Task<Next> verdict(v3::Request request, const protocol::RequestHeader& header);

  Result<ClientId> add_name(const std::string& name, Status& served);
  Result<V3Grant> grant_key(const ClientId& id, const std::string& name, ByteView key);
  Result<V3Grant> grant_again(const ClientId& id, const std::string& name, Status& served);
  stream::Task<Next> tell_grant(v3::Reply reply, const ClientId& id, Result<V3Grant> grant);
  stream::Task<Next> tell_outcome(const ClientId& id, const V3Outcome& outcome);
  stream::Task<bool> is_known(const ClientId& id);
  stream::Task<Bytes> read_payload(const protocol::RequestHeader& header);

  stream::Task<void> send(v3::Reply reply, ByteView first = {}, ByteView second = {});
  // Answers 1607 and goes on, after the rest of the payload was skipped.
  stream::Task<Next> refuse(const Error& why, uint64_t unread = 0);
  // A record of the audit log; does not block.
  void audit(std::string_view event, std::string object, std::string outcome,
             std::string detail) const;
  // Answers 1607 and ends; lingers so that the peer can read it.
  stream::Task<Next> refuse_and_end(const Error& why);
  boost::asio::awaitable<void> settle_oaep(bool peer_ended);
  [[nodiscard]] std::chrono::nanoseconds at_most(std::chrono::nanoseconds time) const;

  // The last key given out on this connection, and whether anything was sent under it.
  struct Granted {
    ClientId client;
    std::string name;
    catalog::OaepHash hash = catalog::OaepHash::unknown;
    V3Transfers::Key key;
    bool used = false;
  };

  const Shared& shared_;
  const V3Settings settings_;
  const V3Listener listener_;
  const Dialect dialect_;
  std::unique_ptr<stream::Connection> connection_;
  const std::string peer_;  // address and port
  const V3Entrance at_;
  TrafficShare in_;  // what may come of files
  V3Input input_;
  V3Transfers transfers_;
  std::optional<Granted> granted_;
  std::optional<ClientId> known_;                    // found in the catalog on this connection
  std::optional<ClientId> refused_;                  // answered 1606
  std::optional<std::chrono::nanoseconds> ack_due_;  // when 1030 is to be answered
  uint32_t resends_ = 0;
  const std::chrono::nanoseconds began_;
};

}  // namespace cb::server
