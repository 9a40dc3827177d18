// SPDX-License-Identifier: Apache-2.0
//
// A list of snapshots some of which are damaged: the others are shown, and these are named.
#include "hosts/cyberbackup/snapshot_listing.h"

#include "core/client/snapshot_fixture.h"

namespace cb {
namespace {

using repository::BlobId;

class SnapshotListing : public client::SnapshotFixture {
 protected:
  SnapshotListing() {
    for (const char* name : {"one", "two", "three"}) {
      new_session();
      records_.push_back(sealer_->record().head.id);
      snapshot(tree({file(name, name)}));
    }
    forget_keys();
  }

  [[nodiscard]] BlobId id(size_t which) const { return remote_->list.at(which).commit.snapshot; }
  SnapshotInsides open() { return must(open_snapshots(*remote_, *opener_, remote_->list)); }
  // All but this one open.
  void expect_failed(size_t which, Code code) {
    const SnapshotInsides insides = open();
    EXPECT_EQ(insides.records.size(), 2u);
    ASSERT_EQ(insides.failures.size(), 1u);
    EXPECT_EQ(insides.failures.begin()->first, id(which));
    EXPECT_EQ(insides.failures.begin()->second.code, code);
    EXPECT_EQ(tell_unopened({}, insides), report::ExitCode::failed);
    const std::string table = table_of(remote_->list, insides);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_NE(table.find(short_id(id(i))), std::string::npos);
      const report::Json json = json_of(remote_->list[i], insides);
      EXPECT_EQ(json.contains("error"), i == which);
      EXPECT_EQ(json.contains("host"), i != which);
    }
  }

  std::vector<BlobId> records_;
};

TEST_F(SnapshotListing, opens_all_that_are_whole) {
  const SnapshotInsides insides = open();
  EXPECT_EQ(insides.records.size(), 3u);
  EXPECT_TRUE(insides.failures.empty());
  EXPECT_EQ(tell_unopened({}, insides), report::ExitCode::done);
}

TEST_F(SnapshotListing, one_that_cannot_be_read_hides_no_other) {
  remote_->unreadable.insert(id(0));
  expect_failed(0, Code::corrupt);
}

TEST_F(SnapshotListing, one_that_is_missing_hides_no_other) {
  remote_->blobs.erase(id(1));
  expect_failed(1, Code::not_found);
}

TEST_F(SnapshotListing, one_that_does_not_open_hides_no_other) {
  damage(id(2));
  expect_failed(2, Code::auth);
}

TEST_F(SnapshotListing, one_whose_session_record_cannot_be_read_hides_no_other) {
  remote_->unreadable.insert(records_[1]);
  expect_failed(1, Code::corrupt);
}

TEST_F(SnapshotListing, one_whose_session_record_is_nonsense_hides_no_other) {
  remote_->blobs.at(records_[0]).stored.resize(10);
  expect_failed(0, Code::corrupt);
}

TEST_F(SnapshotListing, a_connection_that_was_cut_ends_it) {
  remote_->gets_until_closed = 2;
  const auto insides = open_snapshots(*remote_, *opener_, remote_->list);
  ASSERT_FALSE(insides);
  EXPECT_EQ(insides.error().code, Code::closed);
}

}  // namespace
}  // namespace cb
