// SPDX-License-Identifier: Apache-2.0
//
// Signatures and recipes: they live as long as what they describe, and nothing depends on them.
#include "core/repository/collection_fixture.h"

namespace cb::repository {
namespace {

constexpr std::chrono::hours kHour{1};
constexpr uint64_t kNobodys = 77'777;  // a piece that was never sent

// A snapshot, with a signature of each piece behind it.
TestSnapshot make_signed(const std::set<uint64_t>& pieces, uint64_t session) {
  TestSnapshot made = make_tree(pieces, session);
  for (const uint64_t piece : pieces) made.blobs.push_back(signature_of(piece));
  return made;
}

class WeakBlobs : public Collecting {
 protected:
  void put(const Viewer& viewer, std::initializer_list<StoredBlob> blobs) {
    const auto intake = must(engine().begin(repository_, viewer, false));
    for (const StoredBlob& blob : blobs) must(put_blob(*intake, blob));
    must(intake->flush());
  }
  std::vector<BlobId> told(const Viewer& viewer) {
    return must(engine().signatures(repository_, viewer, 0, 4096)).ids;
  }
  // Is a device told of it?
  bool tells(const Viewer& viewer, const StoredBlob& blob) {
    const auto ids = told(viewer);
    return std::find(ids.begin(), ids.end(), blob.head.id) != ids.end();
  }
  // How many rows the catalog has of it, condemned ones too.
  size_t rows(const BlobId& id) {
    size_t count = 0;
    const std::array<catalog::Bytes32, 1> ids = {id.bytes};
    const int64_t number = must(house_.catalog().index().repository(repository_.bytes))->number;
    must(house_.catalog().collection().rows_of(number, ids, [&](const auto&) { ++count; }));
    return count;
  }
  size_t rows(const StoredBlob& blob) { return rows(blob.head.id); }
  // Two days later: condemned, and an hour later deleted.
  void collect_all() {
    advance(2 * kDay);
    collect();
    advance(kHour);
    collect();
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, WeakBlobs, testing::Values("store-fs", "store-sqlite"),
                         store_name);

TEST_P(WeakBlobs, a_signature_lives_as_long_as_its_data_and_goes_with_it) {
  const TestSnapshot old = make_signed({1, 2, 3, 4, 5, 6}, 1);
  back_up(owner_, old);
  back_up(owner_, make_signed({1, 2, 3, 4, 9}, 2));
  EXPECT_EQ(told(owner_).size(), 7u);
  advance(2 * kDay);
  EXPECT_EQ(collect().dead, 0u);
  remove(old);
  const auto first = collect();
  // Two pieces with their signatures, a node, the root, the snapshot: as without signatures, and 2.
  EXPECT_EQ(first.dead, 7u);
  EXPECT_EQ(first.condemned, first.dead);
  for (const uint64_t piece : {1, 2, 3, 4, 9}) EXPECT_TRUE(tells(owner_, signature_of(piece)));
  for (const uint64_t piece : {5, 6}) EXPECT_FALSE(tells(owner_, signature_of(piece)));
  advance(kHour);
  EXPECT_EQ(collect().deleted, first.dead);
  for (const uint64_t piece : {5, 6}) {
    EXPECT_EQ(rows(data_id(piece)), 0u);
    EXPECT_EQ(rows(signature_of(piece)), 0u);
  }
  expect_clean();
  EXPECT_EQ(collect().dead, 0u);
}

TEST_P(WeakBlobs, it_keeps_nothing_alive_old_or_young) {
  const TestSnapshot old = make_signed({1, 2, 3}, 1);
  back_up(owner_, old);
  back_up(owner_, make_signed({7, 8}, 2));
  remove(old);
  advance(2 * kDay);
  // Another signature and a recipe of what is dead, both young.
  put(owner_, {signature_of(1, 5), recipe_of({1, 7})});
  collect();
  advance(kHour);
  collect();
  for (const uint64_t piece : {1, 2, 3}) EXPECT_EQ(rows(data_id(piece)), 0u);
  EXPECT_EQ(rows(signature_of(2)), 0u);
  EXPECT_EQ(rows(signature_of(1, 5)), 1u) << "it is young";
  collect_all();
  EXPECT_EQ(rows(signature_of(1, 5)), 0u);
  EXPECT_EQ(rows(recipe_of({1, 7})), 0u);
  EXPECT_TRUE(tells(owner_, signature_of(7)));
  expect_clean();
}

TEST_P(WeakBlobs, a_recipe_lives_as_long_as_all_of_its_data) {
  const TestSnapshot one = make_tree({1, 2, 3}, 1);
  const TestSnapshot other = make_tree({11, 12}, 2);
  back_up(owner_, one);
  back_up(owner_, other);
  const StoredBlob both = recipe_of({1, 2, 11}, 1);
  const StoredBlob first = recipe_of({1, 3, 3}, 2);
  put(owner_, {both, first});
  collect_all();
  EXPECT_TRUE(tells(owner_, both));
  remove(other);
  collect_all();
  EXPECT_EQ(rows(both), 0u);
  EXPECT_TRUE(tells(owner_, first));
  expect_readable(one, owner_);
}

TEST_P(WeakBlobs, what_describes_nothing_or_no_data_goes_when_it_is_old) {
  const TestSnapshot tree = make_tree({1, 2}, 1);
  back_up(owner_, tree);
  const StoredBlob none = signature_of(kNobodys);
  StoredBlob of_node = signature_of(1, 1);
  of_node.head.children = {tree.request.root};
  StoredBlob of_itself = signature_of(1, 2);
  of_itself.head.children = {of_itself.head.id};
  StoredBlob of_other = signature_of(1, 3);
  of_other.head.children = {signature_of(1).head.id};
  put(owner_, {none, of_node, of_itself, of_other, signature_of(1)});
  EXPECT_EQ(told(owner_).size(), 5u);
  collect_all();
  EXPECT_EQ(told(owner_), std::vector<BlobId>{signature_of(1).head.id});
}

TEST_P(WeakBlobs, no_commit_needs_one_and_none_can) {
  TestSnapshot tree = make_tree({1, 2}, 1);
  put(owner_, {signature_of(1)});
  StoredBlob& root = tree.blobs[tree.blobs.size() - 2];
  ASSERT_EQ(root.head.id, tree.request.root);
  root.head.children.push_back(signature_of(1).head.id);
  const auto intake = must(engine().begin(repository_, owner_, false));
  send(*intake, tree);
  EXPECT_EQ(commit(*intake, tree), std::vector<BlobId>{signature_of(1).head.id});
}

TEST_P(WeakBlobs, a_node_that_names_one_does_not_keep_it) {
  const TestSnapshot old = make_signed({1}, 1);
  back_up(owner_, old);
  remove(old);
  advance(2 * kDay);
  put(owner_, {session_record(3), make_blob(BlobKind::node, 9, 100, {signature_of(1).head.id}, 3)});
  collect();
  advance(kHour);
  collect();
  EXPECT_EQ(rows(data_id(1)), 0u);
  EXPECT_EQ(rows(signature_of(1)), 0u);
}

TEST_P(WeakBlobs, signature_and_data_may_come_in_any_order_and_twice) {
  put(owner_, {signature_of(1), signature_of(1)});
  put(owner_, {signature_of(1)});
  EXPECT_EQ(rows(signature_of(1)), 1u);
  back_up(owner_, make_signed({1, 2}, 1));
  EXPECT_EQ(told(owner_).size(), 2u);
  collect_all();
  EXPECT_EQ(told(owner_).size(), 2u);
  expect_clean();
}

TEST_P(WeakBlobs, one_without_its_data_has_a_day) {
  put(owner_, {signature_of(1)});
  advance(kHour * 20);
  EXPECT_EQ(collect({}).blobs, 0u);
  back_up(owner_, make_tree({1}, 1));
  advance(kHour * 20);
  collect({});
  EXPECT_TRUE(tells(owner_, signature_of(1))) << "its data is young";
  advance(2 * kDay);
  collect({});
  EXPECT_TRUE(tells(owner_, signature_of(1)));
}

TEST_P(WeakBlobs, a_device_keeps_nothing_of_others_with_one_and_learns_nothing) {
  const TestSnapshot others = make_tree({1, 2}, 1);
  const TestSnapshot owners = make_tree({5, 6}, 2);
  const TestSnapshot own = make_tree({8, 9}, 3);
  back_up(sharer_, others);
  back_up(owner_, owners);
  back_up(writer_, own);
  put(writer_, {signature_of(1), signature_of(kNobodys), signature_of(5), signature_of(8)});
  collect_all();
  // Of another's data it goes as if there was none.
  EXPECT_EQ(rows(signature_of(1)), 0u);
  EXPECT_EQ(rows(signature_of(kNobodys)), 0u);
  EXPECT_TRUE(tells(writer_, signature_of(5)));
  EXPECT_TRUE(tells(writer_, signature_of(8)));
  expect_readable(others, sharer_);
  put(writer_, {signature_of(2)});
  remove(others);
  remove(owners);
  collect_all();
  EXPECT_EQ(rows(data_id(2)), 0u) << "a signature kept another device's data";
  EXPECT_EQ(rows(data_id(5)), 0u);
  EXPECT_EQ(rows(signature_of(5)), 0u);
  EXPECT_TRUE(tells(writer_, signature_of(8)));
}

// A copy stays while any snapshot needs its id, condemned as it may be; its signature does not.
TEST_P(WeakBlobs, it_goes_with_the_copy_that_it_describes_though_another_lives) {
  const TestSnapshot owners = make_signed({1, 2}, 1);
  back_up(owner_, owners);
  remove(owners);
  advance(2 * kDay);
  collect();
  const TestSnapshot writers = make_signed({1, 2}, 2);
  back_up(writer_, writers);  // the open copies are condemned
  collect_all();
  EXPECT_TRUE(told(owner_).empty());
  EXPECT_EQ(told(writer_).size(), 2u);
  EXPECT_EQ(rows(signature_of(1)), 1u);
  expect_readable(writers, writer_);
}

TEST_P(WeakBlobs, an_owners_verdict_opens_data_up_and_no_signature) {
  const TestSnapshot signed_tree = make_signed({1, 2}, 1);
  back_up(writer_, signed_tree);
  for (const BlobCopy& copy : must(engine().copies(repository_, 0, 99)).copies)
    EXPECT_FALSE(is_weak(copy.kind));
  must(engine().verified(repository_, writer_, ids_of(signed_tree.blobs), false));
  EXPECT_EQ(lacking(owner_, signed_tree), 2u) << "the signatures";
  EXPECT_TRUE(told(owner_).empty());
  EXPECT_EQ(told(writer_).size(), 2u);
  collect_all();
  EXPECT_EQ(told(writer_).size(), 2u) << "what they describe is open";
  remove(signed_tree);
  collect_all();
  EXPECT_TRUE(told(writer_).empty());
}

// The ids of data can be known before: a device that has them must not keep others of its domain
// from sending the data.
TEST_P(WeakBlobs, one_under_the_id_of_data_is_in_nobodys_way) {
  const Viewer fellow = house_.add_device(7, Role::writer, true);
  StoredBlob false_data = signature_of(kNobodys);
  false_data.head.id = data_id(1);
  put(fellow, {false_data});
  const TestSnapshot tree = make_tree({1, 2}, 1);
  const auto intake = must(engine().begin(repository_, sharer_, false));
  send(*intake, tree);  // it is not told that the data is there, so it comes
  ASSERT_TRUE(commit(*intake, tree).empty());
  expect_readable(tree, sharer_);
  put(fellow, {false_data});
  collect_all();
  expect_readable(tree, sharer_);
  expect_clean();
}

TEST_P(WeakBlobs, a_backup_that_leans_on_dying_data_while_it_is_collected_keeps_the_signature) {
  uint64_t at = 0;
  for (;; ++at) {
    SCOPED_TRACE(at);
    const TestSnapshot old = make_signed({1, 2, 3, 4, 5, 6}, 100 + 2 * at);
    const TestSnapshot again = make_tree({1, 2, 3, 4, 5, 6}, 101 + 2 * at);
    back_up(owner_, old);
    remove(old);
    advance(2 * kDay);
    uint64_t now = 0;
    collect({}, [&](uint64_t, uint64_t) {
      if (now++ == at) back_up(owner_, again);
      return true;
    });
    if (now <= at) break;  // it has no more steps
    collect_all();
    size_t living = 0;
    for (const uint64_t piece : {1, 2, 3, 4, 5, 6}) {
      EXPECT_EQ(rows(data_id(piece)), 1u);
      living += tells(owner_, signature_of(piece)) ? 1 : 0;
    }
    // Before the data was condemned it and the signatures stay; then both went, and the data came
    // again.
    EXPECT_TRUE(living == 6 || (living == 0 && at > 0)) << living;
    expect_readable(again, owner_);
    remove(again);
    collect_all();
    EXPECT_TRUE(told(owner_).empty());
  }
  EXPECT_GT(at, 5u);
}

TEST_P(WeakBlobs, a_condemned_one_comes_back_with_its_data) {
  const TestSnapshot old = make_signed({1, 2}, 1);
  back_up(owner_, old);
  remove(old);
  advance(2 * kDay);
  EXPECT_EQ(collect().condemned, old.blobs.size());
  EXPECT_TRUE(told(owner_).empty());
  // The data alone is sent again.
  back_up(owner_, make_tree({1}, 2));
  advance(kHour);
  collect();
  EXPECT_TRUE(tells(owner_, signature_of(1)));
  EXPECT_EQ(rows(signature_of(2)), 0u);
  collect_all();
  EXPECT_EQ(told(owner_).size(), 1u);
  expect_clean();
}

TEST_P(WeakBlobs, compaction_takes_them_along) {
  const TestSnapshot old = make_signed({1, 2, 3, 4, 5, 6, 7, 8}, 1);
  const TestSnapshot kept = make_signed({1, 9}, 2);
  back_up(owner_, old);
  back_up(owner_, kept);
  back_up(writer_, make_signed({21, 22}, 3));
  remove(old);
  collect_all();
  const auto before = told(owner_);
  const auto writers = told(writer_);
  EXPECT_GT(compact().blobs, 0u);
  EXPECT_EQ(told(owner_), before);
  EXPECT_EQ(told(writer_), writers);
  collect_all();
  collect_all();
  EXPECT_EQ(told(owner_), before);
  expect_readable(kept, owner_);
  expect_clean();
  remove(kept);
  // New packs again and again do not keep what a signature in them describes.
  for (int round = 0; round < 3; ++round) {
    put(owner_, {signature_of(1, 1 + static_cast<uint64_t>(round))});
    collect({});
    compact();
    advance(kDay / 2);
  }
  collect_all();
  EXPECT_EQ(rows(data_id(1)), 0u);
  collect_all();
  EXPECT_TRUE(told(owner_).empty());
}

TEST_P(WeakBlobs, they_count_as_what_is_stored) {
  back_up(owner_, make_tree({1, 2}, 1));
  const auto before = must(engine().counts(repository_));
  put(owner_, {signature_of(1), signature_of(2)});
  const auto after = must(engine().counts(repository_));
  EXPECT_EQ(after.blobs, before.blobs + 2);
  EXPECT_GT(after.stored_bytes, before.stored_bytes + signature_of(1).stored.size());
}

}  // namespace
}  // namespace cb::repository
