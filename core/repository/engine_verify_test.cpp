// SPDX-License-Identifier: Apache-2.0
//
// What verification finds in packs, and what heals again. Both stores.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/repository/engine_fixture.h"
#include "core/repository/pack_scanner.h"

namespace cb::repository {
namespace {

using std::chrono::hours;

class EngineVerify : public testing::TestWithParam<std::string> {
 protected:
  EngineVerify() : house_(GetParam()), repository_(house_.create()) {
    now_ = hours(24 * 365 * 50);
    house_.clock().set_wall(now_);
  }

  Engine& engine() { return house_.engine(); }
  void forward(std::chrono::nanoseconds by) {
    now_ += by;
    house_.clock().set_wall(now_);
  }
  void commit(const TestSnapshot& snapshot, const Viewer& viewer = {}) {
    const auto intake = must(engine().begin(repository_, viewer, false));
    for (const StoredBlob& blob : snapshot.blobs) must(put_blob(*intake, blob));
    ASSERT_TRUE(must(intake->commit(snapshot.request)).missing.empty());
  }
  // Sends these again, as a backup of the same data does.
  void send(std::span<const StoredBlob> blobs, const Viewer& viewer = {}) {
    const auto intake = must(engine().begin(repository_, viewer, false));
    must(put_blob(*intake, session_record(1)));
    for (const StoredBlob& blob : blobs) must(put_blob(*intake, blob));
    must(intake->flush());
  }
  Verified verify(const VerifyOptions& options = {}) {
    forward(std::chrono::seconds(1));
    return must(engine().verify(repository_, options, {}));
  }
  size_t wanted(const Viewer& viewer = {}) {
    const auto page = must(engine().wanted(repository_, viewer, {}, 99));
    EXPECT_EQ(must(engine().count_wanted(repository_, viewer)), page.blobs.size());
    return page.blobs.size();
  }
  std::vector<BlobId> signatures() { return must(engine().signatures(repository_, {}, 0, 99)).ids; }
  std::vector<std::string> packs() { return house_.objects("v4/" + repository_.hex() + "/pack/"); }
  // The pack that has this blob, and where its stored bytes begin in it.
  std::pair<std::string, uint64_t> place(const BlobId& id) {
    for (const std::string& name : packs()) {
      auto pack = must(StoredPack::open(house_.store(), name));
      for (const FooterEntry& entry : must(read_footer(pack)).entries)
        if (entry.id == id) return {name, entry.offset + record_size(entry.child_count)};
    }
    throw std::runtime_error("no pack has the blob");
  }
  void flip(const std::string& object, uint64_t at) {
    Bytes bytes = house_.object(object);
    bytes.at(at) ^= std::byte{4};
    house_.put_object(object, bytes);
  }
  void flip(const BlobId& id) {
    const auto [object, at] = place(id);
    flip(object, at + 3);
  }
  bool names(const Verified& verified, const std::string& text) {
    return std::any_of(verified.findings.begin(), verified.findings.end(),
                       [&](const std::string& one) { return one.find(text) != one.npos; });
  }
  std::vector<StoredBlob> of_kind(const TestSnapshot& snapshot, BlobKind kind) {
    std::vector<StoredBlob> some;
    for (const StoredBlob& blob : snapshot.blobs)
      if (blob.head.kind == kind) some.push_back(blob);
    return some;
  }
  // Compacts, and removes what was replaced.
  void write_anew() {
    must(engine().compact(repository_, {}, {}));
    Engine::CollectOptions options;
    options.wait = std::chrono::nanoseconds(0);
    for (int round = 0; round < 2; ++round) {
      forward(hours(48));
      must(engine().collect(repository_, options, {}));
    }
  }
  // Everything of it is there, and a check has nothing to say.
  void expect_whole(const TestSnapshot& snapshot) {
    const auto ids = ids_of(snapshot.blobs);
    EXPECT_EQ(must(read_all(engine(), repository_, ids)).size(), ids.size());
    const auto checked = must(engine().check(repository_, true, {}));
    for (const std::string& finding : checked.findings) ADD_FAILURE() << finding;
    const Verified again = verify();
    for (const std::string& finding : again.findings) ADD_FAILURE() << finding;
    EXPECT_EQ(again.bad_packs, 0U);
    EXPECT_EQ(wanted(), 0U);
  }

  EngineHouse house_;
  RepositoryId repository_;
  std::chrono::nanoseconds now_{};
};

TEST_P(EngineVerify, whole_packs_are_read_once_until_they_are_old) {
  const TestSnapshot snapshot = make_snapshot(1, 6, 5000);
  commit(snapshot);
  VerifyOptions options;
  options.max_age = hours(24);
  const Verified first = verify(options);
  EXPECT_EQ(first.packs, 2U);
  EXPECT_EQ(first.blobs, snapshot.blobs.size());
  EXPECT_TRUE(first.findings.empty());
  EXPECT_EQ(first.left_packs, 0U);
  EXPECT_EQ(verify(options).packs, 0U);
  forward(hours(25));
  EXPECT_EQ(verify(options).packs, 2U);
}

TEST_P(EngineVerify, a_dry_run_tells_what_is_due_and_reads_nothing) {
  commit(make_snapshot(1, 6, 5000));
  VerifyOptions options;
  options.dry_run = true;
  EXPECT_EQ(verify(options).left_packs, 2U);
  EXPECT_EQ(verify(options).packs, 0U);
  EXPECT_EQ(verify().packs, 2U);
}

TEST_P(EngineVerify, a_budget_ends_it_and_the_next_run_goes_on) {
  for (uint64_t number = 1; number <= 3; ++number) commit(make_snapshot(number, 4, 3000));
  VerifyOptions options;
  options.max_age = hours(24);
  options.most_bytes = 1;
  for (size_t left = packs().size(); left > 0; --left) {
    const Verified some = verify(options);
    EXPECT_EQ(some.packs, 1U);
    EXPECT_EQ(some.left_packs, left - 1);
    EXPECT_EQ(some.is_short, left > 1);
  }
  EXPECT_EQ(verify(options).packs, 0U);
}

TEST_P(EngineVerify, a_sample_reads_some_of_them) {
  for (uint64_t number = 1; number <= 10; ++number) commit(make_snapshot(number, 2, 100));
  VerifyOptions options;
  options.share = 50;
  const uint64_t read = verify(options).packs;
  EXPECT_GT(read, 0U);
  EXPECT_LT(read, packs().size());
}

TEST_P(EngineVerify, a_flipped_bit_in_data_is_named_wanted_and_healed) {
  const TestSnapshot snapshot = make_snapshot(1, 6, 5000);
  commit(snapshot);
  const StoredBlob victim = of_kind(snapshot, BlobKind::data)[2];
  flip(victim.head.id);
  const Verified found = verify();
  EXPECT_EQ(found.bad_packs, 1U);
  EXPECT_EQ(found.newly_wanted, 1U);
  EXPECT_TRUE(names(found, victim.head.id.hex()));
  EXPECT_TRUE(names(found, place(victim.head.id).first));
  ASSERT_EQ(wanted(), 1U);
  EXPECT_EQ(must(engine().wanted(repository_, {}, {}, 9)).blobs[0].id, victim.head.id);
  const std::array<BlobId, 1> id = {victim.head.id};
  EXPECT_FALSE(must(engine().have(repository_, {}, id))[0]);
  EXPECT_EQ(verify().newly_wanted, 0U);  // the bad pack was looked at again
  send(std::array{victim});
  EXPECT_EQ(wanted(), 0U);
  EXPECT_EQ(verify().healed, 1U);
  expect_whole(snapshot);
}

TEST_P(EngineVerify, a_flipped_bit_in_a_node_is_healed_too) {
  const TestSnapshot snapshot = make_snapshot(1, 6, 5000);
  commit(snapshot);
  const StoredBlob victim = of_kind(snapshot, BlobKind::node)[0];
  flip(victim.head.id);
  EXPECT_TRUE(names(verify(), victim.head.id.hex() + " (node)"));
  send(std::array{victim});
  expect_whole(snapshot);
}

TEST_P(EngineVerify, a_new_commit_does_not_lean_on_what_is_damaged) {
  const TestSnapshot snapshot = make_snapshot(1, 6, 5000);
  commit(snapshot);
  flip(of_kind(snapshot, BlobKind::data)[0].head.id);
  verify();
  TestSnapshot next = snapshot;
  next.request.commit_id.bytes[0] ^= std::byte{1};
  next.blobs.push_back(make_blob(BlobKind::snapshot, 77, 100, {snapshot.request.root}));
  next.request.snapshot = next.blobs.back().head.id;
  const auto intake = must(engine().begin(repository_, {}, false));
  must(put_blob(*intake, next.blobs.back()));
  EXPECT_EQ(must(intake->commit(next.request)).missing,
            std::vector<BlobId>{of_kind(snapshot, BlobKind::data)[0].head.id});
}

TEST_P(EngineVerify, a_lost_session_record_is_put_anew_by_the_server) {
  const TestSnapshot snapshot = make_snapshot(1, 6, 5000);
  commit(snapshot);
  const BlobId record = session_record(1).head.id;
  for (const std::string& name : packs()) {
    auto pack = must(StoredPack::open(house_.store(), name));
    for (const FooterEntry& entry : must(read_footer(pack)).entries)
      if (entry.id == record) flip(name, entry.offset + record_size(0) + 3);
  }
  const Verified found = verify();
  EXPECT_TRUE(names(found, record.hex()));
  EXPECT_EQ(wanted(), 0U);
  const auto ids = ids_of(snapshot.blobs);
  EXPECT_EQ(must(read_all(engine(), repository_, ids)).size(), ids.size());
  EXPECT_EQ(verify().bad_packs, 2U);  // which have no record of their own any more
  write_anew();
  expect_whole(snapshot);
}

TEST_P(EngineVerify, a_pack_that_is_gone_is_told_at_once_and_all_of_it_is_wanted) {
  const TestSnapshot snapshot = make_snapshot(1, 6, 5000);
  commit(snapshot);
  VerifyOptions options;
  options.max_age = hours(24);
  EXPECT_TRUE(verify(options).findings.empty());
  const std::string lost = place(of_kind(snapshot, BlobKind::data)[0].head.id).first;
  must(house_.store().remove(lost));
  const Verified found = verify(options);
  EXPECT_TRUE(names(found, lost + " is not in the store"));
  EXPECT_EQ(wanted(), 6U);
  send(of_kind(snapshot, BlobKind::data));
  EXPECT_EQ(wanted(), 0U);
  const auto ids = ids_of(snapshot.blobs);
  EXPECT_EQ(must(read_all(engine(), repository_, ids)).size(), ids.size());
}

TEST_P(EngineVerify, a_pack_that_comes_back_heals_by_itself) {
  const TestSnapshot snapshot = make_snapshot(1, 6, 5000);
  commit(snapshot);
  const std::string lost = place(of_kind(snapshot, BlobKind::data)[0].head.id).first;
  const Bytes kept = house_.object(lost);
  must(house_.store().remove(lost));
  verify();
  EXPECT_EQ(wanted(), 6U);
  house_.put_object(lost, kept);
  EXPECT_EQ(verify().healed, 6U);
  expect_whole(snapshot);
}

// Nobody makes one again: it is told, asked of nobody, and gone at the next collection.
TEST_P(EngineVerify, a_damaged_signature_is_asked_of_nobody_and_harms_no_snapshot) {
  const TestSnapshot snapshot = make_snapshot(1, 6, 5000);
  commit(snapshot);
  const auto data = of_kind(snapshot, BlobKind::data);
  const StoredBlob bad = make_blob(BlobKind::signature, 1, 300, {data[0].head.id});
  const StoredBlob good = make_blob(BlobKind::signature, 2, 300, {data[1].head.id});
  send(std::array{bad, good});
  flip(bad.head.id);
  const auto checked = must(engine().check(repository_, true, {}));
  for (const std::string& finding : checked.findings) ADD_FAILURE() << finding;
  ASSERT_FALSE(checked.notes.empty());
  EXPECT_NE(checked.notes.front().find(bad.head.id.hex()), std::string::npos);
  const Verified found = verify();
  EXPECT_TRUE(names(found, bad.head.id.hex() + " (signature)"));
  EXPECT_EQ(found.bad_packs, 1U);
  EXPECT_EQ(found.newly_wanted, 0U);
  EXPECT_EQ(wanted(), 0U);
  EXPECT_EQ(signatures(), std::vector<BlobId>{good.head.id});
  for (const std::string& finding : must(engine().check(repository_, true, {})).findings)
    ADD_FAILURE() << finding;
  // It stays away though its data lives, and then its pack is whole again.
  write_anew();
  EXPECT_EQ(signatures(), std::vector<BlobId>{good.head.id});
  expect_whole(snapshot);
}

TEST_P(EngineVerify, signatures_come_back_with_their_pack) {
  const TestSnapshot snapshot = make_snapshot(1, 6, 5000);
  commit(snapshot);
  const auto data = of_kind(snapshot, BlobKind::data);
  const StoredBlob one = make_blob(BlobKind::signature, 1, 300, {data[0].head.id});
  send(std::array{one});
  const std::string lost = place(one.head.id).first;
  const Bytes kept = house_.object(lost);
  must(house_.store().remove(lost));
  for (const std::string& finding : must(engine().check(repository_, true, {})).findings)
    ADD_FAILURE() << finding;
  EXPECT_TRUE(names(verify(), lost + " is not in the store"));
  EXPECT_EQ(wanted(), 0U);
  EXPECT_TRUE(signatures().empty());
  // A collection dates it, and does not take it back before the verification does.
  forward(hours(48));
  must(engine().collect(repository_, {}, {}));
  EXPECT_TRUE(signatures().empty());
  house_.put_object(lost, kept);
  EXPECT_EQ(verify().healed, 1U);
  EXPECT_EQ(signatures(), std::vector<BlobId>{one.head.id});
  forward(hours(48));
  must(engine().collect(repository_, {}, {}));
  EXPECT_EQ(signatures(), std::vector<BlobId>{one.head.id});
  expect_whole(snapshot);
}

TEST_P(EngineVerify, a_short_file_is_told_with_what_it_lacks) {
  const TestSnapshot snapshot = make_snapshot(1, 6, 5000);
  commit(snapshot);
  const std::string pack = place(of_kind(snapshot, BlobKind::data)[0].head.id).first;
  Bytes bytes = house_.object(pack);
  bytes.resize(bytes.size() / 2);
  house_.put_object(pack, bytes);
  const Verified found = verify();
  EXPECT_TRUE(names(found, pack));
  EXPECT_GE(wanted(), 2U);
  EXPECT_LE(wanted(), 4U);
}

TEST_P(EngineVerify, damage_outside_of_blobs_is_found_and_wants_nothing) {
  const TestSnapshot snapshot = make_snapshot(1, 6, 5000);
  commit(snapshot);
  const std::string pack = packs()[0];
  flip(pack, house_.object(pack).size() - kPackEndSize - 40);  // in the footer
  const Verified found = verify();
  EXPECT_EQ(found.bad_packs, 1U);
  EXPECT_TRUE(names(found, pack));
  EXPECT_EQ(wanted(), 0U);
  write_anew();
  expect_whole(snapshot);
}

// Wherever a bit is flipped, it is told: as a note alone in what no row names, such as the second
// copy of a session's record.
TEST_P(EngineVerify, a_flipped_bit_anywhere_is_found) {
  commit(make_snapshot(1, 2, 300));
  for (const std::string& pack : packs()) {
    const Bytes whole = house_.object(pack);
    for (size_t at = 0; at < whole.size(); at += 29) {
      flip(pack, at);
      const Verified found = verify();
      const bool is_noted =
          std::any_of(found.notes.begin(), found.notes.end(),
                      [&](const auto& one) { return one.find(pack) != std::string::npos; });
      EXPECT_TRUE(names(found, pack) || is_noted) << pack << " at " << at;
      house_.put_object(pack, whole);
      EXPECT_TRUE(verify().findings.empty()) << pack << " at " << at;
    }
  }
  EXPECT_EQ(wanted(), 0U);
}

TEST_P(EngineVerify, a_copy_of_a_device_is_wanted_of_that_device_alone) {
  const Viewer writer = house_.add_device(2, Role::writer);
  const Viewer other = house_.add_device(3, Role::writer);
  const TestSnapshot snapshot = make_snapshot(1, 3, 500);
  commit(snapshot, writer);
  flip(of_kind(snapshot, BlobKind::data)[0].head.id);
  EXPECT_EQ(verify().newly_wanted, 1U);
  EXPECT_EQ(wanted(writer), 1U);
  EXPECT_EQ(wanted(other), 0U);
  EXPECT_EQ(wanted(), 0U);
  send(of_kind(snapshot, BlobKind::data), writer);
  EXPECT_EQ(wanted(writer), 0U);
}

TEST_P(EngineVerify, what_lies_in_the_store_unknown_is_noted) {
  commit(make_snapshot(1, 2, 300));
  const std::string name = packs()[0];
  std::string other = name;
  other.back() = other.back() == '0' ? '1' : '0';
  house_.put_object(other, house_.object(name));
  const Verified found = verify();
  EXPECT_TRUE(found.findings.empty());
  ASSERT_EQ(found.notes.size(), 1U);
  EXPECT_NE(found.notes[0].find(other), std::string::npos);
}

TEST_P(EngineVerify, an_upload_that_nobody_brings_any_more_is_cleared_away) {
  commit(make_snapshot(1, 2, 300));
  const size_t before = packs().size();
  catalog::Index& index = house_.catalog().index();
  const int64_t number = must(index.repository(repository_.bytes))->number;
  const int64_t owner = must(index.new_intake(number));
  catalog::PackRow row;
  row.owner = owner;
  row.name[3] = std::byte{7};
  row.pack_class = 1;
  row.size = 1;
  must(index.add_pack(number, row, {}, {}));
  house_.put_object("v4/" + repository_.hex() + "/pack/00/" + PackName{row.name}.hex(), {});
  EXPECT_EQ(packs().size(), before + 1);
  {
    const auto other = must(engine().begin(repository_, {}, true));
    EXPECT_EQ(must(engine().drop_stale_uploads(repository_)), 0U);
  }
  EXPECT_EQ(must(engine().drop_stale_uploads(repository_)), 1U);
  EXPECT_EQ(packs().size(), before);
  EXPECT_TRUE(must(index.open_intakes(number)).empty());
}

TEST_P(EngineVerify, it_can_be_stopped_and_keeps_what_it_saw) {
  for (uint64_t number = 1; number <= 3; ++number) commit(make_snapshot(number, 2, 300));
  forward(std::chrono::seconds(1));
  VerifyOptions options;
  options.max_age = hours(24);
  int asked = 0;
  const auto stopped =
      engine().verify(repository_, options, [&](uint64_t, uint64_t) { return ++asked <= 2; });
  EXPECT_EQ(stopped.error().code, Code::cancelled);
  EXPECT_EQ(verify(options).packs, packs().size() - 2);
}

INSTANTIATE_TEST_SUITE_P(Stores, EngineVerify, testing::Values("store-fs", "store-sqlite"),
                         [](const auto& made) { return made.param.substr(6); });

}  // namespace
}  // namespace cb::repository
