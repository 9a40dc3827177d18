// SPDX-License-Identifier: Apache-2.0
//
// Verification in the SQLite catalog. Thread-safe; both connections outlive it.
#pragma once

#include "core/catalog/guarded.h"
#include "core/catalog/verification.h"

namespace cb::catalog {

class SqliteVerification final : public Verification {
 public:
  SqliteVerification(Guarded& writer, Guarded& reader) : writer_(writer), reader_(reader) {}

  Result<std::vector<VerifiedPack>> bad_packs(int64_t repository, int64_t after,
                                              size_t most) override;
  Result<std::vector<VerifiedPack>> old_packs(int64_t repository, int64_t before_ns,
                                              const std::optional<VerifiedPack>& after,
                                              size_t most) override;
  Result<std::vector<VerifiedPack>> all_packs(int64_t repository, int64_t after,
                                              size_t most) override;
  Result<DuePacks> due(int64_t repository, int64_t before_ns) override;
  Status set_verified(int64_t pack, bool is_bad, int64_t now_ns) override;
  Result<std::vector<PackBlob>> blobs(int64_t pack) override;
  Status want(int64_t repository, int64_t domain, std::span<const Bytes32> ids,
              int64_t now_ns) override;
  Result<std::vector<WantedBlob>> wanted(int64_t repository, const View& view, const Bytes32& after,
                                         size_t most) override;
  Result<uint64_t> count_wanted(int64_t repository, const View& view) override;
  Result<uint64_t> absolve(int64_t repository, int64_t domain,
                           std::span<const Bytes32> ids) override;
  Result<uint64_t> drop_settled(int64_t repository) override;

 private:
  Result<std::vector<VerifiedPack>> read_packs(Statement select);

  Guarded& writer_;
  Guarded& reader_;
};

}  // namespace cb::catalog
