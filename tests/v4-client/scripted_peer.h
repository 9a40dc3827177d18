// SPDX-License-Identifier: Apache-2.0
//
// A v4 server for tests that does what a script says, over real TLS on a thread of its own, and the
// account that it serves. Create, run a client, join, then look at what came.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/client/v4_session.h"
#include "core/identity/certificate.h"
#include "core/identity/signing.h"
#include "core/protocol/v4/frame.h"
#include "core/protocol/v4/messages.h"
#include "tests/suites/transport_pair.h"

namespace cb::testing {

// Keys and records of one account, made anew for each test program.
struct Account {
  Account();

  // What a client of this account logs in with.
  [[nodiscard]] client::V4Identity identity() const;
  // A commit record that the server signed.
  [[nodiscard]] Bytes receipt(const repository::CommitRequest& request) const;

  identity::SigningKey root, device, server;
  repository::RepositoryRecord record;
  repository::Certificate certificate;
};

struct PeerRequest {
  v4::Request code = v4::Request::hello;
  uint32_t id = 0;
  Bytes message;
  Bytes bulk;
};

// The client closed the connection, or never sent what the script waits for.
class PeerGone : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The server's end of one connection.
class V4Peer {
 public:
  V4Peer(const Account& account, test::StreamPtr stream, size_t index);

  // The next request; throws PeerGone at the end of the connection.
  PeerRequest read();
  // The same, without heartbeats, and a failure of the test when it is another one.
  PeerRequest expect(v4::Request code);
  void send(v4::Response code, uint32_t id, const google::protobuf::MessageLite& message,
            ByteView bulk = {});
  void raw(ByteView bytes);
  // A blob in as many frames as it takes.
  void send_blob(uint32_t id, const repository::StoredBlob& blob);

  // Answers the hello and the login; `reply` and `login` may be changed before. Verifies what the
  // device signed.
  v4::pb::HelloReply reply;
  v4::pb::LoginReply login;
  void greet();
  // Waits until the client closes.
  void wait_for_end();

  [[nodiscard]] size_t index() const { return index_; }

 private:
  const Account& account_;
  test::StreamPtr stream_;
  size_t index_;
  Bytes in_;
};

// A repository in memory: puts, gets and asks of one connection are served until the client goes.
// Shared by all connections of a peer; thread-safe.
class MemoryRepository {
 public:
  // Every blob is taken at once, and durable by the next flush.
  void serve(V4Peer& peer);
  [[nodiscard]] size_t size() const;
  [[nodiscard]] size_t most_unanswered() const { return most_unanswered_; }
  // Credit is given back only when the next frame would not fit.
  size_t stingy_credit = 0;

 private:
  struct Incoming;
  void take(V4Peer& peer, const PeerRequest& request, Incoming& in);
  void give(V4Peer& peer, const PeerRequest& request);

  mutable std::mutex mutex_;
  std::map<repository::BlobId, repository::StoredBlob> blobs_;
  size_t most_unanswered_ = 0;
};

class ScriptedPeer {
 public:
  // Called for each connection whose handshake succeeded, one after the other.
  using Script = std::function<void(V4Peer&)>;
  ScriptedPeer(const Account& account, Script script);
  ~ScriptedPeer();

  [[nodiscard]] stream::Target target() const { return {"127.0.0.1", port_, ""}; }
  [[nodiscard]] const std::string& pin() const { return certificate_.pin; }
  // A client's stack that expects this peer, or the one with this pin.
  [[nodiscard]] stream::Stack stack(const std::string& pin = {}) const;
  // Stops; what connections and handshakes failed is known then.
  void join();
  [[nodiscard]] size_t connections() const { return connections_; }
  [[nodiscard]] size_t failed_handshakes() const { return failed_handshakes_; }

 private:
  void serve();
  void serve_one(test::StreamPtr root);

  const Account& account_;
  Script script_;
  test::TemporaryFolder folder_;
  identity::Certificate certificate_;
  test::Ends ends_;
  std::optional<plugin::Listener> listener_;
  uint16_t port_ = 0;
  int stop_pipe_[2] = {-1, -1};
  size_t connections_ = 0;
  size_t failed_handshakes_ = 0;
  std::thread thread_;
};

// A blob with this content; the id is that of nobody's keys.
repository::StoredBlob blob_of(size_t size, uint32_t seed);

}  // namespace cb::testing
