// SPDX-License-Identifier: Apache-2.0
//
// Sources in the SQLite catalog. Thread-safe; both connections outlive it.
#pragma once

#include "core/catalog/guarded.h"
#include "core/catalog/sources.h"

namespace cb::catalog {

class SqliteSources final : public Sources {
 public:
  SqliteSources(Guarded& writer, Guarded& reader) : writer_(writer), reader_(reader) {}

  Result<std::vector<SourceWish>> wishes(int64_t repository) override;
  Status set_wish(int64_t repository, const SourceWish& wish) override;
  Status remove_wish(int64_t repository, ByteView source) override;
  Result<std::vector<SourceState>> states(int64_t repository) override;
  Result<std::optional<SourceState>> state(int64_t repository, ByteView source) override;
  Status set_state(int64_t repository, const SourceState& state) override;
  Result<uint64_t> count(int64_t repository, ByteView device) override;
  Status drop(int64_t repository, ByteView source) override;
  Result<uint64_t> looked_at(int64_t repository) override;
  Status set_looked_at(int64_t repository, uint64_t sequence) override;
  Status pass_over(int64_t repository, uint64_t sequence, const Bytes32& snapshot) override;
  Status add_backup(int64_t repository, const SourceBackup& backup, size_t most) override;
  Result<std::vector<SourceBackup>> backups(int64_t repository, ByteView source,
                                            size_t most) override;
  Result<std::vector<int64_t>> times(int64_t repository, ByteView source) override;
  Status put_claim(int64_t repository, const Bytes32& snapshot, const SourceClaim& claim) override;
  Result<std::optional<SourceClaim>> claim(int64_t repository, const Bytes32& snapshot) override;
  Result<bool> is_raised(const std::string& alarm) override;
  Result<bool> raise(const std::string& alarm, int64_t now_ns) override;
  Result<bool> clear(const std::string& alarm) override;

 private:
  Guarded& writer_;
  Guarded& reader_;
};

}  // namespace cb::catalog
