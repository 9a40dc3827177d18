// SPDX-License-Identifier: Apache-2.0
//
// Records that are replaced above a store that fails or dies at each of its calls in turn:
// afterwards a repository's record and its slots are all old or all new, in store and catalog
// alike, and so are sessions. One thread.
#include <gtest/gtest.h>

#include "core/repository/engine_records.h"
#include "tests/fault/fault_house.h"
#include "tests/suites/store_fixture.h"

namespace cb::test {
namespace {

using repository::KeySlot;
using repository::must;
using repository::RepositoryRecord;
using repository::SessionEntry;

constexpr const char* kFaults[] = {"io", "crash", "unsaid"};
constexpr uint64_t kMostCalls = 60;

KeySlot slot_of(uint8_t number, uint8_t content) {
  KeySlot slot;
  slot.id.bytes.fill(std::byte{number});
  slot.kind = repository::SlotKind::recovery_code;
  slot.sealed = Bytes(40, std::byte{content});
  return slot;
}

Bytes rewrapped(uint64_t number) {
  auto record = must(repository::decode_session(repository::session_record(number).stored));
  record.epoch = 2;
  record.wrapped = Bytes(40, std::byte{7});
  return encode(record);
}

// What fails at its nth call: every function, or those whose work may be done all the same.
std::string rules_of(const std::string& fault, uint64_t call) {
  const std::string at = ":" + fault + "@" + std::to_string(call) + "\n";
  return fault == "unsaid" ? "put_commit" + at + "remove" + at : "any" + at;
}

class RecordsFault : public testing::TestWithParam<const char*> {
 protected:
  RecordsFault() : house_(GetParam()) {
    must(house_.open(FaultOptions{}));
    id_ = house_.repository();
    must(engine().add_slot(id_, slot_of(1, 1)));
    must(engine().add_slot(id_, slot_of(2, 1)));
  }

  repository::Engine& engine() { return house_.engine(); }

  // How many faults there were: none, when the change makes fewer calls.
  size_t faults() { return house_.faulty().log().count("its call"); }

  Bytes object(const std::string& name) {
    Bytes content(must(house_.store().stat(name)).length);
    plugin::Get get = must(house_.store().get_open(name));
    for (size_t at = 0; at < content.size();) at += must(get.read(ByteSpan(content).subspan(at)));
    return content;
  }
  std::set<std::string> objects(const std::string& prefix) {
    std::set<std::string> names;
    plugin::List list = must(house_.store().list_open(prefix));
    for (;;) {
      const auto object = must(list.next());
      if (!object) return names;
      names.insert(object->name);
    }
  }

  // Does the store say what the catalog says, and nothing of a change?
  void expect_in_step() {
    EXPECT_EQ(object(repository::record_object(id_)), encode(must(engine().record(id_))));
    std::set<std::string> wanted;
    const auto slots = must(engine().slots(id_));
    for (const KeySlot& slot : slots) {
      const std::string name = repository::slot_object(id_, slot.id);
      wanted.insert(name);
      EXPECT_EQ(object(name), encode(slot)) << name;
    }
    EXPECT_EQ(objects(repository::slot_prefix(id_)), wanted);
    EXPECT_TRUE(objects(repository::change_object(id_)).empty());
  }

  FaultHouse house_;
  repository::RepositoryId id_;
};

INSTANTIATE_TEST_SUITE_P(stores, RecordsFault, testing::Values("store-fs", "store-sqlite"),
                         test_name);

TEST_P(RecordsFault, a_record_and_its_slots_are_all_old_or_all_new) {
  for (const std::string fault : kFaults) {
    size_t refused = 0;
    for (uint64_t call = 1, before = 0; call < kMostCalls; ++call) {
      SCOPED_TRACE(rules_of(fault, call));
      const RepositoryRecord old = must(engine().record(id_));
      const auto old_slots = must(engine().slots(id_));
      RepositoryRecord next = old;
      ++next.revision;
      const auto content = static_cast<uint8_t>(next.revision);
      // One slot goes, one is sealed anew, one comes.
      const std::vector<KeySlot> slots = {slot_of(static_cast<uint8_t>(call % 2 + 1), content),
                                          slot_of(static_cast<uint8_t>(100 + call), content)};
      before = faults();
      house_.faulty().control(rules_of(fault, call));
      const Status done = engine().put_record(next, slots);
      refused += done ? 0 : 1;
      const bool was_tried = faults() > before;
      house_.faulty().control("");
      ASSERT_OK(house_.open(FaultOptions{}));
      EXPECT_EQ(must(engine().record(id_)), done ? next : old);
      EXPECT_EQ(must(engine().slots(id_)), done ? slots : old_slots);
      expect_in_step();
      if (HasFailure()) return;
      if (!was_tried) break;
      EXPECT_LT(call + 1, kMostCalls);
    }
    EXPECT_GT(refused, 0u) << fault;
  }
}

TEST_P(RecordsFault, the_same_engine_goes_on_when_the_faults_stop) {
  for (uint64_t call = 1; call < 30; ++call) {
    SCOPED_TRACE(call);
    RepositoryRecord next = must(engine().record(id_));
    ++next.revision;
    const std::vector<KeySlot> slots = {slot_of(static_cast<uint8_t>(call), 5)};
    house_.faulty().control(rules_of("io", call));
    static_cast<void>(engine().put_record(next, slots));
    house_.faulty().control("");
    ASSERT_OK(engine().put_record(next, slots));
    ASSERT_OK(engine().add_slot(id_, slot_of(200, 7)));
    EXPECT_EQ(must(engine().slots(id_)), (std::vector<KeySlot>{slots[0], slot_of(200, 7)}));
    expect_in_step();
    if (HasFailure()) return;
  }
}

TEST_P(RecordsFault, session_records_are_all_old_or_all_new) {
  constexpr uint64_t kSessions = 3;
  uint64_t next = 0;
  size_t refused = 0;
  for (const std::string fault : kFaults) {
    for (uint64_t call = 1, before = 0; call < kMostCalls; ++call) {
      SCOPED_TRACE(rules_of(fault, call));
      next += kSessions;
      std::vector<SessionEntry> entries;
      auto intake = must(engine().begin(id_, {repository::device_of(1)}, false));
      for (uint64_t i = next; i < next + kSessions; ++i) {
        must(put_blob(*intake, repository::session_record(i)));
        entries.push_back({repository::session_of(i), rewrapped(i)});
      }
      must(
          put_blob(*intake, repository::make_blob(repository::BlobKind::data, next, 50, {}, next)));
      must(intake->flush());
      intake.reset();
      before = faults();
      house_.faulty().control(rules_of(fault, call));
      const Status done = engine().put_sessions(id_, entries);
      refused += done ? 0 : 1;
      const bool was_tried = faults() > before;
      house_.faulty().control("");
      ASSERT_OK(house_.open(FaultOptions{}));
      EXPECT_EQ(must(engine().sessions(id_, 2, {}, 100)).size(), done ? 0 : kSessions);
      // What the store has beside is as good, and in nobody's way.
      ASSERT_OK(engine().put_sessions(id_, entries));
      EXPECT_TRUE(must(engine().sessions(id_, 2, {}, 100)).empty());
      for (const SessionEntry& entry : entries)
        EXPECT_EQ(object(repository::session_object(id_, entry.session)), entry.record);
      if (HasFailure()) return;
      if (!was_tried) break;
    }
    EXPECT_GE(std::exchange(refused, 0), kSessions) << fault;
  }
  const auto checked = must(engine().check(id_, true, {}));
  for (const std::string& finding : checked.findings) ADD_FAILURE() << finding;
}

}  // namespace
}  // namespace cb::test
