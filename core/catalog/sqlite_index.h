// SPDX-License-Identifier: Apache-2.0
//
// The index in the SQLite catalog: one class, its functions in sqlite_*.cpp by what they are about
// (sqlite_index.cpp: intakes and packs). Thread-safe; both connections outlive it.
#pragma once

#include "core/catalog/guarded.h"
#include "core/catalog/index.h"

namespace cb::catalog {

class SqliteIndex final : public Index {
 public:
  SqliteIndex(Guarded& writer, Guarded& reader) : writer_(writer), reader_(reader) {}

  Result<int64_t> add_repository(const Bytes16& id, const std::string& account,
                                 ByteView record) override;
  Result<std::optional<RepositoryRow>> repository(const Bytes16& id) override;
  Result<std::optional<RepositoryRow>> repository_of(int64_t account) override;
  Result<std::vector<RepositoryRow>> repositories() override;
  Status set_record(int64_t repository, ByteView record,
                    const std::vector<std::pair<Bytes16, Bytes>>* slots) override;
  Result<int64_t> domain_of(int64_t repository, const Bytes16& device) override;
  Result<std::optional<Bytes16>> device_of(int64_t domain) override;
  Status set_slot(int64_t repository, const Bytes16& id, ByteView record) override;
  Result<std::vector<Bytes>> slots(int64_t repository) override;
  Status remove_slot(int64_t repository, const Bytes16& id) override;

  Result<int64_t> new_intake(int64_t repository) override;
  Status mark_intake(int64_t owner, const Bytes16& commit_id) override;
  Result<std::vector<int64_t>> open_intakes(int64_t repository) override;
  Result<std::vector<Bytes16>> drop_intake(int64_t owner) override;

  Status add_pack(int64_t repository, const PackRow& pack, std::span<const BlobRow> blobs,
                  std::span<const SessionRow> sessions) override;
  Result<std::vector<bool>> have(int64_t repository, const View& view, std::span<const Bytes32> ids,
                                 bool with_weak) override;
  Result<std::vector<BlobPlace>> places(int64_t repository, const View& view,
                                        std::span<const Bytes32> ids) override;
  Result<std::vector<BlobPlace>> places_in(int64_t repository, int64_t domain,
                                           std::span<const Bytes32> ids) override;
  Result<std::vector<std::optional<BlobLink>>> links(int64_t repository, const View& view,
                                                     std::span<const Bytes32> ids) override;
  Result<std::optional<Bytes>> session(int64_t repository, int64_t owner,
                                       const Bytes16& id) override;
  Result<std::vector<SessionRow>> sessions(int64_t repository, const Bytes16& after,
                                           size_t most) override;
  Status set_sessions(int64_t repository, std::span<const SessionRow> sessions) override;
  Status condemn(int64_t repository, int64_t domain, std::span<const Bytes32> ids) override;
  Result<std::vector<Copy>> copies(int64_t repository, int64_t after, size_t most) override;
  Result<std::vector<WeakBlob>> weak_blobs(int64_t repository, const View& view, int64_t before,
                                           size_t most) override;
  Result<uint64_t> open_up(int64_t repository, int64_t domain, std::span<const Bytes32> ids,
                           bool closes) override;

  Status add_commit(int64_t repository, const CommitRow& commit,
                    const CommitEffect& effect) override;
  Result<std::optional<CommitRow>> last_commit(int64_t repository) override;
  Result<std::optional<CommitRow>> commit_by_id(int64_t repository,
                                                const Bytes16& commit_id) override;
  Result<std::optional<CommitRow>> commit_of(int64_t repository, const Bytes32& snapshot,
                                             uint8_t type) override;
  Result<std::vector<CommitRow>> commits(int64_t repository, uint64_t sequence,
                                         size_t most) override;
  Result<std::vector<SnapshotRow>> snapshots(int64_t repository, bool with_trash) override;
  Result<std::optional<SnapshotRow>> snapshot(int64_t repository, const Bytes32& id) override;

  Result<IndexCounts> counts(int64_t repository) override;
  Result<std::vector<PackRow>> packs(int64_t repository, int64_t after, size_t most) override;
  Result<bool> knows_pack(int64_t repository, const Bytes16& name) override;
  Result<std::vector<BlobPlace>> blobs_of_pack(int64_t pack) override;

 private:
  Guarded& writer_;
  Guarded& reader_;
};

}  // namespace cb::catalog
