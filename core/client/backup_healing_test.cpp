// SPDX-License-Identifier: Apache-2.0
//
// Damage in the server's packs, found by verification and healed by the next backup of the same
// files: real engine, real packs, real files.
#include "core/client/backup_fixture.h"
#include "core/repository/engine_fixture.h"
#include "core/repository/local_remote.h"
#include "core/repository/pack_scanner.h"

namespace cb::client {
namespace {

using repository::BlobId;
using repository::must;

class BackupHealingTest : public BackupFixture {
 protected:
  void SetUp() override {
    catalog::Account account;
    account.name = "account";
    must(house_.catalog().accounts().add_account(account));
    must(house_.engine().create(fresh_.record, account.name));
    connect_ = [this] { return local(); };
    for (unsigned i = 0; i < 200; ++i)
      write("s/" + std::to_string(100 + i), random_bytes(200 + 31 * i, i));
    // More than a node of the file list can hold, so that there are several wherever it is cut.
    for (unsigned i = 0; i < 1500; ++i)
      write("z/" + std::string(60, 'e') + "-" + std::to_string(i), {});
    write("m/big", random_bytes(600'000, 1000));
    write("m/many", random_bytes(5'000'000, 1001));  // more than 64 extents
  }

  Result<std::shared_ptr<repository::Remote>> local() {
    return repository::make_local_remote(house_.engine(), fresh_.record.id, parts().device);
  }
  repository::StoredBlob stored(const BlobId& id) override {
    repository::StoredBlob found;
    const auto remote = must(local());
    must(remote->get(std::span(&id, 1), [&](repository::StoredBlob blob) -> Status {
      found = std::move(blob);
      return {};
    }));
    return found;
  }

  // Flips a bit of a blob where it lies.
  void damage(const BlobId& id) {
    for (const std::string& name : house_.objects("v4/" + fresh_.record.id.hex() + "/pack/")) {
      auto pack = must(repository::StoredPack::open(house_.store(), name));
      for (const auto& entry : must(repository::read_footer(pack)).entries) {
        if (entry.id != id) continue;
        Bytes bytes = house_.object(name);
        bytes.at(entry.offset + repository::record_size(entry.child_count) + 9) ^= std::byte{16};
        house_.put_object(name, bytes);
        return;
      }
    }
    FAIL() << "no pack has " << id.hex();
  }
  repository::Verified verify() { return must(house_.engine().verify(fresh_.record.id, {}, {})); }
  void find_damage(const BlobId& id) {
    damage(id);
    const auto found = verify();
    ASSERT_EQ(found.newly_wanted, 1u);
    ASSERT_EQ(found.findings.size(), 1u);
    EXPECT_NE(found.findings[0].find(id.hex()), std::string::npos);
  }
  size_t wanted() { return must(must(local())->wanted({})).blobs.size(); }
  void expect_clean() {
    EXPECT_EQ(wanted(), 0u);
    const auto again = verify();
    for (const std::string& finding : again.findings) ADD_FAILURE() << finding;
    const auto checked = must(house_.engine().check(fresh_.record.id, true, {}));
    for (const std::string& finding : checked.findings) ADD_FAILURE() << finding;
  }
  BlobId first_blob(const BackupResult& result, const std::string& name) {
    return entry(result, name).extents.at(0).blob;
  }

  // The last leaf of the file list. (The first has the folder for temporary files, which others
  // change.)
  BlobId last_leaf(const BackupResult& result) {
    BlobId id = result.commit.root;
    while (must(nodes()(id)).level > 0) id = open(id).children.back();
    EXPECT_NE(id, result.commit.root);
    return id;
  }

  repository::EngineHouse house_;
};

TEST_F(BackupHealingTest, a_blob_that_small_files_share_is_made_again_of_all_of_them) {
  const BackupResult first = backup();
  const BlobId shared = first_blob(first, "s/150");
  find_damage(shared);
  const BackupResult second = backup();
  EXPECT_EQ(connections_, 2);
  EXPECT_GE(reads_.size(), 2u);
  EXPECT_LT(reads_.size(), 60u);  // only those that lie in it
  EXPECT_EQ(first_blob(second, "s/150"), shared);
  expect_clean();
  expect_equal(second);
  expect_equal(first);
}

TEST_F(BackupHealingTest, a_piece_of_a_big_file_is_read_and_cut_again) {
  const BackupResult first = backup();
  find_damage(entry(first, "m/big").extents.at(3).blob);
  const BackupResult second = backup();
  EXPECT_EQ(reads_.size(), 1u);
  expect_clean();
  expect_equal(first);
}

TEST_F(BackupHealingTest, so_is_one_of_a_file_with_a_tree_of_extents) {
  const BackupResult first = backup();
  const auto file = entry(first, "m/many");
  ASSERT_FALSE(file.extent_root.is_zero());
  find_damage(file.extent_root);
  backup();
  EXPECT_EQ(reads_.size(), 1u);
  expect_clean();
  expect_equal(first);
}

TEST_F(BackupHealingTest, a_node_is_sent_again_and_nothing_is_read) {
  const BackupResult first = backup();
  find_damage(last_leaf(first));
  backup();
  EXPECT_EQ(reads_.size(), 0u);
  expect_clean();
  expect_equal(first);
}

TEST_F(BackupHealingTest, a_shared_blob_whose_files_changed_is_replaced_for_the_present) {
  const BackupResult first = backup();
  const BlobId shared = first_blob(first, "s/150");
  find_damage(shared);
  write("s/150", as_bytes("now something else"));
  const BackupResult second = backup();
  expect_equal(second);
  EXPECT_NE(first_blob(second, "s/149"), shared);
  EXPECT_EQ(wanted(), 1u);  // the old snapshot lacks it for good
  const auto checked = must(house_.engine().check(fresh_.record.id, false, {}));
  ASSERT_EQ(checked.findings.size(), 1u);
  EXPECT_NE(checked.findings[0].find(shared.hex()), std::string::npos);
  EXPECT_NE(checked.findings[0].find(first.snapshot.hex()), std::string::npos);
  const BackupResult third = backup();
  EXPECT_EQ(third.counts.files_unchanged, 202u);  // and the present does not mind any more
  EXPECT_EQ(reads_.size(), 0u);
}

TEST_F(BackupHealingTest, several_at_once_heal_in_one_backup) {
  const BackupResult first = backup();
  for (const char* name : {"s/110", "s/170", "s/290"}) damage(first_blob(first, name));
  damage(entry(first, "m/big").extents.at(0).blob);
  damage(last_leaf(first));
  EXPECT_GE(verify().newly_wanted, 4u);
  backup();
  expect_clean();
  expect_equal(first);
}

TEST_F(BackupHealingTest, a_snapshot_itself_cannot_be_made_again_and_is_named) {
  const BackupResult first = backup();
  find_damage(first.snapshot);
  expect_equal(backup());
  EXPECT_EQ(wanted(), 1u);
  const auto checked = must(house_.engine().check(fresh_.record.id, false, {}));
  ASSERT_FALSE(checked.findings.empty());
  EXPECT_NE(checked.findings[0].find(first.snapshot.hex()), std::string::npos);
}

}  // namespace
}  // namespace cb::client
