// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_rules.h"

#include <gtest/gtest.h>

#include "core/identity/signing.h"
#include "core/repository/signatures.h"

namespace cb::server {
namespace {

using repository::KeySlot;
using repository::RepositoryRecord;
using repository::Role;
using repository::SlotKind;

class V4RulesTest : public ::testing::Test {
 protected:
  V4RulesTest() {
    record_.id.bytes.fill(std::byte{1});
    record_.epochs = {{1, Bytes(32, std::byte{7})}};
    sign(record_);
  }
  void sign(RepositoryRecord& record) const { ASSERT_TRUE(repository::sign_record(record, root_)); }
  // The record that may follow.
  [[nodiscard]] RepositoryRecord next() const {
    RepositoryRecord next = record_;
    next.revision = 2;
    next.epochs.push_back({2, Bytes(32, std::byte{8})});
    next.revoked.push_back({{{std::byte{9}}}, 5});
    return next;
  }
  Code refusal(RepositoryRecord next) const {
    sign(next);
    const Status checked = check_next_record(record_, next);
    return checked ? Code{} : checked.error().code;
  }
  [[nodiscard]] KeySlot slot(uint8_t id, SlotKind kind = SlotKind::passphrase) const {
    KeySlot slot;
    slot.id.bytes[0] = static_cast<std::byte>(id);
    slot.kind = kind;
    slot.cipher = Bytes(32, std::byte{3});
    slot.sealed = Bytes(100, std::byte{4});
    if (kind == SlotKind::device) return slot;
    slot.salt = Bytes(16, std::byte{5});
    slot.public_half = Bytes(32, std::byte{6});
    slot.locked = Bytes(60, std::byte{7});
    slot.signature = root_.sign(repository::signed_part(slot, record_.id)).value();
    return slot;
  }
  [[nodiscard]] V4NewDevice newcomer(Role role) const {
    V4NewDevice device;
    device.certificate.role = role;
    device.device.bytes.fill(std::byte{2});
    if (role != Role::reader) return device;
    device.certificate.kem_public = Bytes(32, std::byte{1});
    device.slots = {slot(2, SlotKind::device)};
    device.slots[0].id.bytes = device.device.bytes;
    return device;
  }

  const identity::SigningKey root_ = identity::SigningKey::make(os::system_random()).value();
  RepositoryRecord record_;
};

TEST_F(V4RulesTest, the_next_record_may_add_epochs_and_revocations) {
  EXPECT_EQ(refusal(next()), Code{});
  EXPECT_TRUE(check_next_record(record_, record_)) << "the same again is no change";
}

TEST_F(V4RulesTest, a_record_that_the_root_key_did_not_sign_is_refused) {
  RepositoryRecord forged = next();
  sign(forged);
  forged.created_ns += 1;
  EXPECT_EQ(check_next_record(record_, forged).error().code, Code::auth);
  const auto thief = identity::SigningKey::make(os::system_random()).value();
  forged = next();
  ASSERT_TRUE(repository::sign_record(forged, thief));
  EXPECT_EQ(check_next_record(record_, forged).error().code, Code::auth);
  RepositoryRecord other = next();
  other.id.bytes[3] = std::byte{77};
  EXPECT_EQ(refusal(other), Code::auth);
}

TEST_F(V4RulesTest, revisions_follow_one_another) {
  for (const uint64_t revision : {0U, 1U, 3U, 4000U}) {
    RepositoryRecord wrong = next();
    wrong.revision = revision;
    EXPECT_EQ(refusal(wrong), Code::exists) << revision;
  }
}

TEST_F(V4RulesTest, epochs_and_revocations_are_never_taken_back_or_changed) {
  record_ = next();
  sign(record_);
  RepositoryRecord wrong = record_;
  wrong.revision = 3;
  EXPECT_EQ(refusal(wrong), Code{});
  RepositoryRecord fewer = wrong;
  fewer.epochs.pop_back();
  EXPECT_EQ(refusal(fewer), Code::invalid);
  RepositoryRecord changed = wrong;
  changed.epochs[0].public_half[0] ^= std::byte{1};
  EXPECT_EQ(refusal(changed), Code::invalid);
  RepositoryRecord back = wrong;
  back.revoked.clear();
  EXPECT_EQ(refusal(back), Code::invalid);
  RepositoryRecord later = wrong;
  later.revoked[0].since += 1;
  EXPECT_EQ(refusal(later), Code::invalid);
}

TEST_F(V4RulesTest, what_a_repository_keeps_for_ever_stays) {
  RepositoryRecord other = next();
  other.cutting.max /= 2;
  EXPECT_EQ(refusal(other), Code::invalid);
  other = next();
  other.suite = "crypto-legacy";
  EXPECT_EQ(refusal(other), Code::invalid);
  record_.features = {"a"};
  sign(record_);
  other = next();
  other.features = {"b"};
  EXPECT_EQ(refusal(other), Code::invalid);
}

TEST_F(V4RulesTest, a_slot_with_a_pair_is_signed_by_the_owner) {
  EXPECT_TRUE(check_slot(record_, slot(1)));
  KeySlot changed = slot(1);
  changed.public_half[0] ^= std::byte{1};
  EXPECT_EQ(check_slot(record_, changed).error().code, Code::auth);
  EXPECT_EQ(check_slot(record_, slot(1, SlotKind::device)).error().code, Code::invalid);
  KeySlot server = slot(1);
  server.kind = SlotKind::server;
  EXPECT_EQ(check_slot(record_, server).error().code, Code::invalid);
  KeySlot large = slot(1);
  large.sealed.resize(kLongestSlot + 1);
  EXPECT_EQ(check_slot(record_, large).error().code, Code::limit);
  record_.revoked = {{{slot(1).id.bytes}, 1}};
  EXPECT_EQ(check_slot(record_, slot(1)).error().code, Code::invalid);
}

TEST_F(V4RulesTest, newcomers_bring_the_slots_of_their_role) {
  EXPECT_TRUE(check_slots_of(record_, newcomer(Role::writer)));
  EXPECT_TRUE(check_slots_of(record_, newcomer(Role::reader)));
  V4NewDevice owner = newcomer(Role::owner);
  owner.slots = {slot(1)};
  EXPECT_TRUE(check_slots_of(record_, owner));

  V4NewDevice writer = newcomer(Role::writer);
  writer.slots = {slot(1)};
  EXPECT_FALSE(check_slots_of(record_, writer));
  V4NewDevice reader = newcomer(Role::reader);
  reader.slots[0].id.bytes[0] = std::byte{99};
  EXPECT_FALSE(check_slots_of(record_, reader)) << "another device's slot";
  reader = newcomer(Role::reader);
  reader.slots.push_back(slot(1));
  EXPECT_FALSE(check_slots_of(record_, reader));
  reader = newcomer(Role::reader);
  reader.certificate.kem_public.clear();
  EXPECT_FALSE(check_slots_of(record_, reader));
  owner.slots[0].locked[0] ^= std::byte{1};
  EXPECT_FALSE(check_slots_of(record_, owner));
}

TEST_F(V4RulesTest, rotation_leaves_a_slot_that_can_be_opened) {
  const repository::DeviceId reader = newcomer(Role::reader).device;
  const KeySlot own = newcomer(Role::reader).slots[0];
  const auto check = [&](const std::vector<KeySlot>& slots) {
    return check_all_slots(record_, slots, std::span(&reader, 1));
  };
  EXPECT_TRUE(check({slot(1), own}));
  EXPECT_FALSE(check({own}));
  EXPECT_FALSE(check({}));
  EXPECT_FALSE(check({slot(1), slot(1)}));
  EXPECT_FALSE(check({slot(1), slot(7, SlotKind::device)})) << "of no reader";
  std::vector<KeySlot> many;
  for (size_t i = 0; i <= kMostSlots; ++i) {
    many.push_back(slot(1));
    many.back().id.bytes[1] = static_cast<std::byte>(i);
    many.back().signature = root_.sign(repository::signed_part(many.back(), record_.id)).value();
  }
  EXPECT_EQ(check(many).error().code, Code::limit);
  many.pop_back();
  EXPECT_TRUE(check(many));
}

TEST_F(V4RulesTest, a_session_record_is_rewrapped_by_the_owner_alone) {
  const repository::SessionId session{};
  repository::SessionRecord rewrapped;
  rewrapped.epoch = 1;
  rewrapped.kem_cipher = Bytes(32);
  rewrapped.wrapped = Bytes(48);
  const auto signed_by = [&](const identity::SigningKey& key) {
    repository::SessionRecord record = rewrapped;
    record.signature = key.sign(repository::signed_part(record, record_.id, session)).value();
    return check_rewrapped(record_, session, record);
  };
  EXPECT_TRUE(signed_by(root_));
  const auto thief = identity::SigningKey::make(os::system_random()).value();
  EXPECT_EQ(signed_by(thief).error().code, Code::auth);
  rewrapped.epoch = 2;
  EXPECT_EQ(signed_by(root_).error().code, Code::invalid);
  rewrapped.epoch = 1;
  rewrapped.wrapped.clear();
  EXPECT_EQ(signed_by(root_).error().code, Code::invalid);
  rewrapped.wrapped = Bytes(48);
  rewrapped.device.bytes.fill(std::byte{1});
  EXPECT_EQ(signed_by(root_).error().code, Code::invalid);
}

}  // namespace
}  // namespace cb::server
