// SPDX-License-Identifier: Apache-2.0
//
// Collection in the SQLite catalog. Thread-safe; both connections outlive it. It reads with a
// connection of its own, so that look-ups of backups do not wait for it.
#pragma once

#include "core/catalog/collection.h"
#include "core/catalog/guarded.h"

namespace cb::catalog {

class SqliteCollection final : public Collection {
 public:
  SqliteCollection(Guarded& writer, Guarded& reader) : writer_(writer), reader_(reader) {}

  Result<std::vector<HeldPack>> packs(int64_t repository, int64_t after, size_t most) override;
  Result<std::vector<HeldBlob>> rows_in(int64_t pack) override;
  Result<std::vector<Bytes32>> rows_of(int64_t repository, std::span<const Bytes32> ids,
                                       const TakeRow& take) override;
  Result<std::vector<bool>> describe_live(int64_t repository, std::span<const int64_t> rows,
                                          const Lives& lives) override;
  Result<uint64_t> take_back(std::span<const DeadRow> rows) override;
  Status children_of(std::span<const int64_t> rows, const TakeChildren& take) override;
  Status read_pack(int64_t pack, const TakeRow& take, const TakeChildren& below) override;
  Status unclose(std::span<const int64_t> numbers) override;
  Result<uint64_t> condemn_dead(std::span<const DeadRow> rows, int64_t now_ns) override;
  Result<std::vector<uint32_t>> sweep(std::span<const DeadRow> rows,
                                      int64_t condemned_until_ns) override;
  Result<bool> retire(int64_t pack, int64_t now_ns) override;
  Result<bool> remove_pack(int64_t pack, int64_t retired_until_ns) override;
  Result<uint64_t> move_blobs(int64_t repository, const PackRow& pack,
                              std::span<const BlobMove> moves) override;

 private:
  Guarded& writer_;
  Guarded& reader_;
};

}  // namespace cb::catalog
