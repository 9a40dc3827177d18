// SPDX-License-Identifier: Apache-2.0
//
// Compaction: what is written anew, and that nobody notices.
#include "core/repository/collection_fixture.h"
#include "core/repository/pack.h"

namespace cb::repository {
namespace {

class CompactionTest : public Collecting {
 protected:
  // Two snapshots that share a quarter; the first one is dead and swept.
  void leave_holes(const Viewer& viewer) {
    back_up(viewer, mostly_dead());
    back_up(viewer, alive());
    remove(mostly_dead());
    advance(2 * kDay);
    collect({});
  }
  static TestSnapshot mostly_dead() { return make_tree(range(1, 40), 1); }
  static TestSnapshot alive() { return make_tree(range(1, 9), 2); }
  static std::set<uint64_t> range(uint64_t from, uint64_t to) {
    std::set<uint64_t> all;
    for (; from < to; ++from) all.insert(from);
    return all;
  }

  void make_small_packs(const Viewer& viewer, uint64_t from, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) back_up(viewer, make_tree({100 * (from + i)}, from + i));
  }
  void expect_small_ones(const Viewer& viewer, uint64_t from, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i)
      expect_readable(make_tree({100 * (from + i)}, from + i), viewer);
  }

  uint64_t stored_bytes() { return must(engine().counts(repository_)).stored_bytes; }
  std::vector<std::string> pack_objects() {
    return house_.objects("v4/" + repository_.hex() + "/pack/");
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, CompactionTest, testing::Values("store-fs", "store-sqlite"),
                         store_name);

TEST_P(CompactionTest, packs_that_are_mostly_dead_are_written_anew_once) {
  leave_holes(owner_);
  const uint64_t before = stored_bytes();
  const auto done = compact();
  EXPECT_GT(done.blobs, 0u);
  EXPECT_LT(done.bytes, done.source_bytes / 2);
  expect_clean();
  expect_readable(alive(), owner_);
  const auto again = compact();
  EXPECT_EQ(again.packs, 0u);
  EXPECT_EQ(again.sources, 0u);
  EXPECT_EQ(collect({}).packs_removed, done.sources);
  EXPECT_EQ(stored_bytes(), before + done.bytes - done.source_bytes);
  EXPECT_EQ(must(engine().remove_leftovers()), 0u);
  expect_readable(alive(), owner_);
  expect_clean();
}

TEST_P(CompactionTest, a_dry_run_tells_how_much_and_does_nothing) {
  leave_holes(owner_);
  const size_t before = packs();
  Engine::CompactOptions look;
  look.dry_run = true;
  const auto said = must(engine().compact(repository_, look, {}));
  EXPECT_EQ(packs(), before);
  const auto done = compact();
  EXPECT_EQ(said.sources, done.sources);
  EXPECT_EQ(said.source_bytes, done.source_bytes);
  EXPECT_GE(said.bytes, done.bytes);
  EXPECT_LT(said.bytes - done.bytes, 4'096u);
}

TEST_P(CompactionTest, eight_small_packs_of_a_kind_become_one_and_fewer_stay) {
  make_small_packs(owner_, 1, 7);
  EXPECT_EQ(compact().sources, 0u);
  make_small_packs(owner_, 8, 1);
  const auto done = compact();
  EXPECT_EQ(done.sources, 16u);  // of data and of the rest
  EXPECT_EQ(done.packs, 2u);
  expect_small_ones(owner_, 1, 8);
  expect_clean();
  EXPECT_EQ(compact().sources, 0u);
}

TEST_P(CompactionTest, blobs_of_different_domains_stay_apart) {
  make_small_packs(owner_, 1, 8);
  make_small_packs(writer_, 11, 8);
  make_small_packs(sharer_, 21, 8);
  const auto done = compact();
  EXPECT_EQ(done.sources, 48u);
  EXPECT_EQ(done.packs, 6u);
  advance(2 * kDay);
  EXPECT_EQ(collect({}).packs_removed, 48u);
  std::map<PackDomain, size_t> domains;
  for (const std::string& object : pack_objects()) {
    const PackHeader header =
        must(decode_pack_header(ByteView(house_.object(object)).first(kPackHeaderSize)));
    ++domains[header.domain];
    if (header.domain == PackDomain::device) {
      EXPECT_EQ(header.device, tag_of(writer_.device));
    }
  }
  EXPECT_EQ(domains[PackDomain::open], 2u);
  EXPECT_EQ(domains[PackDomain::shared], 2u);
  EXPECT_EQ(domains[PackDomain::device], 2u);
  expect_small_ones(owner_, 1, 8);
  expect_small_ones(writer_, 11, 8);
  expect_small_ones(sharer_, 21, 8);
  EXPECT_GT(lacking(owner_, make_tree({1100}, 11)), 0u);
  expect_clean();
}

TEST_P(CompactionTest, a_reader_whose_pack_is_gone_finds_the_new_place) {
  make_small_packs(owner_, 1, 8);
  advance(2 * kDay);
  std::vector<BlobId> wanted;
  std::map<BlobId, Bytes> expected;
  for (uint64_t i = 1; i < 9; ++i)
    for (const StoredBlob& blob : make_tree({100 * i}, i).blobs) {
      wanted.push_back(blob.head.id);
      expected[blob.head.id] = blob.stored;
    }
  std::map<BlobId, Bytes> found;
  Bytes* current = nullptr;
  Engine::Reader reader;
  reader.head = [&](const BlobHead& head) -> Status {
    EXPECT_FALSE(found.contains(head.id));
    current = &found[head.id];
    if (found.size() != 3) return {};
    EXPECT_EQ(compact().packs, 2u);
    EXPECT_GT(collect({}).packs_removed, 10u);
    return {};
  };
  reader.content = [&](ByteView part) -> Status {
    current->insert(current->end(), part.begin(), part.end());
    return {};
  };
  must(engine().read(repository_, owner_, false, wanted, reader));
  EXPECT_EQ(found, expected);
}

TEST_P(CompactionTest, a_pack_that_is_really_gone_is_an_error) {
  back_up(owner_, alive());
  for (const std::string& object : pack_objects()) must(house_.store().remove(object));
  EXPECT_EQ(code_of(read_all(engine(), repository_, ids_of(alive().blobs), owner_)), Code::corrupt);
}

TEST_P(CompactionTest, a_blob_that_does_not_read_right_stays_with_its_pack_and_is_told) {
  make_small_packs(owner_, 1, 8);
  const std::string object = pack_objects().front();
  Bytes content = house_.object(object);
  content[content.size() / 2] ^= std::byte{1};
  must(house_.store().remove(object));
  house_.put_object(object, content);
  const auto done = compact();
  ASSERT_EQ(done.damaged.size(), 1u);
  EXPECT_NE(done.damaged[0].find(object), std::string::npos) << done.damaged[0];
  EXPECT_EQ(done.sources, 15u);
  advance(2 * kDay);
  collect({});
  EXPECT_EQ(house_.object(object), content);
  expect_small_ones(owner_, 9, 0);
}

TEST_P(CompactionTest, where_there_is_no_room_it_says_so_and_collection_works) {
  back_up(owner_, mostly_dead());
  back_up(owner_, alive());
  remove(mostly_dead());
  advance(2 * kDay);
  EngineLimits full;
  full.reserve = uint64_t{1} << 62;
  house_.set_limits(full);
  EXPECT_GT(collect({}).deleted, 0u);
  const auto done = compact();
  EXPECT_TRUE(done.has_no_room);
  EXPECT_EQ(done.packs, 0u);
  house_.set_limits({});
  EXPECT_GT(compact().packs, 0u);
  expect_readable(alive(), owner_);
  expect_clean();
}

TEST_P(CompactionTest, a_budget_ends_it_where_what_was_begun_is_whole) {
  leave_holes(owner_);
  make_small_packs(writer_, 11, 8);
  Engine::CompactOptions little;
  little.most_bytes = 1;
  const auto first = must(engine().compact(repository_, little, {}));
  EXPECT_TRUE(first.is_short);
  EXPECT_EQ(first.packs, 1u);
  expect_clean();
  EXPECT_GT(compact().packs, 0u);
  expect_readable(alive(), owner_);
  expect_small_ones(writer_, 11, 8);
  expect_clean();
}

TEST_P(CompactionTest, stopped_at_any_step_it_is_made_good_by_the_next) {
  for (size_t at = 0;; at += 7) {
    SCOPED_TRACE(at);
    make_small_packs(owner_, 1 + 10 * at, 8);
    size_t step = 0;
    const auto done =
        engine().compact(repository_, {}, [&](uint64_t, uint64_t) { return step++ < at; });
    EXPECT_TRUE(done || done.error().code == Code::cancelled);
    house_.reopen();
    EXPECT_EQ(must(engine().remove_leftovers()), 0u);
    expect_clean();
    for (size_t k = 0; k <= at; k += 7) expect_small_ones(owner_, 1 + 10 * k, 8);
    if (done || at > 60) break;
  }
  EXPECT_FALSE(HasFailure());
}

TEST_P(CompactionTest, what_was_opened_up_lies_in_a_pack_that_says_so) {
  leave_holes(writer_);
  must(engine().verified(repository_, writer_, ids_of(alive().blobs), false));
  const auto done = compact();
  EXPECT_GT(done.packs, 0u);
  advance(2 * kDay);
  collect({});
  for (const std::string& object : pack_objects()) {
    const PackHeader header =
        must(decode_pack_header(ByteView(house_.object(object)).first(kPackHeaderSize)));
    if (house_.object(object)[8] == std::byte{1}) {
      EXPECT_EQ(header.domain, PackDomain::open);
    }
  }
  EXPECT_EQ(lacking(owner_, alive()), 0u);
  expect_readable(alive(), owner_);
  expect_clean();
}

}  // namespace
}  // namespace cb::repository
