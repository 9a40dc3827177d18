// SPDX-License-Identifier: Apache-2.0
//
// The real client engine with its real plugins, set up for one test: a folder of its own, short
// times, and the other half of the cryptography for scripted servers.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/client/v3_sender.h"
#include "tests/v3-client/scripted_server.h"

namespace cb::testing {

// The suites and the stack of this process.
const client::V3Suites& suites();
// Makes AES keys of 16 bytes, wrapped with SHA-1: the dialect of 2023.
const plugin::Crypto& suite_of_2023();
const stream::Stack& plain_stack();

std::string content_of(const std::filesystem::path& path);
void write_content(const std::filesystem::path& path, std::string_view content);

class Bench : public ::testing::Test {
 protected:
  Bench();
  ~Bench() override;

  // Writes a file into the folder of the test.
  std::filesystem::path make_file(const std::string& name, std::string_view content);
  // Sends as `settings` says to the port.
  client::V3SendReport send(uint16_t port, const std::vector<std::filesystem::path>& files);

  [[nodiscard]] std::filesystem::path identity() const { return folder_ / "identity"; }
  [[nodiscard]] v3::MeInfo me_info() const;

  std::filesystem::path folder_;
  client::V3SendSettings settings_;
  std::vector<std::string> notes_;
  uint64_t most_progress_ = 0;
  std::atomic<client::V3Sender*> running_{nullptr};  // while send runs
};

// A server's side of one client: key exchange, and the plain file out of what came.
class ServerSide {
 public:
  // `suite` decides on the OAEP hash and the size of the AES key.
  explicit ServerSide(const plugin::Crypto& suite, v3::Dialect dialect = v3::Dialect::usual)
      : suite_(suite), dialect_(dialect) {}

  // Answers 1025, then 1026.
  void register_client(Peer& peer, const ClientId& id);
  // Answers 1026.
  void exchange_keys(Peer& peer, const ClientId& id);
  // Answers a request that holds a public key with a new key, as `kind`.
  void answer_key(Peer& peer, const ClientId& id, const ReceivedRequest& request,
                  v3::Reply kind = v3::Reply::key);
  // Answers 1027 with a key for the client whose last public key was seen.
  void reconnect(Peer& peer, const ClientId& id);

  // The plain bytes of a ciphertext under the last key.
  [[nodiscard]] std::string open(ByteView cipher) const;
  // 1603 for a content.
  void answer_file(Peer& peer, const ClientId& id, ByteView cipher, uint32_t spoil = 0) const;

 private:
  const plugin::Crypto& suite_;
  v3::Dialect dialect_;
  Bytes public_key_;
  std::optional<plugin::Key> key_;
};

// An id with one digit.
ClientId id_of(uint8_t digit);

}  // namespace cb::testing
