// SPDX-License-Identifier: Apache-2.0
//
// Copies of repositories in the SQLite catalog. Thread-safe; both connections outlive it.
#pragma once

#include "core/catalog/guarded.h"
#include "core/catalog/replication.h"

namespace cb::catalog {

class SqliteReplication final : public Replication {
 public:
  SqliteReplication(Guarded& writer, Guarded& reader) : writer_(writer), reader_(reader) {}

  Status add_token(const ReplicaToken& token) override;
  Result<std::optional<ReplicaToken>> token_by_id(const Bytes16& id) override;
  Result<std::vector<ReplicaToken>> tokens() override;
  Status touch_token(const Bytes16& id, int64_t seen_ns, const std::string& address) override;
  Status remove_token(const Bytes16& id) override;

  Status add_source(const ReplicaSource& source) override;
  Result<std::vector<ReplicaSource>> sources() override;
  Status remove_source(const std::string& name) override;

  Result<int64_t> add_replica(const Bytes16& id, const std::string& account, ByteView record,
                              const ReplicaRow& row) override;
  Status set_replica(const ReplicaRow& row) override;
  Result<std::optional<ReplicaRow>> replica(int64_t repository) override;

  Result<std::vector<AbsentSnapshot>> absent(int64_t repository) override;
  Result<std::optional<AbsentSnapshot>> absent(int64_t repository,
                                               const Bytes32& snapshot) override;
  Status set_absent(int64_t repository, const AbsentSnapshot& snapshot) override;
  Status clear_absent(int64_t repository, const Bytes32& snapshot) override;
  Status drop_snapshot(int64_t repository, const Bytes32& snapshot) override;
  Status bring_snapshot(int64_t repository, const Bytes32& snapshot,
                        std::span<const int64_t> walked) override;

  Status note_pull(const ReplicaPull& pull) override;
  Result<std::vector<ReplicaPull>> pulls() override;

 private:
  Guarded& writer_;
  Guarded& reader_;
};

}  // namespace cb::catalog
