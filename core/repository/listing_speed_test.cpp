// SPDX-License-Identifier: Apache-2.0
//
// How long the list of a repository's snapshots takes: 100 in 10 ms, 10,000 in 100 ms. Their rows
// are made directly, with a third of them in the trash.
#include "core/repository/collection_fixture.h"
#include "core/repository/engine_chain.h"

namespace cb::repository {
namespace {

// Code that nobody optimised is not what the figures are about; it must not be hopeless.
#ifdef __OPTIMIZE__
constexpr double kPatience = 1;
#else
constexpr double kPatience = 5;
#endif

class ListingSpeed : public Collecting {
 protected:
  void add_snapshots(uint64_t count) {
    const int64_t number = must(house_.catalog().index().repository(repository_.bytes))->number;
    for (uint64_t i = 0; i < count; ++i) add(number, CommitType::commit, i);
    for (uint64_t i = 0; i < count; i += 3) add(number, CommitType::forget, i);
  }

  // The shortest of several: what else the machine does is not meant.
  std::chrono::duration<double, std::milli> time_of_list(bool with_trash, size_t expected) {
    std::chrono::duration<double, std::milli> shortest = std::chrono::hours(1);
    for (int times = 0; times < 5; ++times) {
      const auto begun = std::chrono::steady_clock::now();
      const auto list = must(engine().snapshots(repository_, with_trash));
      shortest = std::min<std::chrono::duration<double, std::milli>>(
          shortest, std::chrono::steady_clock::now() - begun);
      EXPECT_EQ(list.size(), expected);
    }
    return shortest;
  }

 private:
  void add(int64_t number, CommitType type, uint64_t snapshot) {
    CommitRecord record;
    record.type = type;
    record.sequence = ++sequence_;
    record.time_ns = now_.count() + static_cast<int64_t>(sequence_);
    record.snapshot = make_blob(BlobKind::snapshot, snapshot, 1).head.id;
    record.device = owner_.device;
    record.tags.resize(2);
    store_le(record.commit_id.bytes.data(), sequence_);
    Bytes encoded = encode(record);
    CommitEffect effect;
    effect.waits = false;
    must(house_.catalog().index().add_commit(number, row_of(record, std::move(encoded)), effect));
  }
  using CommitEffect = catalog::CommitEffect;
  uint64_t sequence_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Stores, ListingSpeed, testing::Values("store-sqlite"), store_name);

TEST_P(ListingSpeed, a_hundred_snapshots_are_listed_in_ten_milliseconds) {
  add_snapshots(150);
  const auto took = time_of_list(false, 100);
  std::printf("100 of 150 snapshots: %.2f ms\n", took.count());
  EXPECT_LT(took.count(), 10.0 * kPatience);
}

TEST_P(ListingSpeed, ten_thousand_snapshots_are_listed_in_a_hundred_milliseconds) {
  add_snapshots(15'000);
  const auto took = time_of_list(false, 10'000);
  const auto all = time_of_list(true, 15'000);
  std::printf("10,000 of 15,000 snapshots: %.1f ms; with the trash: %.1f ms\n", took.count(),
              all.count());
  EXPECT_LT(took.count(), 100.0 * kPatience);
}

}  // namespace
}  // namespace cb::repository
