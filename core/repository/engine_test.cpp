// SPDX-License-Identifier: Apache-2.0
//
// What an engine takes in, says that it has, gives back, and commits, over both stores.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "core/repository/engine_fixture.h"
#include "core/repository/local_remote.h"

namespace cb::repository {
namespace {

template <typename T>
void expect_code(const Result<T>& result, Code code) {
  if (result)
    ADD_FAILURE() << "it succeeded";
  else
    EXPECT_EQ(result.error().code, code) << result.error().text();
}

class EngineTest : public testing::TestWithParam<const char*> {
 protected:
  EngineTest() : house_(GetParam()), repository_(house_.create()) {}

  Engine& engine() { return house_.engine(); }
  std::unique_ptr<Intake> begin(bool is_private = false) {
    return must(engine().begin(repository_, {device_of(1)}, is_private));
  }
  // Puts every blob but those in `without`.
  static void put_all(Intake& intake, const TestSnapshot& snapshot,
                      std::span<const BlobId> without = {}) {
    for (const StoredBlob& blob : snapshot.blobs)
      if (std::find(without.begin(), without.end(), blob.head.id) == without.end())
        must(put_blob(intake, blob));
  }
  CommitRecord commit(const TestSnapshot& snapshot) {
    const auto intake = begin();
    put_all(*intake, snapshot);
    return must(decode_commit(must(intake->commit(snapshot.request)).receipt));
  }
  bool has(const BlobId& id) {
    return must(engine().have(repository_, {}, std::array<BlobId, 1>{id}))[0];
  }
  void expect_all_back(std::span<const StoredBlob> blobs) {
    const auto ids = ids_of(blobs);
    const auto found = read_all(engine(), repository_, ids);
    ASSERT_OK(found);
    ASSERT_EQ(found->size(), blobs.size());
    for (const StoredBlob& blob : blobs) {
      EXPECT_EQ(found->at(blob.head.id).head, blob.head);
      EXPECT_EQ(found->at(blob.head.id).stored, blob.stored);
    }
  }

  EngineHouse house_;
  RepositoryId repository_;
};

INSTANTIATE_TEST_SUITE_P(Stores, EngineTest, testing::Values("store-fs", "store-sqlite"),
                         [](const auto& one) {
                           return std::string(one.param) == "store-fs" ? "fs" : "sqlite";
                         });

TEST_P(EngineTest, what_was_flushed_comes_back_byte_for_byte_also_after_a_restart) {
  const TestSnapshot snapshot = make_snapshot(1, 20, 100'000);
  auto intake = begin();
  put_all(*intake, snapshot);
  EXPECT_EQ(intake->durable(), 0u);
  ASSERT_OK(intake->flush());
  EXPECT_EQ(intake->durable(), snapshot.blobs.size());
  expect_all_back(snapshot.blobs);
  intake.reset();
  house_.reopen();
  expect_all_back(snapshot.blobs);
}

TEST_P(EngineTest, an_intake_that_goes_makes_durable_what_came_whole) {
  const StoredBlob whole = make_blob(BlobKind::data, 5, 1000);
  const StoredBlob half = make_blob(BlobKind::data, 6, 1000);
  {
    const auto intake = begin();
    ASSERT_OK(put_blob(*intake, session_record(1)));
    ASSERT_OK(put_blob(*intake, whole));
    ASSERT_OK(intake->begin(half.head));
    ASSERT_OK(intake->content(ByteView(half.stored).first(500)));
    intake->cut();
  }
  EXPECT_TRUE(has(whole.head.id));
  EXPECT_FALSE(has(half.head.id));
  const auto checked = engine().check(repository_, true, {});
  ASSERT_OK(checked);
  EXPECT_TRUE(checked->findings.empty()) << checked->findings.front();
}

TEST_P(EngineTest, a_blob_that_was_cut_may_be_sent_again_in_the_same_pack) {
  const auto intake = begin();
  const std::vector<StoredBlob> blobs = {session_record(1), make_blob(BlobKind::data, 6, 70'000),
                                         make_blob(BlobKind::data, 7, 10)};
  ASSERT_OK(put_blob(*intake, blobs[0]));
  for (const size_t taken : {size_t{0}, size_t{1}, size_t{69'999}, size_t{70'000}}) {
    ASSERT_OK(intake->begin(blobs[1].head));
    ASSERT_OK(intake->content(ByteView(blobs[1].stored).first(taken)));
    if (taken == 1)
      expect_code(intake->end(), Code::invalid);  // too short is as good as cut
    else
      intake->cut();
  }
  ASSERT_OK(intake->begin(blobs[1].head));
  expect_code(intake->content(Bytes(70'001)), Code::invalid);
  for (size_t i = 1; i < blobs.size(); ++i) ASSERT_OK(put_blob(*intake, blobs[i]));
  ASSERT_OK(intake->flush());
  EXPECT_EQ(intake->durable(), 3u);
  expect_all_back(blobs);
  EXPECT_TRUE(must(engine().check(repository_, true, {})).findings.empty());
}

TEST_P(EngineTest, packs_are_closed_at_their_size_and_at_their_age) {
  EngineLimits limits;
  limits.data_pack = 100'000;
  limits.pack_age = std::chrono::hours(1);
  house_.set_limits(limits);
  const auto intake = begin();
  ASSERT_OK(put_blob(*intake, session_record(1)));
  ASSERT_OK(put_blob(*intake, make_blob(BlobKind::data, 1, 60'000)));
  EXPECT_EQ(intake->durable(), 0u);
  ASSERT_OK(put_blob(*intake, make_blob(BlobKind::data, 2, 60'000)));
  EXPECT_EQ(intake->durable(), 0u);  // in the order of end: the session record is not yet
  EXPECT_TRUE(has(make_blob(BlobKind::data, 2, 0).head.id));
  ASSERT_OK(intake->close_old());
  EXPECT_EQ(intake->durable(), 0u);
  house_.clock().advance(std::chrono::hours(2));
  ASSERT_OK(intake->close_old());
  EXPECT_EQ(intake->durable(), 3u);
}

TEST_P(EngineTest, a_pack_is_closed_before_its_list_gets_long) {
  const auto intake = begin();
  ASSERT_OK(put_blob(*intake, session_record(1)));
  for (uint64_t i = 1; i < 1024; ++i) ASSERT_OK(put_blob(*intake, make_blob(BlobKind::node, i, 1)));
  EXPECT_EQ(intake->durable(), 1024u);
  const std::vector<BlobId> many(kMaxChildren);
  ASSERT_OK(put_blob(*intake, make_blob(BlobKind::node, 2000, 1, many)));
  EXPECT_EQ(intake->durable(), 1025u);
}

// Peak of resident memory since the last call, in KiB above what is resident now.
long peak_since_last_call() {
  std::ifstream status("/proc/self/status");
  long peak = 0;
  long now = 0;
  for (std::string word; status >> word;) {
    if (word == "VmHWM:") status >> peak;
    if (word == "VmRSS:") status >> now;
  }
  std::ofstream("/proc/self/clear_refs") << "5";
  return peak - now;
}

TEST_P(EngineTest, a_large_blob_passes_through_in_pieces) {
  const auto intake = begin();
  ASSERT_OK(put_blob(*intake, session_record(1)));
  BlobHead head = make_blob(BlobKind::data, 1, 1).head;
  head.stored_size = kMaxStored;
  const Bytes piece(64 * 1024, std::byte{7});
  const auto put_large = [&](uint8_t number) -> Status {
    head.id.bytes[0] = std::byte{number};
    CB_TRY(intake->begin(head));
    for (size_t at = 0; at < head.stored_size; at += piece.size()) CB_TRY(intake->content(piece));
    return intake->end();
  };
  ASSERT_OK(put_large(1));
  peak_since_last_call();
  for (uint8_t i = 2; i < 6; ++i) ASSERT_OK(put_large(i));
  ASSERT_OK(intake->flush());
  size_t bytes = 0;
  Engine::Reader reader;
  reader.head = [](const BlobHead&) -> Status { return {}; };
  reader.content = [&](ByteView part) -> Status {
    bytes += part.size();
    return {};
  };
  ASSERT_OK(engine().read(repository_, {}, false, std::array<BlobId, 1>{head.id}, reader));
  EXPECT_EQ(bytes, kMaxStored);
  EXPECT_TRUE(must(engine().check(repository_, true, {})).findings.empty());
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // The sanitizers keep freed memory for a while.
  EXPECT_LT(peak_since_last_call(), 4 * 1024);
#endif
}

TEST_P(EngineTest, what_is_there_already_is_taken_and_not_stored) {
  const auto intake = begin();
  const TestSnapshot snapshot = make_snapshot(1, 4, 10'000);
  put_all(*intake, snapshot);
  put_all(*intake, snapshot);
  ASSERT_OK(intake->flush());
  EXPECT_EQ(intake->durable(), 2 * snapshot.blobs.size());
  const RemoteCounts before = must(engine().counts(repository_));
  // The session record stands in both packs, and is one blob.
  EXPECT_EQ(before.blobs, snapshot.blobs.size());
  EXPECT_EQ(before.packs, 2u);
  put_all(*intake, snapshot);
  EXPECT_EQ(intake->durable(), 3 * snapshot.blobs.size());
  ASSERT_OK(intake->flush());
  EXPECT_EQ(must(engine().counts(repository_)).stored_bytes, before.stored_bytes);
}

TEST_P(EngineTest, impossible_heads_are_refused_and_harm_nothing) {
  const auto intake = begin();
  ASSERT_OK(put_blob(*intake, session_record(1)));
  std::vector<BlobHead> wrong(9, make_blob(BlobKind::data, 1, 100).head);
  wrong[0].stored_size = 0;
  wrong[1].stored_size = kMaxStored + 1;
  wrong[2].kind = static_cast<BlobKind>(7);
  wrong[3].children.push_back(BlobId{});
  wrong[4].session = {};
  wrong[5].session = session_of(99);  // has no record
  wrong[6] = make_blob(BlobKind::node, 1, 100, std::vector<BlobId>(kMaxChildren + 1)).head;
  wrong[7] = make_blob(BlobKind::snapshot, 1, 100).head;
  wrong[8] = session_record(2).head;
  wrong[8].id.bytes.back() = std::byte{1};
  for (const BlobHead& head : wrong) expect_code(intake->begin(head), Code::invalid);
  StoredBlob record = session_record(3);
  record.stored.back() ^= std::byte{1};
  record.stored.front() ^= std::byte{0x40};
  expect_code(put_blob(*intake, record), Code::invalid);
  ASSERT_OK(put_blob(*intake, make_blob(BlobKind::data, 1, 100)));
  ASSERT_OK(intake->flush());
  EXPECT_EQ(intake->durable(), 2u);
}

TEST_P(EngineTest, a_commit_whose_closure_is_not_whole_is_answered_with_what_is_missing) {
  const TestSnapshot snapshot = make_snapshot(1, 10, 1000);
  // A data blob below one node, and the other node.
  const std::vector<BlobId> without = {snapshot.blobs[2].head.id, snapshot.blobs[11].head.id};
  const auto intake = begin();
  put_all(*intake, snapshot, without);
  auto answer = intake->commit(snapshot.request);
  ASSERT_OK(answer);
  EXPECT_EQ(std::set<BlobId>(answer->missing.begin(), answer->missing.end()),
            std::set<BlobId>(without.begin(), without.end()));
  EXPECT_TRUE(answer->receipt.empty());
  EXPECT_TRUE(must(engine().snapshots(repository_, true)).empty());
  EXPECT_EQ(must(engine().head(repository_)).sequence, 0u);
  put_all(*intake, snapshot);
  answer = intake->commit(snapshot.request);
  ASSERT_OK(answer);
  EXPECT_TRUE(answer->missing.empty());
  EXPECT_EQ(must(engine().snapshots(repository_, false)).size(), 1u);
}

TEST_P(EngineTest, a_snapshot_must_be_one_and_have_the_root_that_is_named) {
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  const auto intake = begin();
  put_all(*intake, snapshot);
  CommitRequest request = snapshot.request;
  request.root = snapshot.blobs[5].head.id;  // another node
  expect_code(intake->commit(request), Code::invalid);
  request.root = snapshot.blobs[1].head.id;  // data
  expect_code(intake->commit(request), Code::invalid);
  request = snapshot.request;
  request.snapshot = request.root;
  expect_code(intake->commit(request), Code::invalid);
  EXPECT_TRUE(must(engine().snapshots(repository_, true)).empty());
}

TEST_P(EngineTest, a_commit_is_signed_chained_and_listed_as_it_was_asked_for) {
  TestSnapshot first = make_snapshot(1, 3, 1000);
  first.request.tags = {KeyedHash{}, KeyedHash{}};
  first.request.flags = kSnapshotCheckpoint;
  const CommitRecord one = commit(first);
  const CommitRecord two = commit(make_snapshot(2, 3, 1000));
  EXPECT_EQ(one.sequence, 1u);
  EXPECT_TRUE(one.previous.is_zero());
  EXPECT_EQ(two.sequence, 2u);
  EXPECT_EQ(two.previous.bytes, identity::sha256(encode(one)));
  EXPECT_EQ(one.device, device_of(1));
  EXPECT_EQ(one.snapshot, first.request.snapshot);
  EXPECT_EQ(one.root, first.request.root);
  EXPECT_EQ(one.tags, first.request.tags);
  EXPECT_EQ(one.flags, kSnapshotCheckpoint);
  EXPECT_EQ(one.files, 3u);
  EXPECT_TRUE(identity::verify(house_.server_key(), signed_part(one, repository_), one.signature));
  house_.reopen();
  const auto listed = must(engine().snapshots(repository_, false));
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].commit, one);
  EXPECT_EQ(listed[1].commit, two);
  EXPECT_EQ(must(engine().head(repository_)).sequence, 2u);
  EXPECT_EQ(must(engine().head(repository_)).hash.bytes, identity::sha256(encode(two)));
}

TEST_P(EngineTest, the_server_s_time_never_goes_back) {
  house_.clock().set_wall(std::chrono::seconds(2'000'000'000));
  const int64_t first = commit(make_snapshot(1, 1, 10)).time_ns;
  EXPECT_EQ(first, 2'000'000'000'000'000'000);
  house_.clock().set_wall(std::chrono::seconds(1'900'000'000));
  EXPECT_EQ(commit(make_snapshot(2, 1, 10)).time_ns, first);
  house_.reopen();
  EXPECT_EQ(commit(make_snapshot(3, 1, 10)).time_ns, first);
}

TEST_P(EngineTest, what_is_brought_in_keeps_its_date_unless_that_is_to_come_or_before_the_last) {
  house_.clock().set_wall(std::chrono::seconds(2'000'000'000));
  constexpr int64_t kSecond = 1'000'000'000;
  const auto made = [&](uint64_t number, int64_t seconds) {
    TestSnapshot snapshot = make_snapshot(number, 1, 10);
    snapshot.request.made_ns = seconds * kSecond;
    return commit(snapshot).time_ns / kSecond;
  };
  EXPECT_EQ(made(1, 1'500'000'000), 1'500'000'000);
  EXPECT_EQ(made(2, 1'400'000'000), 1'500'000'000);
  EXPECT_EQ(made(3, 2'100'000'000), 2'000'000'000);
}

TEST_P(EngineTest, a_repeated_commit_gives_the_same_receipt) {
  const TestSnapshot snapshot = make_snapshot(1, 3, 1000);
  const CommitRecord one = commit(snapshot);
  EXPECT_EQ(commit(snapshot), one);
  house_.reopen();
  EXPECT_EQ(commit(snapshot), one);
  TestSnapshot renamed = snapshot;
  renamed.request.commit_id.bytes[0] ^= std::byte{1};
  EXPECT_EQ(commit(renamed), one);  // the snapshot is committed already
  TestSnapshot other = make_snapshot(2, 3, 1000);
  other.request.commit_id = snapshot.request.commit_id;
  const auto intake = begin();
  put_all(*intake, other);
  expect_code(intake->commit(other.request), Code::invalid);
  EXPECT_EQ(must(engine().head(repository_)).sequence, 1u);
}

TEST_P(EngineTest, a_forgotten_snapshot_lies_in_the_trash_until_it_is_taken_out) {
  const BlobId id = commit(make_snapshot(1, 3, 1000)).snapshot;
  const CommitRecord forgotten = must(engine().forget(repository_, id, device_of(1)));
  EXPECT_EQ(forgotten.type, CommitType::forget);
  EXPECT_EQ(forgotten.snapshot, id);
  EXPECT_EQ(forgotten.sequence, 2u);
  EXPECT_EQ(must(engine().forget(repository_, id, device_of(1))), forgotten);
  EXPECT_TRUE(must(engine().snapshots(repository_, false)).empty());
  house_.reopen();
  const auto trash = must(engine().snapshots(repository_, true));
  ASSERT_EQ(trash.size(), 1u);
  EXPECT_TRUE(trash[0].in_trash);
  EXPECT_EQ(must(engine().undelete(repository_, id, device_of(1))).type, CommitType::undelete);
  EXPECT_EQ(must(engine().snapshots(repository_, false)).size(), 1u);
  expect_code(engine().forget(repository_, BlobId{}, device_of(1)), Code::not_found);
}

TEST_P(EngineTest, a_writer_s_forget_is_recorded_and_moves_nothing) {
  catalog::Device writer;
  writer.id = device_of(2).bytes;
  writer.account = 1;
  writer.role = static_cast<uint64_t>(Role::writer);
  must(house_.catalog().accounts().add_device(writer));
  const BlobId id = commit(make_snapshot(1, 3, 1000)).snapshot;
  const CommitRecord wish = must(engine().forget(repository_, id, device_of(2)));
  EXPECT_EQ(wish.type, CommitType::forget);
  EXPECT_EQ(must(engine().forget(repository_, id, device_of(2))), wish);
  EXPECT_EQ(must(engine().snapshots(repository_, false)).size(), 1u);
  EXPECT_EQ(must(engine().head(repository_)).sequence, 2u);
  // An owner's still moves it, and a writer's undelete does not.
  EXPECT_EQ(must(engine().forget(repository_, id, device_of(1))).sequence, 3u);
  EXPECT_TRUE(must(engine().snapshots(repository_, false)).empty());
  EXPECT_EQ(must(engine().undelete(repository_, id, device_of(2))).sequence, 4u);
  EXPECT_TRUE(must(engine().snapshots(repository_, false)).empty());
  EXPECT_EQ(must(engine().undelete(repository_, id, device_of(1))).sequence, 5u);
  EXPECT_EQ(must(engine().snapshots(repository_, false)).size(), 1u);
}

TEST_P(EngineTest, what_is_private_is_seen_by_nobody_else_before_its_commit) {
  const TestSnapshot snapshot = make_snapshot(1, 6, 1000);
  const auto intake = begin(true);
  put_all(*intake, snapshot);
  ASSERT_OK(intake->flush());
  EXPECT_EQ(intake->durable(), snapshot.blobs.size());
  for (const BlobId& id : ids_of(snapshot.blobs)) EXPECT_FALSE(has(id));
  EXPECT_TRUE(read_all(engine(), repository_, ids_of(snapshot.blobs))->empty());
  EXPECT_EQ(must(engine().counts(repository_)).blobs, 0u);
  // Somebody else's commit of it finds nothing.
  EXPECT_EQ(must(begin()->commit(snapshot.request)).missing.size(), 2u);
  EXPECT_TRUE(must(intake->commit(snapshot.request)).missing.empty());
  expect_all_back(snapshot.blobs);
  EXPECT_EQ(must(engine().counts(repository_)).blobs, snapshot.blobs.size());
  EXPECT_TRUE(must(engine().check(repository_, true, {})).findings.empty());
}

TEST_P(EngineTest, what_is_dropped_leaves_nothing_behind) {
  const auto before = house_.objects();
  const TestSnapshot snapshot = make_snapshot(1, 6, 1000);
  const auto intake = begin(true);
  put_all(*intake, snapshot);
  ASSERT_OK(intake->flush());
  ASSERT_OK(put_blob(*intake, make_blob(BlobKind::data, 99, 5000)));
  EXPECT_GT(house_.objects().size(), before.size());
  ASSERT_OK(intake->drop());
  EXPECT_EQ(house_.objects(), before);
  EXPECT_TRUE(must(house_.catalog().index().packs(1, 0, 10)).empty());
  expect_code(intake->begin(snapshot.blobs[0].head), Code::state);
  {
    const auto forgotten = begin(true);
    put_all(*forgotten, snapshot);
    ASSERT_OK(forgotten->flush());
  }
  EXPECT_EQ(house_.objects(), before);
}

TEST_P(EngineTest, private_and_public_copies_of_a_blob_become_one_at_the_commit) {
  const TestSnapshot snapshot = make_snapshot(1, 6, 1000);
  const auto mine = begin(true);
  put_all(*mine, snapshot);
  ASSERT_OK(mine->flush());
  const auto other = begin();
  put_all(*other, snapshot);
  ASSERT_OK(other->flush());
  EXPECT_TRUE(must(mine->commit(snapshot.request)).missing.empty());
  expect_all_back(snapshot.blobs);
  EXPECT_EQ(must(engine().counts(repository_)).blobs, snapshot.blobs.size());
  EXPECT_EQ(must(engine().counts(repository_)).packs, 4u);
  EXPECT_TRUE(must(engine().check(repository_, true, {})).findings.empty());
}

TEST_P(EngineTest, a_condemned_blob_is_missing_for_everybody_until_it_is_sent_again) {
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  {
    const auto intake = begin();
    put_all(*intake, snapshot);
  }
  const BlobId id = snapshot.blobs[2].head.id;
  must(house_.catalog().index().condemn(1, 0, std::array<catalog::Bytes32, 1>{id.bytes}));
  EXPECT_FALSE(has(id));
  EXPECT_TRUE(read_all(engine(), repository_, std::array<BlobId, 1>{id})->empty());
  const auto intake = begin();
  EXPECT_EQ(must(intake->commit(snapshot.request)).missing, std::vector<BlobId>{id});
  ASSERT_OK(put_blob(*intake, snapshot.blobs[2]));
  EXPECT_TRUE(must(intake->commit(snapshot.request)).missing.empty());
  expect_all_back(snapshot.blobs);
  EXPECT_EQ(must(engine().counts(repository_)).blobs, snapshot.blobs.size());
  EXPECT_TRUE(must(engine().check(repository_, true, {})).findings.empty());
}

TEST_P(EngineTest, the_reserve_is_for_commits_and_deletion) {
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  {
    const auto intake = begin();
    put_all(*intake, snapshot);
  }
  EngineLimits limits;
  limits.reserve = uint64_t{1} << 60;
  house_.set_limits(limits);
  if (!house_.store().space()) GTEST_SKIP() << "this store does not know its space";
  const auto intake = begin();
  expect_code(intake->begin(make_blob(BlobKind::data, 50, 10).head), Code::no_space);
  ASSERT_OK(put_blob(*intake, snapshot.blobs[2]));  // is there already
  EXPECT_TRUE(must(intake->commit(snapshot.request)).missing.empty());
  ASSERT_OK(engine().forget(repository_, snapshot.request.snapshot, device_of(1)));
}

TEST_P(EngineTest, repositories_do_not_see_each_other) {
  const RepositoryId other = house_.create(2);
  const TestSnapshot snapshot = make_snapshot(1, 4, 1000);
  commit(snapshot);
  EXPECT_TRUE(read_all(engine(), other, ids_of(snapshot.blobs))->empty());
  EXPECT_TRUE(must(engine().snapshots(other, true)).empty());
  EXPECT_EQ(must(engine().of_account("account-2")), other);
  const auto intake = must(engine().begin(other, {device_of(1)}, false));
  expect_code(intake->begin(snapshot.blobs[1].head), Code::invalid);  // no session record there
  expect_code(engine().begin(RepositoryId{}, {device_of(1)}, false), Code::not_found);
}

TEST_P(EngineTest, a_repository_is_made_once_and_its_slots_come_and_go_but_the_last) {
  const RepositoryRecord record = must(engine().record(repository_));
  expect_code(engine().create(record, "account-1"), Code::exists);
  RepositoryRecord other = record;
  other.id.bytes[0] ^= std::byte{1};
  expect_code(engine().create(other, "nobody"), Code::not_found);
  KeySlot slot;
  slot.kind = SlotKind::recovery_code;
  slot.sealed = Bytes(40, std::byte{3});
  KeySlot second = slot;
  second.id.bytes[0] = std::byte{9};
  ASSERT_OK(engine().add_slot(repository_, slot));
  ASSERT_OK(engine().add_slot(repository_, second));
  ASSERT_OK(engine().add_slot(repository_, second));
  KeySlot garbage = second;
  garbage.sealed = Bytes(40, std::byte{4});
  expect_code(engine().add_slot(repository_, garbage), Code::exists);
  house_.reopen();
  EXPECT_EQ(must(engine().slots(repository_)), (std::vector<KeySlot>{slot, second}));
  ASSERT_OK(engine().remove_slot(repository_, slot.id));
  expect_code(engine().remove_slot(repository_, slot.id), Code::not_found);
  expect_code(engine().remove_slot(repository_, second.id), Code::denied);
  EXPECT_EQ(house_.objects("v4/" + repository_.hex() + "/slot/").size(), 1u);
}

TEST_P(EngineTest, a_local_remote_is_a_remote) {
  const auto remote = must(make_local_remote(engine(), repository_, device_of(1)));
  const TestSnapshot snapshot = make_snapshot(1, 4, 100'000);
  uint64_t number = 0;
  for (const StoredBlob& blob : snapshot.blobs) EXPECT_EQ(must(remote->put(blob)), ++number);
  EXPECT_EQ(remote->durable_puts(), 0u);
  auto ids = ids_of(snapshot.blobs);
  EXPECT_EQ(must(remote->have(ids)), std::vector<bool>(ids.size(), true));
  ASSERT_OK(remote->flush());
  EXPECT_EQ(remote->durable_puts(), number);
  EXPECT_TRUE(must(remote->commit(snapshot.request)).missing.empty());
  std::map<BlobId, Bytes> got;
  const auto sink = [&](StoredBlob blob) -> Status {
    EXPECT_TRUE(got.emplace(blob.head.id, std::move(blob.stored)).second);
    return {};
  };
  ASSERT_OK(remote->get(ids, sink));
  for (const StoredBlob& blob : snapshot.blobs) EXPECT_EQ(got.at(blob.head.id), blob.stored);
  got.clear();
  ids.push_back(make_blob(BlobKind::data, 4711, 1).head.id);
  expect_code(remote->get(ids, sink), Code::not_found);
  EXPECT_EQ(got.size(), snapshot.blobs.size());
  EXPECT_EQ(must(remote->snapshots(false)).size(), 1u);
  EXPECT_EQ(must(remote->counts()).snapshots, 1u);
}

}  // namespace
}  // namespace cb::repository
