// SPDX-License-Identifier: Apache-2.0
//
// Two real daemons for tests: a source, and another one that copies from it over TLS. One thread.
#pragma once

#include <atomic>

#include "core/client/v4_session.h"
#include "core/replication/source_remote.h"
#include "core/repository/pairing_token.h"
#include "tests/v4/v4_server.h"

namespace cb::replication {

// Goes as the system's, so much ahead.
class ShiftedClock final : public os::Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds wall() const override {
    return os::system_clock().wall() + std::chrono::nanoseconds(ahead_ns);
  }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return os::system_clock().monotonic();
  }
  std::atomic<int64_t> ahead_ns{0};
};

// A daemon that knows the job `replicate`.
class ReplicaServer final : public server::V4Server {
 public:
  explicit ReplicaServer(const std::string& suffix);
  ~ReplicaServer() override { stop(); }  // before its clock
  void TestBody() override {}

  using V4Server::admin;
  using V4Server::daemon_;
  using V4Server::enrolled;
  using V4Server::folder_;
  using V4Server::joined;
  using V4Server::member;
  using V4Server::pin_;
  using V4Server::port;
  using V4Server::set_password;
  using V4Server::start;
  using V4Server::stop;

  ShiftedClock clock_;
  // What a source lists, before the job sees it.
  std::function<void(std::vector<SourceAccount>&)> change_accounts;

  // Its address, as tokens have it.
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port()); }
  // Runs `replicate`, or another job; the report.
  report::Json run(report::Json call = {{"job", "replicate"}});
  // The objects of the store that end so, as files.
  [[nodiscard]] std::vector<std::filesystem::path> packs() const;
  // Changes a byte of the stored bytes of a blob in all packs; how many.
  size_t damage(const repository::StoredBlob& blob) const;
};

class TwoServers : public testing::Test {
 protected:
  TwoServers() : owner_(server::V4Owner::make()) {}

  // Both, with an owner of account alice at the source.
  void start();
  // A token of the source for these accounts (none: all).
  std::string token(const std::string& name = "off-site", std::vector<std::string> accounts = {});
  // The copying server learns of the source.
  void add_source(const std::string& text, report::Json more = report::Json::object());
  // What `status` says of an account that is copied.
  report::Json pull(const std::string& account = "alice");

  // A snapshot of a member's at the source.
  static server::V4Blobs back_up(server::V4Peer& peer, const server::V4Owner& who,
                                 size_t data_blobs = 3);
  // What a program of the owner's sees at a server.
  std::shared_ptr<client::V4Session> session(ReplicaServer& at) const;
  // Is a snapshot there, byte for byte?
  static void expect_whole(client::V4Session& session, const server::V4Blobs& blobs);
  // "here, kept": where the server says that its snapshots are.
  static std::string presence(client::V4Session& session);

  ReplicaServer source_{"-source"}, copy_{"-copy"};
  server::V4Owner owner_;
  std::unique_ptr<server::V4Peer> peer_;  // the owner's at the source
};

}  // namespace cb::replication
