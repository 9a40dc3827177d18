// SPDX-License-Identifier: Apache-2.0
//
// A source in this process for tests: another engine, which fails, lies and forgets as it is told.
// One thread.
#pragma once

#include <set>

#include "core/replication/account_copy.h"
#include "core/repository/replica_fixture.h"

namespace cb::replication {

class EngineSource final : public SourceRemote {
 public:
  EngineSource(repository::EngineHouse& house, repository::RepositoryId repository)
      : house_(house), repository_(repository) {}

  std::set<repository::BlobId> lacks;   // that it does not have
  std::set<repository::BlobId> spoilt;  // that change on their way
  bool without_checksums = false;
  size_t given = 0;  // blobs, those of sessions left out
  std::function<void(Bytes&)> change_commit;
  std::function<repository::ChainPage(uint64_t sequence)> made_up_chain;  // instead of its own
  std::function<void(repository::StoredBlob&)> change_blob;
  std::function<void(repository::DeviceEntry&)> change_device;
  size_t pages = 0;  // of chains

  // As the list of accounts has it.
  [[nodiscard]] SourceAccount account() const {
    const auto head = repository::must(house_.engine().head(repository_));
    const auto record = repository::must(house_.engine().record(repository_));
    return {"alice", repository_, record.root, head.sequence, head.hash, house_.server_key()};
  }

  Result<std::vector<SourceAccount>> accounts() override { return std::vector{account()}; }
  Result<SourceRecords> records(const repository::RepositoryId& repository) override {
    CB_ASSIGN(const auto row, house_.catalog().accounts().account_by_name("alice"));
    SourceRecords records;
    records.account = repository::note_of(*row);
    CB_ASSIGN(records.record, house_.engine().record(repository));
    CB_ASSIGN(records.slots, house_.engine().slots(repository));
    return records;
  }
  Result<std::vector<repository::DeviceEntry>> devices(
      const repository::RepositoryId& /*repository*/) override {
    CB_ASSIGN(const auto row, house_.catalog().accounts().account_by_name("alice"));
    CB_ASSIGN(const auto all, house_.catalog().accounts().devices(row->number));
    std::vector<repository::DeviceEntry> devices;
    for (const catalog::Device& device : all) {
      repository::DeviceEntry& entry = devices.emplace_back();
      CB_ASSIGN(entry.certificate, repository::decode_certificate(device.certificate));
      entry.state = static_cast<uint64_t>(device.state);
      if (change_device) change_device(entry);
    }
    return devices;
  }
  Result<repository::ChainPage> chain(const repository::RepositoryId& repository,
                                      uint64_t sequence) override {
    ++pages;
    if (made_up_chain) return made_up_chain(sequence);
    repository::ChainPage page;
    CB_ASSIGN(page.commits, house_.engine().commits(repository, sequence, 2));
    if (change_commit)
      for (Bytes& commit : page.commits) change_commit(commit);
    page.last = page.commits.size() < 2;
    return page;
  }
  Result<std::vector<repository::BlobId>> get(const repository::RepositoryId& repository,
                                              const repository::DeviceId& device,
                                              std::span<const repository::BlobId> ids,
                                              const Sink& sink) override {
    CB_ASSIGN(const auto viewer, house_.engine().viewer(device));
    std::set<repository::BlobId> missing(ids.begin(), ids.end());
    std::vector<repository::BlobId> asked;
    for (const auto& id : ids)
      if (!lacks.contains(id)) asked.push_back(id);
    CB_ASSIGN(auto all, house_.engine().replicas().sessions_of(repository, viewer, asked));
    all.insert(all.end(), asked.begin(), asked.end());
    std::vector<repository::StoredBlob> found;
    repository::Engine::Reader reader;
    reader.head = [&](const repository::BlobHead& head) -> Status {
      found.push_back({head, {}});
      return {};
    };
    reader.content = [&](ByteView part) -> Status {
      found.back().stored.insert(found.back().stored.end(), part.begin(), part.end());
      return {};
    };
    reader.damaged = [](const repository::BlobId&) -> Status { return {}; };
    CB_TRY(house_.engine().read(repository, viewer, true, all, reader));
    for (repository::StoredBlob& blob : found) {
      missing.erase(blob.head.id);
      if (spoilt.contains(blob.head.id)) blob.stored[0] ^= std::byte{1};
      if (change_blob) change_blob(blob);
      if (without_checksums) blob.head.checksum.reset();
      given += blob.head.kind == repository::BlobKind::session ? 0 : 1;
      CB_TRY(sink(std::move(blob)));
    }
    return std::vector<repository::BlobId>(missing.begin(), missing.end());
  }

 private:
  repository::EngineHouse& house_;
  const repository::RepositoryId repository_;
};

// Lets so many blobs of a source come, and gives up then.
class CountedPace final : public Pace {
 public:
  CountedPace(const EngineSource& source, size_t most)
      : source_(source), last_(source.given + most) {}
  bool spend(uint64_t bytes) override {
    spent += bytes;
    return source_.given <= last_;
  }

  uint64_t spent = 0;  // bytes

 private:
  const EngineSource& source_;
  const size_t last_;
};

}  // namespace cb::replication
