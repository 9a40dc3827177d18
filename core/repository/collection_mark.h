// SPDX-License-Identifier: Apache-2.0
//
// The mark of a collection (docs/collection.md, "Phases"): which rows in old packs something needs.
// Used by one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/catalog/collection.h"
#include "core/repository/ids.h"

namespace cb::repository {

// One bit for each number from 0 on; stretches without a set bit take next to nothing.
class NumberSet {
 public:
  // False when it was there.
  bool add(int64_t number);
  [[nodiscard]] bool contains(int64_t number) const;

 private:
  static constexpr size_t kPageBits = size_t{1} << 15;
  struct Page {
    std::vector<uint64_t> words = std::vector<uint64_t>(kPageBits / 64);
  };
  std::vector<std::unique_ptr<Page>> pages_;
};

class Mark {
 public:
  // `old_packs`, by number, outlives it and does not change.
  Mark(catalog::Collection& rows, int64_t repository, const NumberSet& old_packs);

  // Marks the rows of this id and all that hangs below.
  Status from(const BlobId& id);
  // Marks all that hangs below the rows of a pack, and what they were sealed in.
  Status from_pack(int64_t pack);
  // Called between batches from now on; may be empty.
  void set_between(std::function<void()> between) { between_ = std::move(between); }

  // Marks this row alone, a weak one: see WeakRows.
  void keep(int64_t number) { marked_.add(number); }
  // Of a row in an old pack.
  [[nodiscard]] bool is_marked(int64_t number) const { return marked_.contains(number); }

 private:
  static constexpr size_t kRemembered = size_t{1} << 16;

  void ask(ByteView id);
  void ask_session(const catalog::Bytes16& session);
  void take_children(ByteView children);
  void meet(const catalog::MarkedRow& row);
  Status walk();

  catalog::Collection& rows_;
  int64_t repository_;
  const NumberSet& old_packs_;
  NumberSet marked_;
  std::vector<catalog::Bytes32> waiting_;  // ids to be asked for
  std::vector<int64_t> below_;             // marked rows whose children were not asked for yet
  // Ids that were asked for, each in the place that follows from it: what many name costs one
  // look-up. All rows of such an id that are in old packs are marked, now and later, but weak ones.
  std::vector<catalog::Bytes32> asked_;
  catalog::Bytes16 last_session_{};
  std::function<void()> between_;
};

}  // namespace cb::repository
