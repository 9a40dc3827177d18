// SPDX-License-Identifier: Apache-2.0
//
// Somebody with a copy of a machine's files, and the program's own code to use them with. One
// thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/client/v4_session.h"
#include "tests/trust/house.h"

namespace cb::trust {

// The plugins of the build, as a program has them.
class Tools {
 public:
  Tools();
  [[nodiscard]] repository::Suite suite() const { return {&*crypto_, &*compress_}; }
  // TLS to whoever has the pinned key.
  stream::Stack stack(const std::string& pin);

 private:
  config::Values values(const std::string& id, const std::map<std::string, std::string>& options);

  log::Capture log_;
  std::unique_ptr<plugin::Registry> registry_;
  std::optional<plugin::Crypto> crypto_;
  std::optional<plugin::Compress> compress_;
};

using Blobs = std::map<repository::BlobId, repository::StoredBlob>;

class Intruder {
 public:
  // With the profile in this folder of a machine.
  Intruder(Tools& tools, const os::Path& machine);

  // A session under the stolen device's name.
  [[nodiscard]] std::shared_ptr<client::V4Session> login() const;
  // The same identity for a peer that sends what it likes.
  [[nodiscard]] server::V4Owner peer_identity() const;

  // Everything below the snapshots that the server gives, with the records of their sessions.
  [[nodiscard]] Blobs fetch_all(client::V4Session& session) const;
  // Which of them open with these keys?
  [[nodiscard]] std::vector<repository::BlobId> opened(const Blobs& blobs,
                                                       const repository::Keyring& keyring) const;

  // A session of blobs sealed as the profile can; its record is put.
  std::unique_ptr<repository::SessionSealer> begin(client::V4Session& session) const;
  // Bytes that nobody can open, under any id.
  static repository::StoredBlob garbage(const repository::BlobHead& as,
                                        const repository::SessionId& session);
  // A commit of the stolen device for whatever snapshot.
  [[nodiscard]] repository::CommitRequest commit_of(const repository::BlobId& snapshot,
                                                    const repository::BlobId& root) const;

  Tools& tools;
  client::Profile profile;
  identity::SigningKey key;
  repository::DeviceId device;
};

repository::BlobId id_of_session(const repository::SessionId& session);

}  // namespace cb::trust
