// SPDX-License-Identifier: Apache-2.0
//
// A catalog made anew from the store: it knows what the lost one knew, and trusts nobody more than
// before.
#include "core/repository/catalog_rebuild_fixture.h"

namespace cb::repository {
namespace {

namespace fs = std::filesystem;

INSTANTIATE_TEST_SUITE_P(Stores, CatalogRebuild, testing::Values("store-fs", "store-sqlite"),
                         [](const auto& one) {
                           return std::string(one.param) == "store-fs" ? "fs" : "sqlite";
                         });

TEST_P(CatalogRebuild, knows_what_the_lost_one_knew) {
  const TestSnapshot first = make_snapshot(1, 5, 2000);
  const TestSnapshot second = make_snapshot(2, 5, 2000);
  commit(owner_, first);
  const CommitRecord last = commit(writer_, second);
  must(engine().forget(repository_, first.request.snapshot, owner_.device));
  const auto slots = must(engine().slots(repository_));
  const RebuiltRepository rebuilt = rebuild();
  expect_doubts(rebuilt, {});
  EXPECT_EQ(rebuilt.devices, 4u);
  EXPECT_EQ(rebuilt.commits, 3u);
  EXPECT_EQ(rebuilt.snapshots, 1u);
  EXPECT_EQ(rebuilt.in_trash, 1u);
  expect_whole();
  EXPECT_EQ(snapshots(false), std::vector{second.request.snapshot});
  EXPECT_EQ(must(engine().head(repository_)).sequence, last.sequence + 1);
  EXPECT_EQ(must(engine().slots(repository_)), slots);
  EXPECT_EQ(must(engine().record(repository_)), record_);
  const auto account = must(house_.catalog().accounts().account_by_name("alice"));
  ASSERT_TRUE(account);
  EXPECT_EQ(account->password_hash, account_.password_hash);
  EXPECT_EQ(account->created_ns, account_.created_ns);
  EXPECT_EQ(must(house_.catalog().accounts().devices(account->number)).size(), 4u);
  expect_readable(first);
  expect_readable(second);
}

TEST_P(CatalogRebuild, commits_go_on_where_they_were) {
  const TestSnapshot first = make_snapshot(1, 5, 2000);
  const CommitRecord before = commit(owner_, first);
  rebuild();
  const CommitRecord after = commit(writer_, make_snapshot(2, 5, 2000));
  EXPECT_EQ(after.sequence, before.sequence + 1);
  EXPECT_EQ(after.previous, hash_of_record(encode(before)));
  // The same commit again gives the same answer.
  const auto intake = must(engine().begin(repository_, owner_, false));
  EXPECT_EQ(must(intake->commit(first.request)).receipt, encode(before));
  expect_whole();
  expect_doubts(rebuild(), {});
  expect_whole();
}

TEST_P(CatalogRebuild, what_a_device_put_stays_where_only_it_leans_on_it) {
  const TestSnapshot of_owner = make_snapshot(1, 5, 2000);
  const TestSnapshot of_writer = make_snapshot(2, 5, 2000);
  const TestSnapshot of_sharer = make_snapshot(3, 5, 2000);
  commit(owner_, of_owner);
  commit(writer_, of_writer);
  commit(sharer_, of_sharer);
  expect_doubts(rebuild(), {});
  for (const Viewer& viewer : {owner_, writer_, other_writer_, sharer_})
    EXPECT_EQ(leans_on(viewer, of_owner), size(of_owner));
  EXPECT_EQ(leans_on(writer_, of_writer), size(of_writer));
  for (const Viewer& viewer : {owner_, other_writer_, sharer_})
    EXPECT_EQ(leans_on(viewer, of_writer), 0u);
  EXPECT_EQ(leans_on(sharer_, of_sharer), size(of_sharer));
  for (const Viewer& viewer : {owner_, writer_}) EXPECT_EQ(leans_on(viewer, of_sharer), 0u);
  expect_whole();
}

TEST_P(CatalogRebuild, what_an_owner_verified_is_still_for_all_and_nothing_beside_it) {
  const TestSnapshot honest = make_snapshot(1, 5, 2000);
  const TestSnapshot other = make_snapshot(2, 5, 2000);
  commit(writer_, honest);
  commit(writer_, other);
  // Somebody else's garbage under the same ids.
  TestSnapshot garbage = honest;
  garbage.blobs[0] = session_record(666);
  for (size_t i = 1; i < garbage.blobs.size(); ++i) {
    garbage.blobs[i].head.session = session_of(666);
    for (std::byte& byte : garbage.blobs[i].stored) byte = std::byte{0xbb};
  }
  put(other_writer_, garbage);
  const auto ids = ids_of(std::span(honest.blobs).subspan(1));
  must(engine().verified(repository_, writer_, ids, false));
  // An owner's snapshot leans on what was opened.
  TestSnapshot leaning = make_snapshot(3, 1, 100);
  const StoredBlob record = leaning.blobs.front();
  const StoredBlob node = make_blob(BlobKind::node, 77, 100, {honest.request.root}, 3);
  const StoredBlob head = make_blob(BlobKind::snapshot, 77, 100, {node.head.id}, 3);
  leaning.blobs = {record, node, head};
  leaning.request.root = node.head.id;
  leaning.request.snapshot = head.head.id;
  commit(owner_, leaning);
  expect_doubts(rebuild(), {});
  EXPECT_EQ(leans_on(owner_, honest), size(honest));
  EXPECT_EQ(leans_on(owner_, other), 0u);
  expect_whole();
  expect_readable(honest);
}

TEST_P(CatalogRebuild, revoked_and_disabled_devices_stay_out) {
  account_.devices = {{other_writer_.device, 1}};
  must(engine().put_account(repository_, account_));
  record_.revoked.push_back({{writer_.device.bytes}, 1});
  ++record_.revision;
  must(sign_record(record_, root_));
  must(engine().put_record(record_, std::nullopt));
  rebuild();
  auto& accounts = house_.catalog().accounts();
  const auto state = [&](const Viewer& viewer) {
    return must(accounts.device_by_id(viewer.device.bytes))->state;
  };
  EXPECT_EQ(state(writer_), catalog::DeviceState::revoked);
  EXPECT_EQ(state(other_writer_), catalog::DeviceState::disabled);
  EXPECT_EQ(state(owner_), catalog::DeviceState::active);
}

TEST_P(CatalogRebuild, what_was_removed_stays_dead_and_the_trash_keeps_its_times) {
  const TestSnapshot first = make_snapshot(1, 3, 1000);
  const TestSnapshot second = make_snapshot(2, 3, 1000);
  const TestSnapshot third = make_snapshot(3, 3, 1000);
  for (const TestSnapshot* one : {&first, &second, &third}) commit(owner_, *one);
  for (const TestSnapshot* one : {&first, &second})
    must(engine().forget(repository_, one->request.snapshot, {}));
  must(engine().remove(repository_, first.request.snapshot));
  const auto trash = must(engine().trash(repository_));
  ASSERT_EQ(trash.size(), 1u);
  expect_doubts(rebuild(), {});
  const auto after = must(engine().trash(repository_));
  ASSERT_EQ(after.size(), 1u);
  EXPECT_EQ(after[0].snapshot, second.request.snapshot);
  EXPECT_EQ(after[0].since_ns, trash[0].since_ns);
  EXPECT_EQ(snapshots(false), std::vector{third.request.snapshot});
  EXPECT_EQ(snapshots(true).size(), 2u);
  expect_whole();
}

TEST_P(CatalogRebuild, rules_and_pins_come_back_and_a_damaged_note_is_told) {
  RetentionRecord note;
  note.rules = {{{}, "keep-daily 7, trash-stay 30d", 5, "uid 0 (root)"},
                {Bytes(48, std::byte{1}), "keep-all", 6, "device 11"}};
  note.pins = {{BlobId{}, 77, "the last before the move", 7, "uid 0"}};
  note.freezes = {{Bytes(48, std::byte{1}), 99, 33, Bytes(32, std::byte{7}), "most is new"}};
  must(engine().put_retention(repository_, note));
  expect_doubts(rebuild(), {});
  const auto number = must(house_.catalog().index().repository(repository_.bytes))->number;
  const auto rules = must(house_.catalog().retention().rules(number));
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].rules, "keep-daily 7, trash-stay 30d");
  EXPECT_EQ(rules[1].source, Bytes(48, std::byte{1}));
  EXPECT_EQ(rules[1].set_by, "device 11");
  const auto pins = must(house_.catalog().retention().pins(number));
  ASSERT_EQ(pins.size(), 1u);
  EXPECT_EQ(pins[0].until_ns, 77);
  EXPECT_EQ(pins[0].reason, "the last before the move");
  const auto state =
      must(house_.catalog().sources().state(number, Bytes(48, std::byte{1}))).value();
  EXPECT_EQ(state.frozen_ns, 99);
  EXPECT_EQ(state.froze_ns, 33);
  EXPECT_EQ(state.normal, Bytes(32, std::byte{7}));
  house_.put_object(prefix_ + "retention", as_bytes("not a note"));
  expect_doubts(rebuild(), {"retention"});
  EXPECT_TRUE(must(house_.catalog().retention().rules(number)).empty());
}

TEST_P(CatalogRebuild, takes_a_change_of_the_record_that_was_broken_off) {
  KeySlot slot = must(engine().slots(repository_)).front();
  slot.id.bytes.fill(std::byte{0x11});
  RepositoryRecord next = record_;
  ++next.revision;
  next.epochs.push_back({2, Bytes(32, std::byte{2})});
  must(sign_record(next, root_));
  house_.put_object(prefix_ + "change", encode(RecordChange{next, {slot}}));
  expect_doubts(rebuild(), {});
  EXPECT_EQ(must(engine().record(repository_)), next);
  EXPECT_EQ(must(engine().slots(repository_)), std::vector{slot});
}

TEST_P(CatalogRebuild, a_change_that_was_broken_off_removes_no_slot_that_cannot_be_read) {
  RepositoryRecord next = record_;
  ++next.revision;
  next.epochs.push_back({2, Bytes(32, std::byte{2})});
  must(sign_record(next, root_));
  house_.put_object(prefix_ + "change", encode(RecordChange{next, {}}));
  const std::string damaged = prefix_ + "slot/" + std::string(32, '5');
  house_.put_object(damaged, Bytes(70, std::byte{5}));
  expect_doubts(rebuild(), {damaged});
  EXPECT_EQ(must(engine().record(repository_)), next);
  EXPECT_EQ(house_.objects(prefix_ + "change"), std::vector<std::string>());
  EXPECT_EQ(house_.object(damaged), Bytes(70, std::byte{5}));
}

TEST_P(CatalogRebuild, what_was_removed_does_not_come_back) {
  const TestSnapshot snapshot = make_snapshot(1, 5, 2000);
  const CommitRecord made = commit(owner_, snapshot);
  const auto removed = [&] {
    CommitRecord record;
    record.type = CommitType::removal;
    record.sequence = 2;
    record.previous = hash_of_record(encode(made));
    record.snapshot = snapshot.request.snapshot;
    record.root = snapshot.request.root;
    record.commit_id.bytes.fill(std::byte{0x77});
    const std::array<std::byte, identity::kSeedSize> seed{std::byte{7}};
    const auto key = must(identity::SigningKey::from_seed(seed));
    record.signature = must(key.sign(signed_part(record, repository_)));
    return record;
  }();
  house_.put_object(commit_name(2), encode(removed));
  expect_doubts(rebuild(), {});
  EXPECT_TRUE(snapshots(true).empty());
}

TEST_P(CatalogRebuild, a_session_record_that_another_writer_made_up_replaces_none) {
  const TestSnapshot snapshot = make_snapshot(1, 5, 2000);
  commit(writer_, snapshot);
  std::map<std::string, Bytes> kept;
  for (const std::string& name : packs()) {
    kept.emplace(name, house_.object(name));
    must(house_.store().remove(name));
  }
  rebuild();  // the server knows nothing of the session
  SessionRecord record;
  record.epoch = 0xffffffff;
  record.kem_cipher = Bytes(48, std::byte{1});
  record.wrapped = Bytes(48, std::byte{2});
  TestSnapshot forged = make_snapshot(1, 1, 100);
  forged.blobs.resize(2);
  forged.blobs[0].stored = encode(record);
  forged.blobs[0].head.stored_size = static_cast<uint32_t>(forged.blobs[0].stored.size());
  forged.blobs[1].head.id.bytes.fill(std::byte{0x71});
  put(other_writer_, forged);
  for (const auto& [name, bytes] : kept) house_.put_object(name, bytes);
  expect_doubts(rebuild(), {"not signed by who it names", "not signed by who it names"});
  expect_readable(snapshot, writer_);
}

TEST_P(CatalogRebuild, a_certificate_of_somebody_else_lets_nobody_in) {
  const auto stranger = must(identity::SigningKey::make(os::system_random()));
  Certificate certificate;
  certificate.device = stranger.public_key();
  certificate.role = Role::owner;
  must(sign_certificate(certificate, repository_, stranger));
  const DeviceId id = device_of(certificate.device);
  house_.put_object(prefix_ + "device/" + id.hex(), encode(certificate));
  expect_doubts(rebuild(), {"is not certified"});
  EXPECT_FALSE(must(house_.catalog().accounts().device_by_id(id.bytes)));
}

TEST_P(CatalogRebuild, what_a_device_without_certificate_put_is_for_nobody_to_lean_on) {
  const TestSnapshot snapshot = make_snapshot(1, 5, 2000);
  commit(writer_, snapshot);
  must(house_.store().remove(prefix_ + "device/" + writer_.device.hex()));
  const RebuiltRepository rebuilt = rebuild();
  EXPECT_EQ(rebuilt.doubts.size(), 2u);
  for (const Viewer& viewer : {owner_, other_writer_, sharer_})
    EXPECT_EQ(leans_on(viewer, snapshot), 0u);
  expect_readable(snapshot);
}

TEST_P(CatalogRebuild, sessions_that_rotation_replaced_stay_replaced) {
  const TestSnapshot snapshot = make_snapshot(1, 5, 2000);
  commit(owner_, snapshot);
  RepositoryRecord next = record_;
  ++next.revision;
  next.epochs.push_back({2, Bytes(32, std::byte{2})});
  must(sign_record(next, root_));
  must(engine().put_record(next, std::nullopt));
  SessionRecord replaced;
  replaced.epoch = 2;
  replaced.kem_cipher = Bytes(48, std::byte{1});
  replaced.wrapped = Bytes(48, std::byte{2});
  const SessionId session = session_of(1);
  replaced.signature = must(root_.sign(signed_part(replaced, repository_, session)));
  const SessionEntry entry{session, encode(replaced)};
  must(engine().put_sessions(repository_, std::span(&entry, 1)));
  expect_doubts(rebuild(), {});
  EXPECT_TRUE(must(engine().sessions(repository_, 2, {}, 10)).empty());
  const auto found = must(read_all(engine(), repository_, ids_of(snapshot.blobs)));
  EXPECT_EQ(found.at(snapshot.blobs.front().head.id).stored, entry.record);
  // One that the owner did not sign is not taken.
  replaced.epoch = 3;
  house_.put_object(prefix_ + "session/" + session.hex(), encode(replaced));
  expect_doubts(rebuild(), {"is no session record"});
}

TEST_P(CatalogRebuild, the_old_file_is_kept_under_names_that_are_free) {
  house_.close();
  const std::string file = house_.catalog_file();
  for (int i = 1; i <= 2; ++i) {
    const std::string fresh = (house_.folder() / "fresh.db").string();
    must(catalog::open_sqlite_catalog(fresh, true));
    const std::string kept = must(catalog::replace_catalog_file(fresh, file));
    EXPECT_EQ(kept, file + ".before-rebuild-" + std::to_string(i));
    EXPECT_TRUE(fs::exists(kept));
    EXPECT_TRUE(fs::exists(file));
    EXPECT_FALSE(fs::exists(fresh));
    EXPECT_FALSE(fs::exists(file + "-wal"));
  }
}

}  // namespace
}  // namespace cb::repository
