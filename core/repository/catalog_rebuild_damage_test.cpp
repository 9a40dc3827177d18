// SPDX-License-Identifier: Apache-2.0
//
// A catalog made anew from a damaged store: what is wrong is told, and takes nothing else away.
#include "core/repository/catalog_rebuild_fixture.h"

namespace cb::repository {
namespace {

class CatalogRebuildDamage : public CatalogRebuild {};

INSTANTIATE_TEST_SUITE_P(Stores, CatalogRebuildDamage, testing::Values("store-fs", "store-sqlite"),
                         [](const auto& one) {
                           return std::string(one.param) == "store-fs" ? "fs" : "sqlite";
                         });

TEST_P(CatalogRebuildDamage, a_pack_without_a_footer_is_gone_through_by_its_records) {
  const TestSnapshot snapshot = make_snapshot(1, 5, 2000);
  commit(owner_, snapshot);
  const std::string name = pack_of(1);
  Bytes bytes = house_.object(name);
  bytes.resize(bytes.size() - 40);
  house_.put_object(name, bytes);
  expect_doubts(rebuild(), {name});
  expect_readable(snapshot);
  EXPECT_EQ(leans_on(owner_, snapshot), size(snapshot));
  EXPECT_EQ(must(engine().remove_leftovers()), 0u);
}

TEST_P(CatalogRebuildDamage, with_scan_damaged_blobs_are_left_out_and_may_be_sent_again) {
  const TestSnapshot snapshot = make_snapshot(1, 5, 2000);
  commit(owner_, snapshot);
  const std::string name = pack_of(1);
  Bytes bytes = house_.object(name);
  bytes[bytes.size() / 2] ^= std::byte{1};
  house_.put_object(name, bytes);
  expect_doubts(rebuild(), {});
  EXPECT_EQ(leans_on(owner_, snapshot), size(snapshot));
  expect_doubts(rebuild(true), {"has a damaged blob"});
  EXPECT_EQ(leans_on(owner_, snapshot), size(snapshot) - 1);
  put(owner_, snapshot);
  expect_readable(snapshot);
  // What came last is what counts next time.
  expect_doubts(rebuild(), {});
  expect_readable(snapshot);
}

TEST_P(CatalogRebuildDamage, an_unreadable_pack_is_told_and_kept) {
  const TestSnapshot snapshot = make_snapshot(1, 5, 2000);
  commit(owner_, snapshot);
  const std::string name = pack_of(2);
  house_.put_object(name, Bytes(500, std::byte{0xee}));
  const RebuiltRepository rebuilt = rebuild();
  EXPECT_GE(rebuilt.doubts.size(), 1u);
  EXPECT_NE(rebuilt.doubts.front().find(name), std::string::npos);
  EXPECT_EQ(rebuilt.snapshots, 1u);
  EXPECT_EQ(must(engine().remove_leftovers()), 0u);
  EXPECT_EQ(packs().size(), 2u);
  EXPECT_FALSE(must(engine().check(repository_, false, {})).findings.empty());
  // Sent again, all is well.
  put(owner_, snapshot);
  expect_readable(snapshot);
}

TEST_P(CatalogRebuildDamage, a_hole_in_the_chain_takes_no_other_snapshot_away) {
  for (const uint64_t number : {1, 2, 3}) commit(owner_, make_snapshot(number, 3, 500));
  must(house_.store().remove(commit_name(2)));
  expect_doubts(rebuild(), {"follows 1 lost records"});
  EXPECT_EQ(snapshots(true).size(), 2u);
  EXPECT_EQ(commit(owner_, make_snapshot(4, 3, 500)).sequence, 4u);
}

TEST_P(CatalogRebuildDamage, a_damaged_end_of_the_chain_is_set_aside_and_the_chain_goes_on) {
  for (const uint64_t number : {1, 2}) commit(owner_, make_snapshot(number, 3, 500));
  Bytes damaged = house_.object(commit_name(2));
  damaged[damaged.size() / 2] ^= std::byte{1};
  house_.put_object(commit_name(2), damaged);
  {
    const auto dry = must(try_rebuild(false, false, house_.server_key()));
    expect_doubts(dry.repositories.front(), {"is not signed by this server", "will be set aside"});
    EXPECT_EQ(house_.object(commit_name(2)), damaged);
  }
  expect_doubts(rebuild(), {"is not signed by this server", "was set aside"});
  EXPECT_EQ(house_.object(prefix_ + "set-aside/0000000000000002"), damaged);
  EXPECT_EQ(commit(owner_, make_snapshot(3, 3, 500)).sequence, 2u);
  expect_doubts(rebuild(), {});
  expect_whole();
}

TEST_P(CatalogRebuildDamage, another_servers_key_takes_no_commit_and_ends_it) {
  commit(owner_, make_snapshot(1, 3, 500));
  const Bytes record = house_.object(commit_name(1));
  const auto other = must(identity::SigningKey::make(os::system_random()));
  const auto rebuilt = try_rebuild(false, true, other.public_key());
  ASSERT_FALSE(rebuilt);
  EXPECT_EQ(rebuilt.error().code, Code::auth);
  EXPECT_NE(rebuilt.error().advice.find("signing.key"), std::string::npos);
  EXPECT_EQ(house_.object(commit_name(1)), record);
  expect_doubts(rebuild(), {});
}

TEST_P(CatalogRebuildDamage, a_strange_commit_stays_where_it_is_and_is_not_believed) {
  commit(owner_, make_snapshot(1, 3, 500));
  Bytes damaged = house_.object(commit_name(1));
  damaged.back() ^= std::byte{1};
  house_.put_object(commit_name(1), damaged);
  // Another repository's commits are this server's.
  const RepositoryId other = house_.create(2);
  CommitRecord signed_one = must(decode_commit(damaged));
  const std::array<std::byte, identity::kSeedSize> seed{std::byte{7}};
  const auto key = must(identity::SigningKey::from_seed(seed));
  signed_one.signature = must(key.sign(signed_part(signed_one, other)));
  house_.put_object(commit_object(other, 1), encode(signed_one));
  const Rebuilt rebuilt = must(try_rebuild(false, true, house_.server_key()));
  ASSERT_EQ(rebuilt.repositories.size(), 2u);
  EXPECT_EQ(house_.object(commit_name(1)), damaged);
  house_.close();
  must(catalog::replace_catalog_file((house_.folder() / "fresh.db").string(),
                                     house_.catalog_file()));
  must(house_.open());
  const auto head = engine().head(repository_);
  ASSERT_FALSE(head);
  EXPECT_EQ(head.error().code, Code::corrupt);
  EXPECT_EQ(must(engine().remove_leftovers()), 0u);
}

TEST_P(CatalogRebuildDamage, a_session_record_whose_signers_certificate_is_lost_is_kept) {
  const TestSnapshot snapshot = make_snapshot(1, 5, 2000);
  TestSnapshot unknown = snapshot;
  SessionRecord record = must(decode_session(snapshot.blobs.front().stored));
  record.device.bytes.fill(std::byte{0x72});
  unknown.blobs.front().stored = encode(record);
  unknown.blobs.front().head.stored_size =
      static_cast<uint32_t>(unknown.blobs.front().stored.size());
  commit(owner_, unknown);
  expect_doubts(rebuild(), {});
  const BlobId id = snapshot.blobs.front().head.id;
  const auto session = [&] {
    return must(read_all(engine(), repository_, std::span(&id, 1))).at(id).stored;
  };
  EXPECT_EQ(session(), unknown.blobs.front().stored);
}

TEST_P(CatalogRebuildDamage, a_pack_that_became_empty_keeps_no_server_from_starting) {
  const TestSnapshot snapshot = make_snapshot(1, 5, 2000);
  commit(owner_, snapshot);
  const std::string name = pack_of(2);
  house_.put_object(name, {});
  rebuild();
  EXPECT_EQ(must(engine().remove_leftovers()), 0u);
  EXPECT_EQ(packs().size(), 2u);
  // Nor does what a crash leaves beside a snapshot that is damaged.
  PackName other;
  other.bytes.fill(std::byte{0x73});
  house_.put_object(pack_object(repository_, other), Bytes(100, std::byte{1}));
  EXPECT_EQ(must(engine().remove_leftovers()), 0u);
  EXPECT_EQ(packs().size(), 3u);
}

TEST_P(CatalogRebuildDamage, a_missing_account_gets_a_name_that_says_so) {
  must(house_.store().remove(prefix_ + "account"));
  const RebuiltRepository rebuilt = rebuild();
  EXPECT_EQ(rebuilt.account, "rebuilt-" + repository_.hex());
  expect_doubts(rebuilt, {"account is missing"});
  // Nobody knows any more which ones the operator had turned away.
  const auto device = must(house_.catalog().accounts().device_by_id(writer_.device.bytes));
  ASSERT_TRUE(device);
  EXPECT_EQ(device->state, catalog::DeviceState::disabled);
}

TEST_P(CatalogRebuildDamage, a_repository_without_its_record_is_told_and_left_alone) {
  commit(owner_, make_snapshot(1, 5, 2000));
  const auto before = packs();
  must(house_.store().remove(prefix_ + "repository"));
  const Rebuilt rebuilt = must(try_rebuild(false, true, house_.server_key()));
  EXPECT_TRUE(rebuilt.repositories.empty());
  ASSERT_EQ(rebuilt.doubts.size(), 1u);
  EXPECT_NE(rebuilt.doubts.front().find("repository is missing or damaged"), std::string::npos);
  house_.close();
  must(catalog::replace_catalog_file((house_.folder() / "fresh.db").string(),
                                     house_.catalog_file()));
  must(house_.open());
  EXPECT_EQ(must(engine().remove_leftovers()), 0u);
  EXPECT_EQ(packs(), before);
}

TEST_P(CatalogRebuildDamage,
       where_packs_have_no_whole_record_of_a_session_the_replaced_one_is_taken) {
  const TestSnapshot snapshot = make_snapshot(1, 5, 2000);
  commit(owner_, snapshot);
  const SessionId session = session_of(1);
  SessionRecord replaced;
  replaced.epoch = 2;
  replaced.kem_cipher = Bytes(48, std::byte{1});
  replaced.wrapped = Bytes(48, std::byte{2});
  replaced.signature = must(root_.sign(signed_part(replaced, repository_, session)));
  house_.put_object(prefix_ + "session/" + session.hex(), encode(replaced));
  for (const std::string& name : packs()) {
    Bytes bytes = house_.object(name);
    bytes.at(kPackHeaderSize + record_size(0) + 9) ^= std::byte{1};
    house_.put_object(name, bytes);
  }
  // A scan leaves the damaged records out, and a footer does not tell.
  for (const bool scan : {false, true}) {
    const RebuiltRepository rebuilt = rebuild(scan);
    EXPECT_EQ(rebuilt.doubts.size(), 2u);
    for (const std::string& doubt : rebuilt.doubts) EXPECT_EQ(doubt.find("/session/"), doubt.npos);
    const BlobId record = snapshot.blobs.front().head.id;
    const auto found = must(read_all(engine(), repository_, ids_of(snapshot.blobs)));
    EXPECT_EQ(found.size(), snapshot.blobs.size());
    ASSERT_TRUE(found.contains(record));
    EXPECT_EQ(found.at(record).stored, encode(replaced));
  }
  // One of another session tells nothing.
  replaced.signature = must(root_.sign(signed_part(replaced, repository_, session_of(2))));
  house_.put_object(prefix_ + "session/" + session.hex(), encode(replaced));
  rebuild(true);
  const BlobId record = snapshot.blobs.front().head.id;
  const auto found = read_all(engine(), repository_, std::span(&record, 1));
  EXPECT_FALSE(found && found->contains(record));
}

}  // namespace
}  // namespace cb::repository
