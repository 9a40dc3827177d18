// SPDX-License-Identifier: Apache-2.0
//
// A v4 server for tests: the real daemon on a fresh folder with a TLS listener on a free port of
// 127.0.0.1, and what its operator can do. One thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/log/capture.h"
#include "core/server/admin_server.h"
#include "core/server/daemon.h"
#include "core/server/v4_rules.h"
#include "tests/v4/v4_invited.h"

namespace cb::server {

class V4Server : public ::testing::Test {
 protected:
  // `suffix` tells several in one test apart.
  explicit V4Server(const std::string& suffix = "");
  ~V4Server() override;

  // Starts the daemon with settings over those of init ("v4.lease=1s").
  void start(std::vector<std::string> set = {});
  void stop() { daemon_.reset(); }
  Result<std::unique_ptr<Daemon>> try_start(std::vector<std::string> set);

  [[nodiscard]] uint16_t port() const { return daemon_->ports().at(0); }
  std::unique_ptr<V4Peer> peer() { return std::make_unique<V4Peer>(port(), pin_); }
  // A peer that has enrolled a new owner under a new account, and the owner.
  std::unique_ptr<V4Peer> enrolled(const std::string& account, V4Owner& owner);
  // A device that an owner's peer invited and that joined.
  V4Invited joined(V4Peer& owners_peer, const V4Owner& owner, repository::Role role,
                   uint64_t flags = 0);
  // A peer that is logged in.
  std::unique_ptr<V4Peer> member(const V4Owner& owner);

  // Replaces a text of the configuration file, which must be there.
  void change_config(const std::string& from, const std::string& to);
  Result<report::Json> admin(report::Json request);
  // Gives an account a password that is cheap to check.
  void set_password(const std::string& account, const std::string& password);
  std::string token(const std::string& account);
  // Sends a request; its answer.
  static V4Answer ask(V4Peer& peer, v4::Request request,
                      const google::protobuf::MessageLite& message);
  // The same for one that is done; what it failed with, or "".
  static std::string tell(V4Peer& peer, v4::Request request,
                          const google::protobuf::MessageLite& message);
  // Waits until no connection is open.
  void wait_until_idle();

  os::Path folder_;
  std::string pin_;
  log::Capture log_;
  Seams seams_;
  std::unique_ptr<Daemon> daemon_;
};

// Blobs of a small snapshot, with ids and contents drawn at random: the server reads neither.
struct V4Blobs {
  explicit V4Blobs(size_t data_size = 5000, size_t data_blobs = 1);
  std::vector<repository::StoredBlob> all;  // in an order that can be sent
  repository::SessionId session;
  repository::BlobId root;
  repository::BlobId snapshot;
  [[nodiscard]] v4::pb::Commit commit(const V4Owner& owner) const;
};

repository::BlobId random_blob_id();
Bytes random_bytes(size_t size);

}  // namespace cb::server
