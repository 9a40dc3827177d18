// SPDX-License-Identifier: Apache-2.0
//
// Records that are replaced: a repository's own with its slots, and those of sessions; and what a
// new epoch means for what runs.
#include <gtest/gtest.h>

#include <future>

#include "core/repository/engine_fixture.h"
#include "core/repository/engine_records.h"
#include "core/repository/signatures.h"

namespace cb::repository {
namespace {

template <typename T>
void expect_code(const Result<T>& result, Code code) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, code) << result.error().text();
}

KeySlot slot_of(uint8_t number, uint8_t content) {
  KeySlot slot;
  slot.id.bytes.fill(std::byte{number});
  slot.kind = SlotKind::recovery_code;
  slot.sealed = Bytes(40, std::byte{content});
  return slot;
}

// What rotation makes of a session's record.
Bytes rewrapped(uint64_t number, uint32_t epoch) {
  SessionRecord record = must(decode_session(session_record(number).stored));
  record.epoch = epoch;
  record.wrapped = Bytes(40, std::byte{7});
  return encode(record);
}

class EngineRecords : public testing::TestWithParam<const char*> {
 protected:
  EngineRecords() : house_(GetParam()), repository_(house_.create()) {
    must(engine().add_slot(repository_, slot_of(1, 1)));
    must(engine().add_slot(repository_, slot_of(2, 1)));
  }

  Engine& engine() { return house_.engine(); }
  RepositoryRecord next(uint32_t epoch) {
    RepositoryRecord record = must(engine().record(repository_));
    ++record.revision;
    if (record.epochs.back().number < epoch) record.epochs.push_back({epoch, Bytes(32)});
    return record;
  }
  std::string object(const std::string& name) { return "v4/" + repository_.hex() + "/" + name; }

  // Does the store say what the catalog says?
  void expect_in_step() {
    EXPECT_EQ(house_.object(object("repository")), encode(must(engine().record(repository_))));
    const auto slots = must(engine().slots(repository_));
    EXPECT_EQ(house_.objects(object("slot/")).size(), slots.size());
    for (const KeySlot& slot : slots)
      EXPECT_EQ(house_.object(slot_object(repository_, slot.id)), encode(slot));
    EXPECT_TRUE(house_.objects(object("change")).empty());
  }

  std::unique_ptr<Intake> begin() {
    return must(engine().begin(repository_, {device_of(1)}, false));
  }
  void back_up(uint64_t number) {
    const TestSnapshot snapshot = make_snapshot(number, 2, 500);
    const auto intake = begin();
    for (const StoredBlob& blob : snapshot.blobs) must(put_blob(*intake, blob));
    EXPECT_TRUE(must(intake->commit(snapshot.request)).missing.empty());
  }

  EngineHouse house_;
  RepositoryId repository_;
};

INSTANTIATE_TEST_SUITE_P(Stores, EngineRecords, testing::Values("store-fs", "store-sqlite"),
                         [](const auto& one) {
                           return std::string(one.param) == "store-fs" ? "fs" : "sqlite";
                         });

TEST_P(EngineRecords, a_record_and_all_slots_are_replaced_together_or_the_record_alone) {
  const RepositoryRecord second = next(2);
  ASSERT_OK(engine().put_record(second, std::vector<KeySlot>{slot_of(2, 9), slot_of(3, 9)}));
  EXPECT_EQ(must(engine().record(repository_)), second);
  EXPECT_EQ(must(engine().slots(repository_)),
            (std::vector<KeySlot>{slot_of(2, 9), slot_of(3, 9)}));
  expect_in_step();
  house_.reopen();
  const RepositoryRecord third = next(2);
  ASSERT_OK(engine().put_record(third, std::nullopt));
  EXPECT_EQ(must(engine().record(repository_)), third);
  EXPECT_EQ(must(engine().slots(repository_)).size(), 2u);
  expect_in_step();
}

TEST_P(EngineRecords, a_revision_that_does_not_follow_is_refused_and_the_same_again_is_not) {
  const RepositoryRecord second = next(2);
  RepositoryRecord late = second;
  late.created_ns = 99;
  ASSERT_OK(engine().put_record(second, std::nullopt));
  ASSERT_OK(engine().put_record(second, std::nullopt));
  expect_code(engine().put_record(late, std::nullopt), Code::state);
  late.revision += 2;
  expect_code(engine().put_record(late, std::nullopt), Code::state);
  expect_code(engine().put_record(next(2), std::vector<KeySlot>{}), Code::invalid);
  EXPECT_EQ(must(engine().record(repository_)), second);
  EXPECT_EQ(must(engine().slots(repository_)).size(), 2u);
  late.id.bytes[0] ^= std::byte{1};
  expect_code(engine().put_record(late, std::nullopt), Code::not_found);
}

TEST_P(EngineRecords, a_device_is_revoked_from_the_next_commit_on_and_commits_nothing_after) {
  const Viewer writer = house_.add_device(7, Role::writer);
  const auto running = must(engine().begin(repository_, writer, false));
  const auto commit = [&](uint64_t number) {
    const TestSnapshot snapshot = make_snapshot(number, 2, 500);
    for (const StoredBlob& blob : snapshot.blobs) must(put_blob(*running, blob));
    return running->commit(snapshot.request);
  };
  ASSERT_OK(commit(1));
  RepositoryRecord record = next(1);
  const auto known = must(house_.catalog().accounts().device_by_id(writer.device.bytes));
  const Certificate certificate = must(decode_certificate(known->certificate));
  record.revoked = {{{device_of(certificate.device).bytes}, 1}};
  expect_code(engine().put_record(record, std::nullopt), Code::state);
  record.revoked.front().since = 2;
  ASSERT_OK(engine().put_record(record, std::nullopt));
  // The session has not been ended yet.
  expect_code(commit(2), Code::denied);
  expect_code(
      engine().forget(repository_, make_snapshot(1, 2, 500).request.snapshot, writer.device),
      Code::denied);
  back_up(3);
  record.revision++;
  ASSERT_OK(engine().put_record(record, std::nullopt));
}

TEST_P(EngineRecords, a_change_that_the_catalog_never_saw_is_undone_by_the_next_start) {
  const RepositoryRecord old = must(engine().record(repository_));
  house_.put_object(change_object(repository_), encode(RecordChange{next(2), {slot_of(9, 9)}}));
  house_.put_object(slot_object(repository_, slot_of(9, 9).id), encode(slot_of(9, 9)));
  house_.put_object(slot_object(repository_, slot_of(1, 9).id), encode(slot_of(1, 9)));
  house_.reopen();
  EXPECT_EQ(must(engine().record(repository_)), old);
  expect_in_step();
}

TEST_P(EngineRecords, a_change_that_the_catalog_has_is_finished_by_the_next_start) {
  const RepositoryRecord second = next(2);
  const Bytes old = house_.object(object("repository"));
  ASSERT_OK(engine().put_record(second, std::vector<KeySlot>{slot_of(2, 9)}));
  // As a kill behind the catalog's transaction leaves it.
  house_.put_object(object("repository"), old);
  house_.put_object(slot_object(repository_, slot_of(1, 1).id), encode(slot_of(1, 1)));
  house_.put_object(slot_object(repository_, slot_of(2, 1).id), encode(slot_of(2, 1)));
  house_.put_object(change_object(repository_), encode(RecordChange{second, {slot_of(2, 9)}}));
  house_.reopen();
  EXPECT_EQ(must(engine().record(repository_)), second);
  expect_in_step();
}

TEST_P(EngineRecords, an_account_is_noted_in_the_store) {
  AccountRecord account;
  account.name = "account-1";
  account.devices = {{device_of(3), 2}};
  ASSERT_OK(engine().put_account(repository_, account));
  EXPECT_EQ(must(decode_account(house_.object(object("account")))), account);
  expect_code(engine().put_account(RepositoryId{}, account), Code::not_found);
}

TEST_P(EngineRecords, sessions_of_older_epochs_are_listed_replaced_and_read_anew) {
  for (uint64_t number = 1; number < 5; ++number) back_up(number);
  EXPECT_TRUE(must(engine().sessions(repository_, 1, {}, 100)).empty());
  const auto first = must(engine().sessions(repository_, 2, {}, 3));
  ASSERT_EQ(first.size(), 3u);
  const auto rest = must(engine().sessions(repository_, 2, first.back().session, 3));
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_LT(first.back().session, rest[0].session);

  const SessionEntry entry{session_of(2), rewrapped(2, 2)};
  ASSERT_OK(engine().put_sessions(repository_, std::array<SessionEntry, 1>{entry}));
  ASSERT_OK(engine().put_sessions(repository_, std::array<SessionEntry, 1>{entry}));
  EXPECT_EQ(must(engine().sessions(repository_, 2, {}, 100)).size(), 3u);
  EXPECT_EQ(house_.object(session_object(repository_, session_of(2))), entry.record);
  house_.reopen();
  const BlobId id = session_record(2).head.id;
  const auto found = must(read_all(engine(), repository_, std::array<BlobId, 1>{id}));
  EXPECT_EQ(found.at(id).stored, entry.record);
  EXPECT_EQ(found.at(id).head.stored_size, entry.record.size());
  const auto checked = must(engine().check(repository_, true, {}));
  EXPECT_TRUE(checked.findings.empty()) << checked.findings.front();
}

TEST_P(EngineRecords, session_records_of_no_higher_epoch_or_of_no_session_change_nothing) {
  back_up(1);
  back_up(2);
  const auto put = [&](uint64_t number, uint32_t epoch) {
    const std::array<SessionEntry, 2> entries = {
        {{session_of(1), rewrapped(1, 2)}, {session_of(number), rewrapped(number, epoch)}}};
    return engine().put_sessions(repository_, entries);
  };
  expect_code(put(2, 1), Code::state);
  expect_code(put(9, 2), Code::not_found);
  EXPECT_EQ(must(engine().sessions(repository_, 2, {}, 100)).size(), 2u);
  EXPECT_TRUE(house_.objects(object("session/")).empty());
}

TEST_P(EngineRecords, after_a_new_epoch_no_session_of_an_older_one_begins_and_a_known_goes_on) {
  const TestSnapshot known = make_snapshot(1, 2, 500);
  auto running = begin();
  ASSERT_OK(put_blob(*running, known.blobs[0]));
  ASSERT_OK(put_blob(*running, known.blobs[1]));
  ASSERT_OK(running->flush());
  ASSERT_OK(engine().put_record(next(2), std::nullopt));
  for (size_t i = 2; i < known.blobs.size(); ++i) ASSERT_OK(put_blob(*running, known.blobs[i]));
  EXPECT_TRUE(must(running->commit(known.request)).missing.empty());
  ASSERT_OK(put_blob(*begin(), known.blobs[0]));

  auto late = begin();
  expect_code(put_blob(*late, session_record(5)), Code::state);
  StoredBlob fresh = session_record(6);
  SessionRecord record = must(decode_session(fresh.stored));
  record.epoch = 2;
  fresh.stored = encode(record);
  ASSERT_OK(put_blob(*late, fresh));
  running.reset();
  late.reset();
  house_.reopen();
  expect_code(put_blob(*begin(), session_record(5)), Code::state);
}

TEST_P(EngineRecords, a_session_that_rotation_could_not_see_yet_does_not_come_after_it) {
  const auto running = begin();
  ASSERT_OK(put_blob(*running, session_record(1)));
  ASSERT_OK(put_blob(*running, make_blob(BlobKind::data, 5, 100)));
  ASSERT_OK(engine().put_record(next(2), std::nullopt));
  expect_code(running->flush(), Code::state);
  EXPECT_EQ(running->durable(), 0u);
  EXPECT_TRUE(must(engine().sessions(repository_, 2, {}, 100)).empty());
}

TEST_P(EngineRecords, a_check_misses_what_a_catalog_would_be_rebuilt_from) {
  back_up(1);
  back_up(2);
  const std::array<SessionEntry, 2> entries = {
      {{session_of(1), rewrapped(1, 2)}, {session_of(2), rewrapped(2, 2)}}};
  ASSERT_OK(engine().put_sessions(repository_, entries));
  const std::string slot = slot_object(repository_, slot_of(1, 1).id);
  const std::string gone = session_object(repository_, session_of(1));
  const std::string wrong = session_object(repository_, session_of(2));
  const auto findings = [&] { return must(engine().check(repository_, false, {})).findings; };
  EXPECT_TRUE(findings().empty());
  ASSERT_OK(house_.store().remove(slot));
  ASSERT_OK(house_.store().remove(gone));
  house_.put_object(wrong, session_record(2).stored);
  house_.put_object(object("repository"), as_bytes("rubbish"));
  const auto found = findings();
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0], object("repository") + " is another record than the catalog's");
  EXPECT_EQ(found[1], slot + " is not in the store");
  EXPECT_NE((found[2] + found[3]).find(gone + " is not in the store"), std::string::npos);
  EXPECT_NE((found[2] + found[3]).find(wrong + " is another record"), std::string::npos);
  // A newer one, as a kill leaves it, is no damage.
  house_.put_object(wrong, rewrapped(2, 3));
  EXPECT_EQ(findings().size(), 3u);
}

// A repository whose owner signed what there is of it.
struct SignedRepository {
  explicit SignedRepository(EngineHouse& house)
      : root(must(identity::SigningKey::make(os::system_random()))),
        device(must(identity::SigningKey::make(os::system_random()))) {
    record.id.bytes.fill(std::byte{77});
    record.epochs = {{1, Bytes(32)}};
    must(sign_record(record, root));
    catalog::Account account;
    account.name = "signed";
    const int64_t number = must(house.catalog().accounts().add_account(account));
    must(house.engine().create(record, account.name));
    must(house.engine().add_slot(record.id, slot_of(3, 1)));
    Certificate certificate;
    certificate.device = device.public_key();
    must(sign_certificate(certificate, record.id, root));
    must(house.engine().add_certificate(record.id, certificate));
    catalog::Device row;
    row.id = id().bytes;
    row.account = number;
    row.certificate = encode(certificate);
    row.role = static_cast<uint64_t>(certificate.role);
    must(house.catalog().accounts().add_device(row));
  }
  [[nodiscard]] DeviceId id() const { return {identity::device_id_of(device.public_key())}; }

  identity::SigningKey root;
  identity::SigningKey device;
  RepositoryRecord record;
};

TEST_P(EngineRecords, what_the_store_lost_is_written_anew_from_the_catalog) {
  SignedRepository other(house_);
  const RepositoryId id = other.record.id;
  for (uint64_t number = 1; number <= 2; ++number) {
    const TestSnapshot snapshot = make_snapshot(number, 2, 500);
    const auto intake = must(engine().begin(id, {other.id()}, false));
    for (const StoredBlob& blob : snapshot.blobs) must(put_blob(*intake, blob));
    must(intake->commit(snapshot.request));
  }
  const auto findings = [&] { return must(engine().check(id, false, {})).findings; };
  ASSERT_TRUE(findings().empty()) << findings().front();
  const std::vector<std::string> objects = {record_object(id), slot_object(id, slot_of(3, 1).id),
                                            device_object(id, other.id()), commit_object(id, 1),
                                            "v4/" + id.hex() + "/account"};
  for (const std::string& name : objects) {
    SCOPED_TRACE(name);
    const Bytes whole = house_.object(name);
    for (const bool is_gone : {false, true}) {
      if (is_gone)
        must(house_.store().remove(name));
      else
        house_.put_object(name, as_bytes("rubbish"));
      EXPECT_EQ(findings().size(), 1u);
      const Verified verified = must(engine().verify(id, {}, {}));
      EXPECT_EQ(verified.mended, 1u);
      ASSERT_EQ(verified.findings.size(), 1u);
      EXPECT_EQ(verified.findings[0], name + (is_gone ? " was missing" : " was damaged") +
                                          ", and was written anew from the catalog");
      EXPECT_EQ(house_.object(name), whole);
      EXPECT_TRUE(findings().empty());
    }
  }
  EXPECT_EQ(must(engine().verify(id, {}, {})).mended, 0u);
}

TEST_P(EngineRecords, an_older_record_that_is_back_gives_way_and_another_slot_is_only_told) {
  SignedRepository other(house_);
  const RepositoryId id = other.record.id;
  const Bytes old = house_.object(record_object(id));
  RepositoryRecord newer = other.record;
  ++newer.revision;
  must(sign_record(newer, other.root));
  ASSERT_OK(engine().put_record(newer, std::nullopt));
  house_.put_object(record_object(id), old);
  EXPECT_EQ(must(engine().verify(id, {}, {})).mended, 1u);
  EXPECT_EQ(house_.object(record_object(id)), encode(newer));
  const std::string slot = slot_object(id, slot_of(3, 1).id);
  house_.put_object(slot, encode(slot_of(3, 2)));
  EXPECT_EQ(must(engine().verify(id, {}, {})).mended, 0u);
  const auto findings = must(engine().check(id, false, {})).findings;
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_NE(findings[0].find("key rotate"), std::string::npos) << findings[0];
}

TEST_P(EngineRecords, a_check_notes_what_the_catalog_does_not_have) {
  house_.put_object(object("slot/") + std::string(32, '9'), encode(slot_of(9, 1)));
  house_.put_object(object("opened/") + std::string(32, '1'), as_bytes("rubbish"));
  const auto checked = must(engine().check(repository_, false, {}));
  ASSERT_EQ(checked.notes.size(), 1u);
  EXPECT_EQ(checked.notes[0],
            object("slot/") + std::string(32, '9') + " is not in the catalog: nothing uses it");
  ASSERT_EQ(checked.findings.size(), 1u);
  EXPECT_NE(checked.findings[0].find(object("opened/")), std::string::npos);
}

TEST_P(EngineRecords, commits_come_as_they_were_signed) {
  back_up(1);
  back_up(2);
  back_up(3);
  const auto some = must(engine().commits(repository_, 2, 1));
  ASSERT_EQ(some.size(), 1u);
  EXPECT_EQ(must(decode_commit(some[0])).sequence, 2u);
  EXPECT_EQ(must(engine().commits(repository_, 1, 9)).size(), 3u);
}

TEST_P(EngineRecords, an_intake_keeps_few_of_the_sessions_that_it_is_told_in_memory) {
  constexpr uint64_t kMany = 4500;
  const auto intake = begin();
  for (uint64_t i = 0; i < kMany; ++i) must(put_blob(*intake, session_record(i)));
  must(intake->flush());
  // 1024 of them make a pack, so that what no open pack needs can be forgotten.
  EXPECT_GE(house_.objects(object("pack/")).size(), 4u);
  for (uint64_t i = 0; i < kMany; ++i)
    must(put_blob(*intake, make_blob(BlobKind::data, i, 10, {}, i)));
  must(intake->flush());
  EXPECT_GE(house_.objects(object("pack/")).size(), 8u);
  const auto checked = must(engine().check(repository_, true, {}));
  for (const std::string& finding : checked.findings) ADD_FAILURE() << finding;
}

TEST_P(EngineRecords, a_session_record_that_is_too_long_is_refused) {
  SessionRecord record = must(decode_session(session_record(1).stored));
  StoredBlob blob = session_record(1);
  record.kem_cipher.resize(5000);
  blob.stored = encode(record);
  blob.head.stored_size = static_cast<uint32_t>(blob.stored.size());
  const auto intake = begin();
  const Status put = put_blob(*intake, blob);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Code::invalid);
  must(put_blob(*intake, session_record(1)));
}

// Whoever logs in is told the head, and must not wait for a commit that walks for long.
TEST_P(EngineRecords, the_head_is_told_while_a_commit_is_under_way) {
  const TestSnapshot snapshot = make_snapshot(1, 2, 100);
  std::unique_ptr<Engine> other;
  std::future<Engine::Head> head;
  Engine::Parts parts;
  parts.store = &house_.store();
  parts.catalog = &house_.catalog();
  parts.clock = &house_.clock();
  parts.random = &os::system_random();
  bool told = false;
  parts.sign = [&](ByteView) -> Result<Signature> {
    head = std::async(std::launch::async, [&] { return must(other->head(repository_)); });
    told = head.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
    return Signature{};
  };
  other = must(Engine::open(std::move(parts)));
  const auto intake = must(other->begin(repository_, {device_of(1)}, false));
  for (const StoredBlob& blob : snapshot.blobs) must(put_blob(*intake, blob));
  EXPECT_TRUE(must(intake->commit(snapshot.request)).missing.empty());
  EXPECT_TRUE(told);
  EXPECT_EQ(head.get().sequence, 0u);
  EXPECT_EQ(must(other->head(repository_)).sequence, 1u);
}

}  // namespace
}  // namespace cb::repository
