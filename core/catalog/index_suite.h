// SPDX-License-Identifier: Apache-2.0
//
// Rows for the tests of Index. Ids are made of numbers.
#pragma once

#include <algorithm>
#include <random>
#include <string>

#include "core/catalog/catalog_suite.h"

namespace cb::catalog {

inline Bytes32 id_of(uint64_t number) {
  Bytes32 id{};
  std::mt19937_64 random(number);
  for (std::byte& b : id) b = static_cast<std::byte>(random());
  return id;
}

inline Bytes16 short_id(uint64_t number) {
  Bytes16 id{};
  std::copy_n(id_of(number).begin(), id.size(), id.begin());
  return id;
}

inline BlobRow blob(uint64_t number, std::initializer_list<uint64_t> children = {}) {
  BlobRow row;
  row.id = id_of(number);
  row.kind = children.size() == 0 ? 1 : 4;
  row.session = short_id(1);
  row.offset = 48 + number;
  row.size = 100;
  for (const uint64_t child : children) {
    const Bytes32 id = id_of(child);
    row.children.insert(row.children.end(), id.begin(), id.end());
  }
  return row;
}

inline PackRow pack(uint64_t number, int64_t owner = 0) {
  PackRow row;
  row.owner = owner;
  row.name = short_id(1000 + number);
  row.pack_class = 1;
  row.size = 5000 + number;
  row.digest = short_id(number);
  row.created_ns = 7;
  return row;
}

inline CommitRow commit(uint64_t sequence, uint8_t type, uint64_t snapshot) {
  CommitRow row;
  row.sequence = sequence;
  row.type = type;
  row.snapshot = id_of(snapshot);
  row.commit_id = short_id(500 + sequence);
  row.hash = id_of(600 + sequence);
  row.record = to_bytes(as_bytes("record " + std::to_string(sequence)));
  return row;
}

template <typename T>
void expect_code(const Result<T>& result, Code code) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, code) << result.error().text();
}

// Two devices that lie apart.
class DomainsSuite : public IndexSuite {
 protected:
  void SetUp() override {
    IndexSuite::SetUp();
    mine_ = *index().domain_of(repository_, short_id(1));
    theirs_ = *index().domain_of(repository_, short_id(2));
  }

  void put(uint64_t number, int64_t domain, std::initializer_list<BlobRow> rows) {
    PackRow row = pack(number);
    row.domain = domain;
    ASSERT_TRUE(index().add_pack(repository_, row, rows, {}));
  }

  bool sees(const View& view, uint64_t number) {
    return (*index().have(repository_, view, std::array<Bytes32, 1>{id_of(number)}))[0];
  }

  std::optional<BlobLink> link(const View& view, uint64_t number) {
    return (*index().links(repository_, view, std::array<Bytes32, 1>{id_of(number)}))[0];
  }

  // The pack in which this view finds a blob; 0: nowhere.
  uint64_t place(const View& view, uint64_t number) {
    const auto found = *index().places(repository_, view, std::array<Bytes32, 1>{id_of(number)});
    for (uint64_t i = 1; i < 9 && !found.empty(); ++i)
      if (found[0].pack == pack(i).name) return i;
    return 0;
  }

  uint64_t open_up(int64_t domain, std::initializer_list<uint64_t> numbers, bool closes = true) {
    std::vector<Bytes32> ids;
    for (const uint64_t number : numbers) ids.push_back(id_of(number));
    return index().open_up(repository_, domain, ids, closes).value_or(99);
  }

  void condemn(int64_t domain, uint64_t number) {
    ASSERT_TRUE(index().condemn(repository_, domain, std::array<Bytes32, 1>{id_of(number)}));
  }

  // As a commit that walked over it.
  void close(const View& view, uint64_t number) {
    const std::array<int64_t, 1> walked = {link(view, number)->number};
    CommitEffect effect;
    effect.walked = walked;
    const uint64_t next = ++commits_;
    ASSERT_TRUE(index().add_commit(repository_, commit(next, 1, 900 + next), effect));
  }

  int64_t mine_ = 0;
  int64_t theirs_ = 0;
  uint64_t commits_ = 0;
};

// What a collection asks.
class CollectionSuite : public DomainsSuite {
 protected:
  Collection& rows() { return catalog_->collection(); }

  HeldPack held(uint64_t number) {
    const auto packs = rows().packs(repository_, 0, 99);
    for (const HeldPack& one : *packs)
      if (one.name == pack(number).name) return one;
    return {};
  }

  std::vector<HeldBlob> rows_in(uint64_t number) { return *rows().rows_in(held(number).number); }

  // The row of a blob in a pack.
  HeldBlob row(uint64_t number, uint64_t in_pack) {
    for (const HeldBlob& one : rows_in(in_pack))
      if (one.id == id_of(number)) return one;
    return {};
  }

  DeadRow dead(uint64_t number, uint64_t in_pack) {
    return {row(number, in_pack).number, held(in_pack).number};
  }

  uint64_t condemn_dead(uint64_t number, uint64_t in_pack, int64_t now_ns = 1000) {
    return *rows().condemn_dead(std::array<DeadRow, 1>{dead(number, in_pack)}, now_ns);
  }

  size_t sweep(const DeadRow& one, int64_t until_ns) {
    return rows().sweep(std::array<DeadRow, 1>{one}, until_ns)->size();
  }

  uint64_t blobs_of(uint64_t number) {
    const auto packs = index().packs(repository_, 0, 99);
    for (const PackRow& one : *packs)
      if (one.name == pack(number).name) return one.blobs;
    return 99;
  }

  uint64_t garbage_of(uint64_t number) {
    const auto packs = index().packs(repository_, 0, 99);
    for (const PackRow& one : *packs)
      if (one.name == pack(number).name) return one.garbage;
    return 99;
  }

  // Moves a blob of a pack to a new one.
  uint64_t move(uint64_t number, uint64_t from, uint64_t to) {
    BlobMove one{row(number, from), held(from).number, 4'000 + number};
    return *rows().move_blobs(repository_, pack(to), std::array<BlobMove, 1>{one});
  }
};

// Signatures and recipes.
constexpr uint8_t kSignature = 2;
constexpr uint8_t kRecipe = 3;

inline BlobRow weak(uint64_t number, std::initializer_list<uint64_t> children,
                    uint8_t kind = kSignature) {
  BlobRow row = blob(number, children);
  row.kind = kind;
  row.session = {};
  return row;
}

class WeakSuite : public CollectionSuite {
 protected:
  // The numbers that a view is told, a page after the other.
  std::vector<uint64_t> told(const View& view, size_t most = 99) {
    std::vector<uint64_t> numbers;
    for (int64_t before = 0;;) {
      const auto page = index().weak_blobs(repository_, view, before, most);
      EXPECT_TRUE(page);
      for (const Index::WeakBlob& one : *page)
        for (uint64_t number = 1; number < 99; ++number)
          if (one.id == id_of(number)) numbers.push_back(number);
      if (page->size() < most) return numbers;
      before = page->back().number;
    }
  }
};

// Packs 1 to 3, each with one blob of the open domain of the same number.
class VerificationSuite : public DomainsSuite {
 protected:
  void SetUp() override {
    DomainsSuite::SetUp();
    for (const uint64_t number : {1, 2, 3}) put(number, kOpenDomain, {blob(number)});
  }
  Verification& verification() { return catalog_->verification(); }
  int64_t number_of(uint64_t number) {
    const auto packs = verification().all_packs(repository_, 0, 99);
    for (const VerifiedPack& one : *packs)
      if (one.name == pack(number).name) return one.number;
    return 0;
  }
  // The packs' own numbers, 1 to 3.
  std::vector<uint64_t> named(const std::vector<VerifiedPack>& packs) {
    std::vector<uint64_t> numbers;
    for (const VerifiedPack& one : packs)
      for (const uint64_t number : {1, 2, 3})
        if (one.name == pack(number).name) numbers.push_back(number);
    return numbers;
  }
  void want(int64_t domain, uint64_t number) {
    const std::array<Bytes32, 1> ids = {id_of(number)};
    ASSERT_TRUE(verification().want(repository_, domain, ids, 50));
  }
  size_t wanted(const View& view) {
    const auto all = verification().wanted(repository_, view, {}, 99);
    EXPECT_TRUE(all);
    EXPECT_EQ(*verification().count_wanted(repository_, view), all->size());
    return all->size();
  }
};

// Packs of several devices, each with one blob of its number.
class LimitsSuite : public IndexSuite {
 protected:
  void SetUp() override {
    IndexSuite::SetUp();
    account_ = index().repositories()->at(0).account;
  }
  Limits& limits() { return catalog_->limits(); }

  void put(uint64_t number, const Bytes16& device, uint64_t size, int64_t owner = 0) {
    PackRow row = pack(number, owner);
    row.size = size;
    row.device = device;
    ASSERT_TRUE(index().add_pack(repository_, row, std::array<BlobRow, 1>{blob(number)}, {}));
  }
  UsageRow usage(const Bytes16& device) {
    const auto all = limits().usage(account_);
    EXPECT_TRUE(all);
    for (const UsageRow& row : *all)
      if (row.device == device) return row;
    return {};
  }
  HeldPack held(uint64_t number) {
    const auto all = catalog_->collection().packs(repository_, 0, 99);
    EXPECT_TRUE(all);
    for (const HeldPack& one : *all)
      if (one.name == pack(number).name) return one;
    return {};
  }
  BlobMove moving(uint64_t number, uint64_t new_offset) {
    const int64_t from = held(number).number;
    return {catalog_->collection().rows_in(from)->at(0), from, new_offset};
  }
  void compact(uint64_t into, uint64_t size, std::initializer_list<uint64_t> from) {
    std::vector<BlobMove> moves;
    for (const uint64_t one : from) moves.push_back(moving(one, 48 + 200 * moves.size()));
    PackRow row = pack(into);
    row.size = size;
    ASSERT_EQ(catalog_->collection().move_blobs(repository_, row, moves).value_or(0), from.size());
  }

  const Bytes16 mine_ = short_id(1), theirs_ = short_id(2);
  int64_t account_ = 0;
};

}  // namespace cb::catalog
