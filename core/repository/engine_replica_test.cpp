// SPDX-License-Identifier: Apache-2.0
#include "core/repository/engine_replica.h"

#include <algorithm>

#include "core/repository/replica_fixture.h"

namespace cb::repository {
namespace {

class Copy : public ReplicaFixture {};

TEST_F(Copy, has_the_chain_of_its_source_record_for_record) {
  const TestSnapshot first = back_up(1, *owner_);
  const TestSnapshot second = back_up(2, *writer_);
  must(source_.engine().forget(record_.id, first.request.snapshot, owner_->viewer.device));
  bring(first, owner_->viewer);
  bring(second, writer_->viewer);
  follow();
  for (const uint64_t sequence : {1, 2, 3})
    EXPECT_EQ(must(copy_.engine().commits(record_.id, sequence, 1)).at(0), record_of(sequence));
  EXPECT_EQ(must(copy_.engine().head(record_.id)).hash,
            must(source_.engine().head(record_.id)).hash);
  EXPECT_EQ(listed(), "1 kept in trash, 2 here");
  EXPECT_EQ(listed(false, false), "2 here");
  expect_readable(first, owner_->viewer);
  expect_readable(second, writer_->viewer);
  copy_.reopen();
  EXPECT_EQ(listed(), "1 kept in trash, 2 here");
  EXPECT_TRUE(must(copy_.engine().check(record_.id, true, {})).findings.empty());
}

TEST_F(Copy, takes_a_snapshot_only_when_all_below_it_is_there) {
  const TestSnapshot first = back_up(1, *owner_);
  const auto missing = must(take(1));
  EXPECT_EQ(missing.size(), 2U) << "the snapshot and its root";
  EXPECT_EQ(must(copy_.engine().head(record_.id)).sequence, 0U);
  bring(first, owner_->viewer);
  EXPECT_TRUE(must(take(1)).empty());
}

// Nobody may store anything.
class Refusal final : public Quota {
 public:
  Status take(const QuotaKey&, uint64_t) override {
    return failed(Code::limit, "account alice", "is full");
  }
  void settle(const QuotaKey&, uint64_t, uint64_t) override {}
};

TEST_F(Copy, takes_from_its_source_what_a_quota_refuses_to_others) {
  Refusal refusal;
  copy_.set_quota([&refusal](catalog::Catalog&) { return &refusal; });
  const TestSnapshot first = back_up(1, *owner_);
  bring(first, owner_->viewer);
  follow();
  expect_readable(first, owner_->viewer);
  std::optional<Code> refused;
  {
    const auto others = must(copy_.engine().begin(record_.id, owner_->viewer, false));
    for (const StoredBlob& blob : make(2, *owner_).blobs)
      if (!refused) refused = code_of(put_blob(*others, blob));
  }
  EXPECT_EQ(refused, Code::limit);
  copy_.close();
}

TEST_F(Copy, takes_no_leaning_on_what_another_device_put) {
  const TestSnapshot first = back_up(1, *owner_);
  bring(first, writer_->viewer);
  EXPECT_FALSE(must(take(1)).empty());
}

TEST_F(Copy, goes_on_without_a_snapshot_that_is_not_to_be_had_and_takes_it_later) {
  const TestSnapshot first = back_up(1, *owner_);
  must(source_.engine().forget(record_.id, first.request.snapshot, owner_->viewer.device));
  EXPECT_TRUE(must(take(1, Presence::absent)).empty());
  EXPECT_EQ(listed(), "1 absent");
  EXPECT_TRUE(must(take(2)).empty());
  EXPECT_EQ(listed(), "1 absent in trash");
  copy_.reopen();
  const auto absent = must(copies().absent(record_.id));
  ASSERT_EQ(absent.size(), 1U);
  EXPECT_EQ(absent[0].root, first.request.root);
  EXPECT_EQ(absent[0].device, owner_->viewer.device);
  EXPECT_FALSE(must(copies().bring(record_.id, first.request.snapshot)).empty());
  bring(first, owner_->viewer);
  EXPECT_TRUE(must(copies().bring(record_.id, first.request.snapshot)).empty());
  EXPECT_EQ(listed(), "1 kept in trash");
  EXPECT_EQ(listed(true, false), "1 here in trash");
  EXPECT_TRUE(must(copies().absent(record_.id)).empty());
}

TEST_F(Copy, refuses_records_that_do_not_follow_or_that_another_server_signed) {
  const TestSnapshot first = back_up(1, *owner_);
  back_up(2, *owner_);
  bring(first, owner_->viewer);
  EXPECT_EQ(code_of(take(2, Presence::absent)), Code::corrupt);
  CommitRecord forged = must(decode_commit(record_of(1)));
  forged.time_ns += 1;
  forged.signature = must(root_.sign(signed_part(forged, record_.id)));
  EXPECT_EQ(code_of(copies().take_commit(record_.id, encode(forged), Presence::here)),
            Code::corrupt);
  EXPECT_EQ(must(copy_.engine().head(record_.id)).sequence, 0U);
  EXPECT_TRUE(copy_.objects("v4/" + record_.id.hex() + "/commit/").empty());
}

TEST_F(Copy, refuses_commits_of_devices_that_may_not_make_them) {
  const Device stranger = add_device(Role::writer, false);
  back_up(1, stranger);
  EXPECT_EQ(code_of(take(1, Presence::absent)), Code::auth);
  TestSnapshot unsigned_one = make(2, *owner_);
  unsigned_one.request.device_signature[0] ^= std::byte{1};
  CommitRecord commit = must(decode_commit(record_of(1)));
  commit.device = owner_->viewer.device;
  EXPECT_EQ(code_of(copies().take_commit(record_.id, encode(commit), Presence::absent)),
            Code::auth);
  const Device reader = add_device(Role::reader);
  commit.device = reader.viewer.device;
  EXPECT_EQ(code_of(copies().take_commit(record_.id, encode(commit), Presence::absent)),
            Code::denied);
}

TEST_F(Copy, refuses_commits_of_a_device_that_was_revoked_before) {
  const TestSnapshot first = back_up(1, *writer_);
  RepositoryRecord next = record_;
  next.revision = 2;
  Revocation revoked;
  revoked.id.bytes = writer_->viewer.device.bytes;
  revoked.since = 1;
  next.revoked = {revoked};
  must(sign_record(next, root_));
  must(copies().take_record(next, {slot_}));
  bring(first, writer_->viewer);
  EXPECT_EQ(code_of(take(1)), Code::denied);
}

TEST_F(Copy, takes_newer_records_of_its_owner_and_no_others) {
  RepositoryRecord next = record_;
  next.revision = 5;  // some revisions were missed
  next.epochs.push_back({2, Bytes(32, std::byte{2})});
  must(sign_record(next, root_));
  must(copies().take_record(next, {slot_}));
  EXPECT_EQ(must(copy_.engine().record(record_.id)).revision, 5U);
  // The same record with one slot more: an owner added a passphrase.
  const KeySlot other = make_slot(6);
  must(copies().take_record(next, {slot_, other}));
  EXPECT_EQ(must(copy_.engine().slots(record_.id)).size(), 2U);
  EXPECT_EQ(code_of(copies().take_record(record_, {slot_})), Code::denied);
  RepositoryRecord twin = next;
  twin.created_ns += 1;
  must(sign_record(twin, root_));
  EXPECT_EQ(code_of(copies().take_record(twin, {slot_})), Code::denied);
  RepositoryRecord lacking = next;
  lacking.revision = 6;
  lacking.epochs.pop_back();
  must(sign_record(lacking, root_));
  EXPECT_EQ(code_of(copies().take_record(lacking, {slot_})), Code::denied);
  RepositoryRecord stolen = next;
  stolen.revision = 6;
  must(sign_record(stolen, must(identity::SigningKey::make(os::system_random()))));
  EXPECT_EQ(code_of(copies().take_record(stolen, {slot_})), Code::auth);
  EXPECT_EQ(must(copy_.engine().slots(record_.id)), (std::vector<KeySlot>{slot_, other}));
}

TEST_F(Copy, loses_no_key_slot_that_no_owner_revoked) {
  KeySlot spoilt = slot_;
  spoilt.sealed[0] ^= std::byte{1};
  const std::vector<KeySlot> before = {slot_};
  const auto expect_kept = [&](std::vector<KeySlot> slots, Code code) {
    EXPECT_EQ(code_of(copies().take_record(record_, slots)), code);
    EXPECT_EQ(must(copy_.engine().slots(record_.id)), before);
  };
  expect_kept({spoilt}, Code::denied);
  expect_kept({slot_, spoilt}, Code::corrupt);
  KeySlot forged = make_slot(6);
  forged.signature[0] ^= std::byte{1};
  expect_kept({slot_, forged}, Code::auth);
  KeySlot another_pair = make_slot(6);
  another_pair.id = slot_.id;
  another_pair.signature = must(root_.sign(signed_part(another_pair, record_.id)));
  next_record();
  expect_kept({another_pair}, Code::denied);
  EXPECT_EQ(must(copy_.engine().record(record_.id)).revision, 1U);
  // One that the source has lost, or hides, is here still; it goes on copying.
  const KeySlot other = make_slot(6);
  must(copies().take_record(record_, {other}));
  EXPECT_EQ(must(copy_.engine().slots(record_.id)), (std::vector<KeySlot>{slot_, other}));
}

TEST_F(Copy, takes_slots_that_a_rotation_sealed_anew_and_lets_go_what_it_revoked) {
  const KeySlot other = make_slot(6);
  KeySlot sealed = slot_;
  sealed.sealed[0] ^= std::byte{1};
  must(copies().take_record(record_, {slot_, other}));
  next_record();
  must(copies().take_record(record_, {sealed, other}));
  Revocation revoked;
  revoked.id.bytes = other.id.bytes;
  next_record({revoked});
  must(copies().take_record(record_, {sealed}));
  EXPECT_EQ(must(copy_.engine().slots(record_.id)), std::vector<KeySlot>{sealed});
}

// Nobody signed one of the first format, so it goes as at the source: when another opens.
TEST_F(Copy, lets_a_slot_of_the_first_format_go_while_a_signed_one_stays) {
  KeySlot first;
  first.id.bytes.fill(std::byte{6});
  first.sealed = Bytes(40);
  must(copies().take_record(record_, {slot_, first}));
  KeySlot spoilt = first;
  spoilt.sealed[0] ^= std::byte{1};
  EXPECT_EQ(code_of(copies().take_record(record_, {slot_, spoilt})), Code::denied);
  must(copies().take_record(record_, {slot_}));
  EXPECT_EQ(must(copy_.engine().slots(record_.id)), std::vector<KeySlot>{slot_});
}

TEST_F(Copy, takes_no_commit_that_is_older_than_the_one_before) {
  back_up(1, *owner_);
  back_up(2, *owner_);
  const auto dated = [&](uint64_t sequence, int64_t time_ns) {
    CommitRecord commit = must(decode_commit(record_of(sequence)));
    commit.time_ns = time_ns;
    return code_of(copies().take_commit(record_.id, encode(commit), Presence::absent));
  };
  EXPECT_TRUE(must(take(1, Presence::absent)).empty());
  EXPECT_EQ(dated(2, must(decode_commit(record_of(1))).time_ns - 1), Code::denied);
  EXPECT_TRUE(must(take(2, Presence::absent)).empty());
}

TEST_F(Copy, is_changed_by_nobody_else) {
  const TestSnapshot first = back_up(1, *owner_);
  bring(first, owner_->viewer);
  follow();
  const TestSnapshot another = make(2, *owner_);
  const auto intake = must(copy_.engine().begin(record_.id, owner_->viewer, false));
  for (const StoredBlob& blob : another.blobs) must(put_blob(*intake, blob));
  EXPECT_EQ(code_of(intake->commit(another.request)), Code::denied);
  EXPECT_EQ(code_of(copy_.engine().forget(record_.id, first.request.snapshot, {})), Code::denied);
  EXPECT_EQ(must(copy_.engine().head(record_.id)).sequence, 1U);
  EXPECT_EQ(code_of(source_.engine().replicas().drop(record_.id, first.request.snapshot)),
            Code::denied)
      << "the source's own repository is no copy";
}

TEST_F(Copy, keeps_what_the_source_removes_until_it_is_told_to_follow) {
  const TestSnapshot first = back_up(1, *owner_);
  const TestSnapshot second = back_up(2, *owner_);
  bring(first, owner_->viewer);
  bring(second, owner_->viewer);
  must(source_.engine().forget(record_.id, first.request.snapshot, owner_->viewer.device));
  must(source_.engine().remove(record_.id, first.request.snapshot));
  follow();
  EXPECT_EQ(listed(), "1 kept in trash, 2 here");
  EXPECT_EQ(listed(true, false), "2 here") << "that is what the chain says";
  expect_readable(first, owner_->viewer);
  EXPECT_EQ(must(copies().drop_removed(record_.id)), 1U);
  origin_.keeps_removed = false;
  must(copies().set_origin(record_.id, origin_));
  EXPECT_EQ(listed(), "2 here");
  must(source_.engine().forget(record_.id, second.request.snapshot, owner_->viewer.device));
  must(source_.engine().remove(record_.id, second.request.snapshot));
  follow();
  EXPECT_EQ(listed(), "");
}

TEST_F(Copy, lists_what_it_dropped_itself_as_absent_and_does_not_want_it_again) {
  const TestSnapshot first = back_up(1, *owner_);
  bring(first, owner_->viewer);
  follow();
  must(copies().drop(record_.id, first.request.snapshot));
  EXPECT_EQ(listed(), "1 absent");
  EXPECT_TRUE(must(copies().absent(record_.id)).empty());
  EXPECT_EQ(code_of(copies().drop(record_.id, first.request.snapshot)), Code::not_found);
  copy_.reopen();
  EXPECT_EQ(listed(), "1 absent");
  must(source_.engine().forget(record_.id, first.request.snapshot, owner_->viewer.device));
  must(source_.engine().remove(record_.id, first.request.snapshot));
  follow();
  EXPECT_EQ(listed(), "");
}

TEST_F(Copy, refuses_to_become_the_copy_of_a_server_with_another_key) {
  Origin other = origin_;
  other.server_key = root_.public_key();
  EXPECT_EQ(code_of(copies().set_origin(record_.id, other)), Code::denied);
  other = origin_;
  other.source = "new name";
  must(copies().set_origin(record_.id, other));
  EXPECT_EQ(must(copies().origin(record_.id))->source, "new name");
  EXPECT_EQ(code_of(copies().begin(record_, "alice", origin_)), Code::exists);
  EXPECT_FALSE(must(source_.engine().replicas().origin(record_.id)));
}

// A crash between the store and the catalog.
TEST_F(Copy, whose_catalog_missed_a_record_does_with_it_what_was_begun) {
  const TestSnapshot first = back_up(1, *owner_);
  must(copy_.catalog().replication().set_absent(
      must(copy_.catalog().index().repository(record_.id.bytes))->number,
      {first.request.snapshot.bytes, false, false}));
  const std::string prefix = "v4/" + record_.id.hex() + "/commit/";
  copy_.put_object(source_.objects(prefix).at(0), record_of(1));
  copy_.reopen();
  EXPECT_EQ(must(copy_.engine().head(record_.id)).sequence, 1U);
  EXPECT_EQ(listed(), "1 absent");
  must(source_.engine().forget(record_.id, first.request.snapshot, owner_->viewer.device));
  EXPECT_TRUE(must(take(2)).empty());
  EXPECT_EQ(listed(), "1 absent in trash");
}

TEST_F(Copy, comes_back_from_its_store_alone_with_what_it_kept_and_what_it_dropped) {
  std::vector<TestSnapshot> all;
  for (uint64_t number = 1; number <= 4; ++number) all.push_back(back_up(number, *owner_));
  for (const size_t i : {0, 1, 2}) bring(all[i], owner_->viewer);
  for (const uint64_t sequence : {1, 2, 3}) EXPECT_TRUE(must(take(sequence)).empty());
  EXPECT_TRUE(must(take(4, Presence::absent)).empty());
  must(source_.engine().forget(record_.id, all[0].request.snapshot, owner_->viewer.device));
  must(source_.engine().remove(record_.id, all[0].request.snapshot));
  follow();
  must(copies().drop(record_.id, all[1].request.snapshot));
  const std::string before = listed();
  EXPECT_EQ(before, "1 kept in trash, 2 absent, 3 here, 4 absent");
  const RebuiltRepository rebuilt = rebuild();
  for (const std::string& doubt : rebuilt.doubts) ADD_FAILURE() << doubt;
  EXPECT_EQ(listed(), before);
  EXPECT_EQ(must(copies().origin(record_.id))->source, "home");
  const auto absent = must(copies().absent(record_.id));
  ASSERT_EQ(absent.size(), 1U);
  EXPECT_EQ(absent[0].snapshot, all[3].request.snapshot);
  EXPECT_EQ(code_of(copy_.engine().forget(record_.id, all[2].request.snapshot, {})), Code::denied);
  bring(all[3], owner_->viewer);
  EXPECT_TRUE(must(copies().bring(record_.id, all[3].request.snapshot)).empty());
}

TEST_F(Copy, tells_who_leans_on_copies_of_their_own_and_which_sessions_blobs_need) {
  const TestSnapshot first = back_up(1, *writer_);
  const auto viewers = must(source_.engine().replicas().viewers(record_.id));
  ASSERT_EQ(viewers.size(), 2U);
  EXPECT_TRUE(viewers[0].device.is_zero());
  EXPECT_EQ(viewers[1].device, writer_->viewer.device);
  Replicas& there = source_.engine().replicas();
  const auto ids = ids_of(first.blobs);
  EXPECT_EQ(must(there.sessions_of(record_.id, writer_->viewer, ids)),
            std::vector<BlobId>{first.blobs[0].head.id});
  EXPECT_TRUE(must(there.sessions_of(record_.id, Viewer{}, ids)).empty());
  const auto found = must(there.look_up(record_.id, writer_->viewer, ids));
  ASSERT_TRUE(found.back());
  EXPECT_EQ(found.back()->children, std::vector<BlobId>{first.request.root});
  EXPECT_TRUE(found.back()->is_closed);
  EXPECT_FALSE(must(there.look_up(record_.id, Viewer{}, ids)).back());
}

// --- what another server is given
// -----------------------------------------------------------------

struct Given {
  std::vector<StoredBlob> blobs;
  std::vector<BlobId> damaged;
};

Given read_whole(Engine& engine, const RepositoryId& repository, std::span<const BlobId> ids) {
  Given given;
  Engine::Reader reader;
  reader.head = [&](const BlobHead& head) -> Status {
    given.blobs.push_back({head, {}});
    return {};
  };
  reader.content = [&](ByteView part) -> Status {
    Bytes& stored = given.blobs.back().stored;
    stored.insert(stored.end(), part.begin(), part.end());
    return {};
  };
  reader.damaged = [&](const BlobId& id) -> Status {
    given.damaged.push_back(id);
    return {};
  };
  must(engine.read(repository, {}, true, ids, reader));
  return given;
}

TEST_F(Copy, is_given_whole_blobs_with_their_checksums) {
  const TestSnapshot first = back_up(1, *owner_);
  const Given given = read_whole(source_.engine(), record_.id, ids_of(first.blobs));
  EXPECT_EQ(given.blobs.size(), first.blobs.size());
  EXPECT_TRUE(given.damaged.empty());
  for (const StoredBlob& blob : given.blobs) {
    Checksum checksum;
    checksum.update(blob.stored);
    EXPECT_EQ(blob.head.checksum, checksum.value());
  }
}

TEST_F(Copy, is_given_nothing_of_a_damaged_blob_and_all_others) {
  const TestSnapshot first = back_up(1, *owner_);
  const StoredBlob& victim = first.blobs[2];
  for (const std::string& name : source_.objects("v4/" + record_.id.hex() + "/pack/")) {
    Bytes pack = source_.object(name);
    const auto at =
        std::search(pack.begin(), pack.end(), victim.stored.begin(), victim.stored.end());
    if (at == pack.end()) continue;
    *at ^= std::byte{1};
    source_.put_object(name, pack);
  }
  const Given given = read_whole(source_.engine(), record_.id, ids_of(first.blobs));
  EXPECT_EQ(given.damaged, std::vector<BlobId>{victim.head.id});
  EXPECT_EQ(given.blobs.size(), first.blobs.size() - 1);
  for (const StoredBlob& blob : given.blobs) EXPECT_NE(blob.head.id, victim.head.id);
}

TEST_F(Copy, is_given_the_rest_when_a_pack_is_gone) {
  const TestSnapshot first = back_up(1, *owner_);
  const auto packs = source_.objects("v4/" + record_.id.hex() + "/pack/");
  ASSERT_EQ(packs.size(), 2U);
  must(source_.store().remove(packs[0]));
  const Given given = read_whole(source_.engine(), record_.id, ids_of(first.blobs));
  EXPECT_FALSE(given.damaged.empty());
  EXPECT_FALSE(given.blobs.empty());
}

}  // namespace
}  // namespace cb::repository
