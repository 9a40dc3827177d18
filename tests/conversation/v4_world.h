// SPDX-License-Identifier: Apache-2.0
//
// The accounts of a server that conversations of protocol v4 are played with, each with devices of
// every role, and one that nobody plays with: nothing of it may ever be seen. One thread.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "tests/conversation/in_process_server.h"
#include "tests/v4/v4_invited.h"

namespace cb::conversation {

// In everything that is secret of the account that nobody plays with.
ByteView canary();

struct V4Account {
  std::string name;
  server::V4Owner owner;
  server::V4Owner writer, sharer, reader;  // devices that joined
  std::string password;
};

class V4World {
 public:
  static constexpr size_t kAccounts = 8;

  // For InProcessServer: makes the accounts.
  void prepare(InProcessServer& server);

  // Accounts to play with.
  [[nodiscard]] const V4Account& account(size_t i) const { return accounts_[i % kAccounts]; }
  // The other one's.
  [[nodiscard]] const V4Account& stranger() const { return accounts_.back(); }
  [[nodiscard]] const std::vector<repository::StoredBlob>& strangers_blobs() const {
    return strangers_blobs_;
  }

 private:
  V4Account make_account(InProcessServer& server, const std::string& name, bool is_stranger);
  void back_up_stranger(InProcessServer& server);

  std::vector<V4Account> accounts_;
  std::vector<repository::StoredBlob> strangers_blobs_;
};

// The blobs that a conversation is about: 2 session records, 6 pieces of data, a signature and a
// recipe, 3 nodes, 3 snapshots. Ids depend on `salt` and `index` alone.
constexpr size_t kBlobs = 16;
enum : size_t { kFirstData = 2, kFirstWeak = 8, kFirstNode = 10, kFirstSnapshot = 13 };
repository::BlobId planned_id(uint64_t salt, size_t index);
// `mask` chooses the children among those that come before it.
repository::StoredBlob planned_blob(uint64_t salt, size_t index, uint8_t mask, size_t size);

}  // namespace cb::conversation
