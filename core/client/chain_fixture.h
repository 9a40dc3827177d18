// SPDX-License-Identifier: Apache-2.0
//
// For tests: a server's chain of commits in memory, which may be set back, branched off or lied
// about. Used by one thread.
#pragma once

#include <map>

#include "core/client/keys_fixture.h"
#include "core/client/receipts.h"

namespace cb::client {

// Copies are other histories of the same server.
struct ChainServer {
  using BlobId = repository::BlobId;

  std::shared_ptr<const identity::SigningKey> key;
  repository::RepositoryRecord record;
  std::vector<repository::Certificate> certificates;
  std::vector<Bytes> commits;
  std::map<BlobId, repository::SnapshotInfo> snapshots;
  size_t page = 3;                                                  // records
  std::shared_ptr<uint64_t> asked = std::make_shared<uint64_t>(0);  // requests for records

  repository::CommitRecord draft(repository::CommitType type, const BlobId& snapshot) const {
    repository::CommitRecord commit;
    commit.type = type;
    commit.sequence = commits.size() + 1;
    if (!commits.empty())
      commit.previous = repository::CommitHash{identity::sha256(commits.back())};
    commit.time_ns = static_cast<int64_t>(commits.size()) * 1'000'000'000;
    commit.snapshot = snapshot;
    return commit;
  }
  void sign(repository::CommitRecord& commit) const {
    commit.signature = repository::must(key->sign(repository::signed_part(commit, record.id)));
  }
  ChainPlace add(repository::CommitRecord commit) {
    sign(commit);
    commits.push_back(repository::encode(commit));
    return place_of(commit, commits.back());
  }

  // A snapshot of this device; `salt` makes it another one.
  BlobId commit(const identity::SigningKey& device, uint8_t salt = 0) {
    BlobId id;
    id.bytes[0] = static_cast<std::byte>(commits.size() + 1);
    id.bytes[1] = static_cast<std::byte>(salt);
    repository::CommitRecord made = draft(repository::CommitType::commit, id);
    made.device = repository::device_of(device.public_key());
    made.device_signature = repository::must(repository::sign_snapshot(record.id, id, device));
    add(made);
    snapshots[id] = {repository::must(repository::decode_commit(commits.back())), false};
    return id;
  }
  // What a device, or with none the server itself, does to a snapshot.
  ChainPlace act(repository::CommitType type, const BlobId& snapshot,
                 const identity::SigningKey* device, bool takes_effect = true) {
    repository::CommitRecord made = draft(type, snapshot);
    if (device != nullptr) made.device = repository::device_of(device->public_key());
    if (takes_effect && type == repository::CommitType::removal) snapshots.erase(snapshot);
    if (takes_effect && type != repository::CommitType::removal)
      snapshots.at(snapshot).in_trash = type == repository::CommitType::forget;
    return add(made);
  }

  [[nodiscard]] ChainPlace head() const {
    if (commits.empty()) return {};
    return place_of(repository::must(repository::decode_commit(commits.back())), commits.back());
  }
  [[nodiscard]] std::vector<repository::SnapshotInfo> list(bool with_trash) const {
    std::vector<repository::SnapshotInfo> all;
    for (const auto& [id, info] : snapshots)
      if (with_trash || !info.in_trash) all.push_back(info);
    return all;
  }
  [[nodiscard]] Result<repository::ChainPage> chain(uint64_t sequence) const {
    ++*asked;
    repository::ChainPage found;
    for (size_t at = sequence - 1; at < commits.size() && found.commits.size() < page; ++at)
      found.commits.push_back(commits[at]);
    found.last = sequence - 1 + found.commits.size() >= commits.size();
    return found;
  }
  // This outlives the view.
  [[nodiscard]] ServerView view() const {
    return {key->public_key(), head(), &record, [this](uint64_t from) { return chain(from); },
            [this]() -> Result<std::vector<repository::Certificate>> { return certificates; }};
  }
};

class ChainFixture : public KeysFixture {
 protected:
  ChainFixture()
      : owner_(repository::must(identity::SigningKey::make(*random_))),
        writer_(repository::must(identity::SigningKey::make(*random_))),
        made_(fresh_repository()) {
    server_.key = fresh_key();
    server_.record = made_.record;
    certify(owner_, repository::Role::owner);
    certify(writer_, repository::Role::writer);
  }
  void SetUp() override {
    KeysFixture::SetUp();
    std::filesystem::create_directories(folder_);
    receipts_.emplace(os::real_file_system(), folder_, made_.record.id);
  }
  // As if the program had ended and begun again.
  void restart() { receipts_.emplace(os::real_file_system(), folder_, made_.record.id); }

  std::shared_ptr<const identity::SigningKey> fresh_key() {
    return std::make_shared<const identity::SigningKey>(
        repository::must(identity::SigningKey::make(*random_)));
  }
  void certify(const identity::SigningKey& device, repository::Role role) {
    repository::Certificate certificate;
    certificate.device = device.public_key();
    certificate.role = role;
    EXPECT_TRUE(repository::sign_certificate(certificate, made_.record.id, made_.root));
    server_.certificates.push_back(certificate);
  }
  void revoke(const identity::SigningKey& device, uint64_t since) {
    server_.record.revision++;
    server_.record.revoked = {{{repository::device_of(device.public_key()).bytes}, since}};
    EXPECT_TRUE(repository::sign_record(server_.record, made_.root));
  }

  identity::SigningKey owner_;
  identity::SigningKey writer_;
  repository::NewRepository made_;
  ChainServer server_;
  std::optional<Receipts> receipts_;
};

}  // namespace cb::client
