// SPDX-License-Identifier: Apache-2.0
//
// What a collection and a compaction ask of the catalog (docs/collection.md). Abstract;
// thread-safe; functions block and belong on a worker. Every change is durable when the function
// returns, unless said otherwise, and each function is one transaction.
#pragma once

#include "core/catalog/index.h"

namespace cb::catalog {

// A pack, whoever's.
struct HeldPack {
  int64_t number = 0;
  int64_t owner = 0;
  Bytes16 name{};
  uint8_t pack_class = 0;
  uint64_t size = 0;       // bytes of the object
  int64_t created_ns = 0;  // since 1970 UTC, as all times here
  int64_t retired_ns = 0;  // since when no row is in it; 0: it is in use
  bool is_bad = false;     // verification found it so
};

// A row of a blob, and where it lies.
struct HeldBlob {
  int64_t number = 0;
  Bytes32 id{};
  int64_t domain = 0;
  uint8_t kind = 0;
  bool condemned = false;
  int64_t condemned_ns = 0;  // 0: no collection condemned it
  bool closed = false;
  Bytes16 session{};
  uint64_t offset = 0;
  uint32_t size = 0;
  uint32_t child_count = 0;
};

// A row as the mark meets it.
struct MarkedRow {
  int64_t number = 0;
  int64_t pack = 0;
  Bytes16 session{};
  bool has_children = false;  // that it keeps
  bool is_weak = false;       // keeps none, and nothing keeps it
};
// What the mark does with rows, and with ids that are children, one behind the other. Called while
// the catalog is locked: neither may use it.
using TakeRow = std::function<void(const MarkedRow&)>;
using TakeChildren = std::function<void(ByteView)>;

// A row that was found dead in this pack.
struct DeadRow {
  int64_t number = 0;
  int64_t pack = 0;
};

// A blob that is to lie elsewhere, and where it is now.
struct BlobMove {
  HeldBlob blob;
  int64_t pack = 0;
  uint64_t new_offset = 0;
};

class Collection {
 public:
  virtual ~Collection() = default;

  // At most `most` packs whose number is past `after`, private ones too, by number.
  virtual Result<std::vector<HeldPack>> packs(int64_t repository, int64_t after, size_t most) = 0;
  // All rows in a pack, by offset.
  virtual Result<std::vector<HeldBlob>> rows_in(int64_t pack) = 0;

  // Every row of these ids, in any domain, condemned ones and private ones too. Returns the ids
  // that have none.
  virtual Result<std::vector<Bytes32>> rows_of(int64_t repository, std::span<const Bytes32> ids,
                                               const TakeRow& take) = 0;
  // Which of these rows are weak and describe what lives: each child has a row of data, in the
  // row's own domain or in domain 0, that no collection condemned and for which `lives` says so.
  // Never what is wanted: it is damaged. Looks at some of the first of them, one at least; an
  // answer for each that it looked at.
  using Lives = std::function<bool(const MarkedRow&)>;
  virtual Result<std::vector<bool>> describe_live(int64_t repository, std::span<const int64_t> rows,
                                                  const Lives& lives) = 0;
  // What these rows name, if they are there.
  virtual Status children_of(std::span<const int64_t> rows, const TakeChildren& take) = 0;
  // Every row in a pack, and what it names, but for weak ones.
  virtual Status read_pack(int64_t pack, const TakeRow& take, const TakeChildren& below) = 0;

  // Takes `closed` from rows with children. Durable with the next change that is.
  virtual Status unclose(std::span<const int64_t> numbers) = 0;
  // Condemns rows that are still in their packs and not private, and dates those that are condemned
  // without a date. Returns how many.
  virtual Result<uint64_t> condemn_dead(std::span<const DeadRow> rows, int64_t now_ns) = 0;
  // Takes back what a collection condemned: of these rows those that are weak, still in their packs
  // and not wanted. Returns how many.
  virtual Result<uint64_t> take_back(std::span<const DeadRow> rows) = 0;
  // Deletes those that are still in their packs and were condemned by a collection, at
  // `condemned_until_ns` or before; what of them was wanted is so no more. Returns the stored bytes
  // of each that went, in no order.
  virtual Result<std::vector<uint32_t>> sweep(std::span<const DeadRow> rows,
                                              int64_t condemned_until_ns) = 0;

  // Notes that no row is in a public pack any more; false when there is one.
  virtual Result<bool> retire(int64_t pack, int64_t now_ns) = 0;
  // Deletes the row of a pack that retired at `retired_until_ns` or before; false when it did not,
  // or has rows.
  virtual Result<bool> remove_pack(int64_t pack, int64_t retired_until_ns) = 0;

  // Adds a public pack that is durable in the store, and moves rows to it that are still where they
  // were, in the same domain, and not condemned. Those that are not count as its garbage. Returns
  // how many moved.
  virtual Result<uint64_t> move_blobs(int64_t repository, const PackRow& pack,
                                      std::span<const BlobMove> moves) = 0;
};

}  // namespace cb::catalog
