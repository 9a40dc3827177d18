// SPDX-License-Identifier: Apache-2.0
//
// What Accounts promises, as tests.
#include <atomic>
#include <thread>

#include "core/catalog/catalog_suite.h"

namespace cb::catalog {

int64_t AccountsSuite::add(const std::string& name) {
  Account account;
  account.name = name;
  account.created_ns = 7;
  return accounts().add_account(account).value_or(-1);
}

namespace {

Bytes16 id_of(uint8_t number) {
  Bytes16 id{};
  id.fill(std::byte{0x5a});
  id.back() = std::byte{number};
  return id;
}

Device make_device(int64_t account, uint8_t number) {
  Device device;
  device.id = id_of(number);
  device.account = account;
  device.public_key.fill(std::byte{number});
  device.certificate = to_bytes(as_bytes("certificate"));
  device.role = 2;
  device.created_ns = 10 + number;
  device.last_seen_ns = 20;
  return device;
}

PairingToken make_token(int64_t account, uint8_t number) {
  PairingToken token;
  token.id = id_of(number);
  token.secret_hash.fill(std::byte{number});
  token.account = account;
  token.expires_ns = 1'000;
  return token;
}

InviteRow make_invite(int64_t account, uint8_t number) {
  InviteRow invite;
  invite.id = id_of(number);
  invite.account = account;
  invite.record = to_bytes(as_bytes("invite"));
  invite.proof_hash.fill(std::byte{number});
  invite.sealed_keys = to_bytes(as_bytes("keys"));
  invite.expires_ns = 1'000;
  return invite;
}

template <typename T>
void expect_code(const Result<T>& result, Code code) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, code) << result.error().text();
}

TEST_P(AccountsSuite, an_account_comes_back_as_it_was_put_in_and_its_name_is_its_own) {
  Account account;
  account.name = "alice";
  account.kind = AccountKind::v3;
  account.created_ns = 1'700'000'000'000'000'000;
  const auto number = accounts().add_account(account);
  ASSERT_TRUE(number);
  expect_code(accounts().add_account(account), Code::exists);
  reopen();
  for (const auto& found :
       {accounts().account_by_name("alice"), accounts().account_by_number(*number)}) {
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->number, *number);
    EXPECT_EQ((*found)->name, "alice");
    EXPECT_EQ((*found)->kind, AccountKind::v3);
    EXPECT_FALSE((*found)->disabled);
    EXPECT_EQ((*found)->created_ns, account.created_ns);
  }
  EXPECT_FALSE(accounts().account_by_name("bob")->has_value());
  ASSERT_GT(add("Zoe"), 0);
  ASSERT_EQ(accounts().accounts()->size(), 2u);
  EXPECT_EQ(accounts().accounts()->front().name, "Zoe");
}

TEST_P(AccountsSuite, an_account_is_disabled_and_enabled_again) {
  const int64_t number = add("alice");
  ASSERT_TRUE(accounts().set_account_disabled(number, true));
  EXPECT_TRUE((*accounts().account_by_name("alice"))->disabled);
  ASSERT_TRUE(accounts().set_account_disabled(number, false));
  EXPECT_FALSE((*accounts().account_by_name("alice"))->disabled);
  expect_code(accounts().set_account_disabled(number + 1, true), Code::not_found);
}

TEST_P(AccountsSuite, a_token_pairs_one_device_and_no_second) {
  const PairingToken token = make_token(add("alice"), 1);
  ASSERT_TRUE(accounts().add_token(token));
  expect_code(accounts().add_token(token), Code::exists);
  auto found = accounts().token_by_id(token.id);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->secret_hash, token.secret_hash);
  EXPECT_EQ((*found)->account, token.account);
  EXPECT_EQ((*found)->expires_ns, 1'000);
  EXPECT_FALSE((*found)->used_by);
  ASSERT_TRUE(accounts().use_token(token.id, id_of(9), 999));
  expect_code(accounts().use_token(token.id, id_of(9), 999), Code::denied);
  expect_code(accounts().use_token(id_of(2), id_of(9), 999), Code::not_found);
  reopen();
  found = accounts().token_by_id(token.id);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->used_by, id_of(9));
}

TEST_P(AccountsSuite, a_token_ends_at_its_end) {
  const PairingToken token = make_token(add("alice"), 1);
  ASSERT_TRUE(accounts().add_token(token));
  expect_code(accounts().use_token(token.id, id_of(9), 1'000), Code::denied);
  EXPECT_FALSE((*accounts().token_by_id(token.id))->used_by);
  EXPECT_TRUE(accounts().use_token(token.id, id_of(9), 999));
}

TEST_P(AccountsSuite, of_many_who_use_a_token_at_once_one_gets_it) {
  const PairingToken token = make_token(add("alice"), 1);
  ASSERT_TRUE(accounts().add_token(token));
  std::atomic<int> lucky = 0;
  std::vector<std::thread> threads;
  for (uint8_t i = 0; i < 8; ++i)
    threads.emplace_back([&, i, mine = second()] {
      if (mine->accounts().use_token(token.id, id_of(i), 1)) ++lucky;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(lucky, 1);
}

TEST_P(AccountsSuite, a_device_comes_back_as_it_was_put_in_and_is_listed_with_its_account) {
  const int64_t alice = add("alice");
  const int64_t bob = add("bob");
  const Device device = make_device(alice, 1);
  ASSERT_TRUE(accounts().add_device(device));
  ASSERT_TRUE(accounts().add_device(make_device(bob, 2)));
  expect_code(accounts().add_device(device), Code::exists);
  const std::array<DeviceSeen, 2> seen = {{{id_of(7), 55}, {device.id, 55}}};
  ASSERT_TRUE(accounts().touch_devices(seen)) << "one that is unknown is passed over";
  reopen();
  const auto found = accounts().device_by_id(device.id);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->account, alice);
  EXPECT_EQ((*found)->public_key, device.public_key);
  EXPECT_EQ((*found)->certificate, device.certificate);
  EXPECT_EQ((*found)->role, 2u);
  EXPECT_EQ((*found)->state, DeviceState::active);
  EXPECT_EQ((*found)->created_ns, 11);
  EXPECT_EQ((*found)->last_seen_ns, 55);
  EXPECT_EQ(accounts().devices(alice)->size(), 1u);
  EXPECT_FALSE(accounts().device_by_id(id_of(7))->has_value());
}

TEST_P(AccountsSuite, a_revoked_device_stays_revoked) {
  const Device device = make_device(add("alice"), 1);
  ASSERT_TRUE(accounts().add_device(device));
  ASSERT_TRUE(accounts().set_device_state(device.id, DeviceState::disabled));
  ASSERT_TRUE(accounts().set_device_state(device.id, DeviceState::active));
  ASSERT_TRUE(accounts().set_device_state(device.id, DeviceState::revoked));
  EXPECT_TRUE(accounts().set_device_state(device.id, DeviceState::revoked));
  expect_code(accounts().set_device_state(device.id, DeviceState::active), Code::denied);
  expect_code(accounts().set_device_state(id_of(7), DeviceState::active), Code::not_found);
  EXPECT_EQ((*accounts().device_by_id(device.id))->state, DeviceState::revoked);
}

TEST_P(AccountsSuite, an_account_has_a_password_when_it_is_given_one) {
  const int64_t number = add("alice");
  EXPECT_EQ((*accounts().account_by_name("alice"))->password_hash, "");
  ASSERT_TRUE(accounts().set_password_hash(number, "$argon2id$one"));
  expect_code(accounts().set_password_hash(number + 1, "$argon2id$one"), Code::not_found);
  reopen();
  EXPECT_EQ((*accounts().account_by_number(number))->password_hash, "$argon2id$one");
  ASSERT_TRUE(accounts().set_password_hash(number, ""));
  EXPECT_EQ(accounts().accounts()->front().password_hash, "");
  Account account;
  account.name = "bob";
  account.password_hash = "$argon2id$two";
  ASSERT_TRUE(accounts().add_account(account));
  EXPECT_EQ((*accounts().account_by_name("bob"))->password_hash, "$argon2id$two");
}

TEST_P(AccountsSuite, an_invite_comes_back_as_it_was_put_in_and_is_listed_with_its_account) {
  const int64_t alice = add("alice");
  const int64_t bob = add("bob");
  const InviteRow invite = make_invite(alice, 9);
  ASSERT_TRUE(accounts().add_invite(invite));
  ASSERT_TRUE(accounts().add_invite(make_invite(alice, 3)));
  ASSERT_TRUE(accounts().add_invite(make_invite(bob, 4)));
  expect_code(accounts().add_invite(invite), Code::exists);
  reopen();
  const auto found = *accounts().invite_by_id(invite.id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->account, alice);
  EXPECT_EQ(found->record, invite.record);
  EXPECT_EQ(found->proof_hash, invite.proof_hash);
  EXPECT_EQ(found->sealed_keys, invite.sealed_keys);
  EXPECT_EQ(found->expires_ns, 1'000);
  EXPECT_FALSE(found->used_by);
  const auto all = *accounts().invites(alice);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].id, id_of(9));  // oldest first
  EXPECT_EQ(all[1].id, id_of(3));
  ASSERT_TRUE(accounts().remove_invite(invite.id));
  expect_code(accounts().remove_invite(invite.id), Code::not_found);
  EXPECT_FALSE(accounts().invite_by_id(invite.id)->has_value());
}

TEST_P(AccountsSuite, an_invite_brings_one_device_and_ends_at_its_end) {
  const InviteRow invite = make_invite(add("alice"), 1);
  ASSERT_TRUE(accounts().add_invite(invite));
  expect_code(accounts().use_invite(invite.id, id_of(9), 1'000), Code::denied);
  expect_code(accounts().use_invite(id_of(2), id_of(9), 999), Code::not_found);
  ASSERT_TRUE(accounts().use_invite(invite.id, id_of(9), 999));
  expect_code(accounts().use_invite(invite.id, id_of(8), 999), Code::denied);
  auto found = *accounts().invite_by_id(invite.id);
  EXPECT_EQ(found->used_by, id_of(9));
  EXPECT_EQ(found->sealed_keys, invite.sealed_keys);
  ASSERT_TRUE(accounts().finish_invite(invite.id));
  expect_code(accounts().finish_invite(id_of(2)), Code::not_found);
  found = *accounts().invite_by_id(invite.id);
  EXPECT_TRUE(found->sealed_keys.empty());
  EXPECT_EQ(found->used_by, id_of(9));
}

TEST_P(AccountsSuite, of_many_who_use_an_invite_at_once_one_gets_it) {
  const InviteRow invite = make_invite(add("alice"), 1);
  ASSERT_TRUE(accounts().add_invite(invite));
  std::atomic<int> lucky = 0;
  std::vector<std::thread> threads;
  for (uint8_t i = 0; i < 8; ++i)
    threads.emplace_back([&, i, mine = second()] {
      if (mine->accounts().use_invite(invite.id, id_of(i), 1)) ++lucky;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(lucky, 1);
}

TEST_P(AccountsSuite, an_account_of_protocol_v3_can_become_one_of_v4) {
  Account account;
  account.name = "v3/00";
  account.kind = AccountKind::v3;
  const int64_t number = accounts().add_account(account).value_or(0);
  const int64_t bob = add("bob");
  ASSERT_TRUE(accounts().set_account_kind(number, AccountKind::v4));
  expect_code(accounts().set_account_kind(77, AccountKind::v4), Code::not_found);
  reopen();
  EXPECT_EQ((*accounts().account_by_number(number))->kind, AccountKind::v4);
  ASSERT_TRUE(accounts().set_account_kind(bob, AccountKind::v3));
  EXPECT_EQ((*accounts().account_by_number(number))->kind, AccountKind::v4);
}

TEST_P(AccountsSuite, tokens_invites_and_devices_need_their_account) {
  expect_code(accounts().add_invite(make_invite(77, 1)), Code::not_found);
  expect_code(accounts().add_token(make_token(77, 1)), Code::not_found);
  expect_code(accounts().add_device(make_device(77, 1)), Code::not_found);
}

}  // namespace
}  // namespace cb::catalog
