// SPDX-License-Identifier: Apache-2.0
//
// Key slots with the real plugins.
#include "core/repository/slots.h"

#include "core/identity/signing.h"
#include "core/repository/signatures.h"
#include "core/repository/slot_sealing.h"
#include "core/repository/suite_fixture.h"

namespace cb::repository {
namespace {

constexpr SlotCost kCheap{1, 8192};

class SlotsTest : public SuiteFixture {
 protected:
  SlotsTest() : repository_(fresh_repository()) {}

  [[nodiscard]] SlotMaker maker() {
    return {*crypto_, *random_, repository_.record.id, repository_.keyring};
  }

  void expect_ours(const Keyring& keyring) const {
    EXPECT_EQ(to_hex(keyring.write_key.view()), to_hex(repository_.keyring.write_key.view()));
    EXPECT_EQ(to_hex(keyring.root_seed.view()), to_hex(repository_.root.seed().view()));
    ASSERT_EQ(keyring.epochs.size(), 1u);
    EXPECT_EQ(keyring.epochs[0].epoch, 1u);
    EXPECT_EQ(to_hex(keyring.epochs[0].half.view()),
              to_hex(repository_.keyring.epochs[0].half.view()));
  }

  [[nodiscard]] Result<Keyring> open(const std::vector<KeySlot>& slots, std::string_view with) {
    return open_with_passphrase(*crypto_, repository_.record.id, slots, with);
  }

  NewRepository repository_;
};

TEST_F(SlotsTest, a_passphrase_opens_its_slot_and_another_is_denied) {
  const KeySlot slot = must(make_passphrase_slot(maker(), "open sesame", kCheap));
  expect_ours(must(open({slot}, "open sesame")));
  for (const char* wrong : {"", "open sesam", "Open sesame", "open sesame "})
    EXPECT_EQ(code_of(open({slot}, wrong)), Code::denied) << wrong;
}

TEST_F(SlotsTest, the_usual_cost_works_and_is_kept_in_the_slot) {
  const KeySlot slot = must(make_passphrase_slot(maker(), "p", {}));
  EXPECT_EQ(slot.operations, 3u);
  EXPECT_EQ(slot.memory, 64u << 20);
  EXPECT_EQ(slot.salt.size(), 16u);
  expect_ours(must(open({must(decode_slot(encode(slot)))}, "p")));
}

TEST_F(SlotsTest, any_of_several_passphrases_opens) {
  const std::vector<KeySlot> slots = {
      must(make_passphrase_slot(maker(), "one", kCheap)),
      must(make_recovery_slot(maker(), Bytes(32, std::byte{7}))),
      must(make_passphrase_slot(maker(), "two", kCheap)),
  };
  expect_ours(must(open(slots, "one")));
  expect_ours(must(open(slots, "two")));
  EXPECT_EQ(code_of(open(slots, "three")), Code::denied);
  EXPECT_EQ(code_of(open({slots[1]}, "one")), Code::not_found);
}

TEST_F(SlotsTest, a_recovery_code_opens_its_slot_and_another_is_denied) {
  const Bytes code = random_bytes(32, 5);
  const std::vector<KeySlot> slots = {must(make_recovery_slot(maker(), code))};
  EXPECT_TRUE(slots[0].salt.empty());
  const auto open_code = [&](const Bytes& with) {
    return open_with_recovery_code(*crypto_, repository_.record.id, slots, with);
  };
  expect_ours(must(open_code(code)));
  Bytes wrong = code;
  wrong[31] ^= std::byte{1};
  EXPECT_EQ(code_of(open_code(wrong)), Code::denied);
  EXPECT_EQ(code_of(open_code(Bytes(31))), Code::invalid);
  EXPECT_EQ(code_of(make_recovery_slot(maker(), Bytes(33))), Code::invalid);
}

// What is altered of a slot keeps it from opening or, where opening needs it not, from being sealed
// to again.
TEST_F(SlotsTest, every_flipped_bit_is_noticed) {
  const KeySlot slot = must(make_passphrase_slot(maker(), "p", kCheap));
  const Bytes good = encode(slot);
  for (size_t at = 0; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] ^= std::byte{1};
    const auto read = decode_slot(bad);
    ASSERT_FALSE(read && open({*read}, "p") && reseal_slot(maker(), *read)) << at;
  }
}

TEST_F(SlotsTest, a_slot_opens_only_in_its_own_repository) {
  const std::vector<KeySlot> slots = {must(make_passphrase_slot(maker(), "p", kCheap))};
  RepositoryId other = repository_.record.id;
  other.bytes[15] ^= std::byte{1};
  EXPECT_EQ(code_of(open_with_passphrase(*crypto_, other, slots, "p")), Code::denied);
}

TEST_F(SlotsTest, a_slot_that_asks_for_too_much_is_refused_before_anything_is_spent) {
  KeySlot slot = must(make_passphrase_slot(maker(), "p", kCheap));
  slot.memory = uint64_t{100} << 30;
  const auto much = open({slot}, "p");
  ASSERT_EQ(code_of(much), Code::limit);
  EXPECT_NE(much.error().text().find(slot.id.hex()), std::string::npos);
  slot.memory = 8192;
  slot.operations = uint64_t{1} << 60;
  EXPECT_EQ(code_of(open({slot}, "p")), Code::limit);
  slot.operations = 1;
  slot.locked.resize(1 << 20);
  EXPECT_EQ(code_of(open({slot}, "p")), Code::limit);
  // One bad slot does not stand before a good one.
  const KeySlot good = must(make_passphrase_slot(maker(), "p", kCheap));
  expect_ours(must(open({slot, good}, "p")));
}

// A server knows the public half, so it can seal what it likes to it.
TEST_F(SlotsTest, a_keyring_that_the_server_made_up_is_refused) {
  KeySlot slot = must(make_passphrase_slot(maker(), "p", kCheap));
  NewRepository forged = fresh_repository();
  const auto pair = must(crypto_->import_public(slot.public_half));
  must(seal_keyring(*crypto_, repository_.record.id, slot, pair, forged.keyring));
  EXPECT_EQ(code_of(open({slot}, "p")), Code::auth);
  // Not even when record and slot are signed anew by the root key that it made up.
  slot.signature = must(forged.root.sign(signed_part(slot, repository_.record.id)));
  EXPECT_EQ(code_of(open({slot}, "p")), Code::auth);
  must(seal_keyring(*crypto_, repository_.record.id, slot, pair,
                    keyring_of(repository_.keyring, Role::reader)));
  EXPECT_EQ(code_of(open({slot}, "p")), Code::auth);
}

TEST_F(SlotsTest, another_keyring_is_sealed_without_the_passphrase) {
  const Bytes code = random_bytes(32, 5);
  const std::vector<KeySlot> slots = {must(make_passphrase_slot(maker(), "p", kCheap)),
                                      must(make_recovery_slot(maker(), code))};
  Keyring more = repository_.keyring.clone();
  more.epochs.push_back({2, must(must(crypto_->pair_new()).private_form())});
  const SlotMaker next{*crypto_, *random_, repository_.record.id, more};
  const std::vector<KeySlot> fresh = {must(reseal_slot(next, slots[0])),
                                      must(reseal_slot(next, slots[1]))};
  EXPECT_EQ(must(open(fresh, "p")).epochs.size(), 2u);
  EXPECT_EQ(
      must(open_with_recovery_code(*crypto_, repository_.record.id, fresh, code)).epochs.size(),
      2u);
  EXPECT_EQ(code_of(open(fresh, "q")), Code::denied);
  EXPECT_EQ(fresh[0].id, slots[0].id);
  EXPECT_EQ(fresh[0].signature, slots[0].signature);
}

TEST_F(SlotsTest, nothing_is_sealed_to_a_slot_that_the_owner_did_not_sign) {
  KeySlot slot = must(make_passphrase_slot(maker(), "p", kCheap));
  slot.public_half = must(must(crypto_->pair_new()).public_half());
  EXPECT_EQ(code_of(reseal_slot(maker(), slot)), Code::auth);
}

TEST_F(SlotsTest, slots_of_format_1_are_read_and_made_anew) {
  KeySlot slot;
  slot.id.bytes.fill(std::byte{1});
  slot.salt = Bytes(16, std::byte{2});
  slot.operations = kCheap.operations;
  slot.memory = kCheap.memory;
  const Secret stretched = must(stretch(slot, "p"));
  slot.sealed = must(seal_first_format(*crypto_, repository_.record.id, slot, repository_.keyring,
                                       stretched.view()));
  expect_ours(must(open({must(decode_slot(encode(slot)))}, "p")));
  EXPECT_EQ(code_of(open({slot}, "q")), Code::denied);
  EXPECT_EQ(code_of(reseal_slot(maker(), slot)), Code::unsupported);
  EXPECT_EQ(code_of(renew_slot(maker(), slot, "q")), Code::denied);
  const KeySlot fresh = must(renew_slot(maker(), slot, "p"));
  EXPECT_EQ(fresh.id, slot.id);
  expect_ours(must(open({fresh}, "p")));
  expect_ours(must(open({must(reseal_slot(maker(), fresh))}, "p")));
}

TEST_F(SlotsTest, epochs_that_the_owner_did_not_sign_are_refused_and_forgotten_ones_dropped) {
  Keyring keyring = keyring_of(repository_.keyring, Role::reader);
  keyring.epochs.push_back({2, must(must(crypto_->pair_new()).private_form())});
  RepositoryRecord record = repository_.record;
  EXPECT_TRUE(check_keyring(*crypto_, keyring, record));
  EXPECT_EQ(keyring.epochs.size(), 1u);
  record.epochs[0].public_half = must(must(crypto_->pair_new()).public_half());
  EXPECT_EQ(code_of(check_keyring(*crypto_, keyring, record)), Code::auth);
  Keyring owner = repository_.keyring.clone();
  record = repository_.record;
  record.root[0] ^= std::byte{1};
  EXPECT_EQ(code_of(check_keyring(*crypto_, owner, record)), Code::auth);
}

class DeviceSlotTest : public SlotsTest {
 protected:
  DeviceSlotTest() {
    device_.bytes.fill(std::byte{6});
    made_ = must(make_device_lock(place(), *random_, "reader's own", kCheap));
    slot_ = must(
        make_device_slot(place(), made_.kem_public, keyring_of(repository_.keyring, Role::reader)));
  }
  [[nodiscard]] DeviceSlotPlace place() const {
    return {*crypto_, repository_.record.id, repository_.record.root, device_};
  }
  [[nodiscard]] Result<Keyring> open_it(const KeySlot& slot, std::string_view with) const {
    const std::vector<KeySlot> slots = {slot};
    return open_device_slot(place(), slots, made_.lock, with);
  }

  DeviceId device_;
  MadeDeviceLock made_;
  KeySlot slot_;
};

TEST_F(DeviceSlotTest, opens_with_the_readers_lock_and_passphrase) {
  const Keyring keyring = must(open_it(must(decode_slot(encode(slot_))), "reader's own"));
  EXPECT_EQ(keyring.role, Role::reader);
  EXPECT_EQ(keyring.epochs.size(), 1u);
  EXPECT_TRUE(keyring.root_seed.empty());
  EXPECT_EQ(code_of(open_it(slot_, "another")), Code::denied);
  EXPECT_EQ(code_of(open({slot_}, "reader's own")), Code::not_found);
  EXPECT_EQ(must(decode_device_lock(encode(made_.lock))), made_.lock);
}

TEST_F(DeviceSlotTest, is_told_apart_from_a_wrong_passphrase_when_the_server_altered_it) {
  KeySlot bad = slot_;
  bad.sealed.back() ^= std::byte{1};
  EXPECT_EQ(code_of(open_it(bad, "reader's own")), Code::auth);
  bad = slot_;
  bad.id.bytes.fill(std::byte{7});
  EXPECT_EQ(code_of(open_it(bad, "reader's own")), Code::not_found);
  const auto pair = must(crypto_->import_public(made_.kem_public));
  must(seal_keyring(*crypto_, repository_.record.id, bad = slot_, pair, repository_.keyring));
  EXPECT_EQ(code_of(open_it(bad, "reader's own")), Code::auth);
}

}  // namespace
}  // namespace cb::repository
