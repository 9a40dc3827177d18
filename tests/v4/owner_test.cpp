// SPDX-License-Identifier: Apache-2.0
//
// What an owner changes: devices, the record, slots, sessions; and what nobody else's rules allow.
#include <gmock/gmock.h>

#include <filesystem>

#include "core/server/v4_owners.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using repository::Role;
using testing::HasSubstr;
using v4::Request;
using v4::Response;

class V4OwnersActs : public V4Server {
 protected:
  V4OwnersActs() : owner_(V4Owner::make()) {
    start();
    peer_ = enrolled("alice", owner_);
  }
  static v4::pb::SetDevice set_device(const repository::DeviceId& device, uint32_t state) {
    v4::pb::SetDevice message;
    message.set_device(v4::field_of(device.view()));
    message.set_state(state);
    return message;
  }
  std::string put(const v4::pb::PutRecord& message) {
    return tell(*peer_, Request::put_record, message);
  }
  // The account's note in the store says so.
  uint64_t noted_state(const repository::DeviceId& device) {
    os::Path note;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "store"))
      if (entry.path().filename() == "account") note = entry.path();
    const auto bytes = os::read_file(os::real_file_system(), note, 1 << 20);
    if (!bytes) return 99;
    const auto account = repository::decode_account(*bytes).value();
    for (const auto& one : account.devices)
      if (one.device == device) return one.state;
    return 0;
  }
  std::vector<std::string> slots() {
    const auto reply = ask(*peer_, Request::slots, v4::pb::Slots()).as<v4::pb::SlotsReply>();
    return {reply.slots().begin(), reply.slots().end()};
  }

  std::string add(const repository::KeySlot& slot) {
    v4::pb::AddSlot message;
    message.set_slot(v4::field_of(repository::encode(slot)));
    return tell(*peer_, Request::add_slot, message);
  }
  std::string remove(const repository::KeySlot& slot) {
    v4::pb::RemoveSlot message;
    message.set_slot(v4::field_of(slot.id.view()));
    return tell(*peer_, Request::remove_slot, message);
  }

  V4Owner owner_;
  std::unique_ptr<V4Peer> peer_;
};

TEST_F(V4OwnersActs, a_disabled_device_is_out_at_once_and_in_again_when_enabled) {
  const V4Invited writer = joined(*peer_, owner_, Role::writer);
  auto running = member(writer.member(owner_));
  EXPECT_EQ(tell(*peer_, Request::set_device, set_device(writer.device, 1)), "");
  EXPECT_TRUE(running->ended());
  EXPECT_THAT(peer()->login(writer.member(owner_))->failure(), HasSubstr("disabled or revoked"));
  EXPECT_EQ(noted_state(writer.device), 1U);
  EXPECT_EQ(tell(*peer_, Request::set_device, set_device(writer.device, 0)), "");
  EXPECT_EQ(noted_state(writer.device), 0U);
  member(writer.member(owner_));
  EXPECT_TRUE(log_.contains("v4.device.disabled"));
}

TEST_F(V4OwnersActs, devices_of_others_and_the_own_one_are_not_switched) {
  V4Owner other = V4Owner::make();
  enrolled("bob", other);
  EXPECT_THAT(tell(*peer_, Request::set_device, set_device(other.device, 1)),
              HasSubstr("none of this account"));
  EXPECT_THAT(tell(*peer_, Request::set_device, set_device(owner_.device, 1)),
              HasSubstr("the one that asks"));
  const V4Invited writer = joined(*peer_, owner_, Role::writer);
  for (const uint32_t state : {2U, 3U, 4000U})
    EXPECT_THAT(tell(*peer_, Request::set_device, set_device(writer.device, state)),
                HasSubstr("like this"));
  member(other);
}

TEST_F(V4OwnersActs, a_revoked_device_is_out_at_once_and_for_ever) {
  const V4Invited writer = joined(*peer_, owner_, Role::writer);
  const V4Invited reader = joined(*peer_, owner_, Role::reader);
  auto running = member(writer.member(owner_));
  auto other = member(reader.member(owner_));
  const auto next = next_record(owner_, {revocation(writer.device.view())});
  ASSERT_EQ(put(put_record(next)), "");
  EXPECT_TRUE(running->ended());
  EXPECT_THAT(peer()->login(writer.member(owner_))->failure(), HasSubstr("disabled or revoked"));
  EXPECT_EQ(noted_state(writer.device), 2U);
  EXPECT_NE(tell(*peer_, Request::set_device, set_device(writer.device, 0)), "");
  EXPECT_THAT(peer()->login(writer.member(owner_))->failure(), HasSubstr("disabled or revoked"));
  // Who was not revoked goes on, and gets the new record at the next login.
  other->request(Request::counts, 5);
  EXPECT_EQ(other->answer()->code, Response::counts);
  const auto login = peer()->login(reader.member(owner_));
  EXPECT_EQ(login->as<v4::pb::LoginReply>().repository(), v4::field_of(repository::encode(next)));
  EXPECT_THAT(log_.text(), HasSubstr("1 devices revoked"));
}

TEST_F(V4OwnersActs, revoking_an_invite_puts_out_the_device_that_came_with_it) {
  const V4Invited writer = joined(*peer_, owner_, Role::writer);
  auto running = member(writer.member(owner_));
  ASSERT_EQ(put(put_record(next_record(owner_, {revocation(writer.invite.id.view())}))), "");
  EXPECT_TRUE(running->ended());
  EXPECT_THAT(peer()->login(writer.member(owner_))->failure(), HasSubstr("disabled or revoked"));
}

TEST_F(V4OwnersActs, the_same_record_again_is_done_and_another_one_must_follow) {
  const auto next = next_record(owner_);
  ASSERT_EQ(put(put_record(next)), "");
  EXPECT_EQ(put(put_record(next)), "") << "after a lost answer";
  EXPECT_THAT(put(put_record(next_record(owner_))), HasSubstr("is the newest here"));
  EXPECT_THAT(put(put_record(owner_.record)), HasSubstr("is the newest here"));
  auto forged = next;
  forged.revision = 3;
  EXPECT_THAT(put(put_record(forged)), HasSubstr("not signed by its owner"));
}

TEST_F(V4OwnersActs, a_commit_that_was_faster_than_a_revocation_ends_no_session) {
  const V4Invited writer = joined(*peer_, owner_, Role::writer);
  const V4Blobs blobs(2000);
  auto running = member(writer.member(owner_));
  for (const auto& blob : blobs.all) running->put(running->next_id++, blob.head, blob.stored);
  ASSERT_EQ(ask(*running, Request::commit, blobs.commit(writer.member(owner_))).code,
            Response::commit);
  EXPECT_THAT(put(put_record(next_record(owner_, {revocation(writer.device.view(), 1)}))),
              HasSubstr("was made meanwhile"));
  ASSERT_EQ(put(put_record(next_record(owner_, {revocation(writer.device.view(), 2)}))), "");
  EXPECT_TRUE(running->ended());
}

TEST_F(V4OwnersActs, what_waited_for_its_turn_is_refused_when_its_device_is_out_by_then) {
  const V4Invited second = joined(*peer_, owner_, Role::owner);
  ASSERT_EQ(put(put_record(next_record(owner_, {revocation(second.device.view())}))), "");
  const auto catalog = catalog::open_sqlite_catalog((folder_ / "catalog.sqlite").string(), false);
  ASSERT_TRUE(catalog) << catalog.error().text();
  AccountLocks locks;
  V4Owners::Parts parts;  // it must not come as far as to use the others
  parts.accounts = &(*catalog)->accounts();
  parts.changes = &locks;
  const V4Owners owners(parts);
  V4Member member;
  member.device = second.device;
  member.account = (*catalog)->accounts().account_by_name("alice").value().value();
  const auto refused = [](const auto& result) {
    return !result && result.error().code == Code::denied;
  };
  EXPECT_TRUE(refused(owners.put_record(member, owner_.record, std::nullopt)));
  EXPECT_TRUE(refused(owners.add_slot(member, owner_.slot)));
  EXPECT_TRUE(refused(owners.remove_slot(member, owner_.slot.id)));
  EXPECT_TRUE(refused(owners.set_device(member, owner_.device, catalog::DeviceState::disabled)));
  EXPECT_TRUE(refused(owners.remove_invite(member, second.invite.id)));
  EXPECT_TRUE(refused(owners.put_sessions(member, {})));
}

TEST_F(V4OwnersActs, an_owner_does_not_revoke_the_device_that_asks) {
  EXPECT_THAT(put(put_record(next_record(owner_, {revocation(owner_.device.view())}))),
              HasSubstr("the one that asks"));
  peer_->request(Request::counts, 5);
  EXPECT_EQ(peer_->answer()->code, Response::counts);
}

TEST_F(V4OwnersActs, rotation_puts_record_and_slots_in_one_step) {
  const V4Invited reader = joined(*peer_, owner_, Role::reader);
  const auto next = next_record(owner_);
  v4::pb::PutRecord message = put_record(next);
  message.set_replaces_slots(true);
  EXPECT_THAT(put(message), HasSubstr("no passphrase"));
  const std::string slot = v4::field_of(repository::encode(signed_slot(owner_)));
  const std::string device = v4::field_of(repository::encode(reader.slots[0]));
  message.add_slots(slot);
  message.add_slots(device);
  // Whose slot it is may not know of this rotation.
  EXPECT_THAT(put(message), HasSubstr("was added meanwhile"));
  const std::string first = v4::field_of(repository::encode(owner_.slot));
  message.add_slots(first);
  ASSERT_EQ(put(message), "");
  EXPECT_THAT(slots(), testing::UnorderedElementsAre(slot, device, first));
}

TEST_F(V4OwnersActs, slots_that_the_root_key_did_not_sign_are_refused) {
  repository::KeySlot forged = signed_slot(owner_);
  forged.public_half[0] ^= std::byte{1};
  v4::pb::AddSlot add;
  add.set_slot(v4::field_of(repository::encode(forged)));
  EXPECT_THAT(tell(*peer_, Request::add_slot, add), HasSubstr("not signed by the owner"));
  v4::pb::PutRecord message = put_record(next_record(owner_));
  message.set_replaces_slots(true);
  message.add_slots(add.slot());
  EXPECT_THAT(put(message), HasSubstr("not signed by the owner"));
  message.clear_slots();
  for (size_t i = 0; i <= kMostSlots; ++i)
    message.add_slots(v4::field_of(repository::encode(signed_slot(owner_))));
  EXPECT_THAT(put(message), HasSubstr("too many"));
  add.set_slot(v4::field_of(repository::encode(signed_slot(owner_))));
  EXPECT_EQ(tell(*peer_, Request::add_slot, add), "");
  EXPECT_EQ(slots().size(), 2U);
}

TEST_F(V4OwnersActs, a_slot_that_is_revoked_goes_with_the_record) {
  v4::pb::AddSlot add;
  const auto slot = signed_slot(owner_);
  add.set_slot(v4::field_of(repository::encode(slot)));
  ASSERT_EQ(tell(*peer_, Request::add_slot, add), "");
  ASSERT_EQ(put(put_record(next_record(owner_, {revocation(slot.id.view())}))), "");
  EXPECT_EQ(slots(), std::vector{v4::field_of(repository::encode(owner_.slot))});
  EXPECT_THAT(tell(*peer_, Request::add_slot, add), HasSubstr("was revoked"));
}

TEST_F(V4OwnersActs, the_last_slot_that_opens_stays_whatever_readers_have) {
  joined(*peer_, owner_, Role::reader);
  EXPECT_THAT(remove(owner_.slot), HasSubstr("last that can be opened"));
}

TEST_F(V4OwnersActs, a_device_without_the_passphrase_destroys_no_slot) {
  const auto mine = signed_slot(owner_);
  ASSERT_EQ(add(mine), "");
  ASSERT_EQ(add(mine), "") << "after a lost answer";
  const auto before = slots();
  auto garbage = mine;
  garbage.sealed = random_bytes(garbage.sealed.size());
  EXPECT_THAT(add(garbage), HasSubstr("is there already")) << "the signature is a genuine one";
  garbage = owner_.slot;
  garbage.sealed = random_bytes(garbage.sealed.size());
  EXPECT_THAT(add(garbage), HasSubstr("not signed by the owner"));
  garbage.id.bytes[0] ^= std::byte{1};
  EXPECT_THAT(add(garbage), HasSubstr("not signed by the owner"));
  EXPECT_THAT(remove(mine), HasSubstr("record that the owner signs"));
  EXPECT_EQ(slots(), before);
}

TEST_F(V4OwnersActs, a_slot_of_the_first_format_goes_when_a_signed_one_stays) {
  const auto mine = signed_slot(owner_);
  ASSERT_EQ(add(mine), "");
  EXPECT_EQ(remove(owner_.slot), "");
  EXPECT_EQ(slots(), std::vector{v4::field_of(repository::encode(mine))});
}

TEST_F(V4OwnersActs, an_enrolment_that_is_repeated_changes_no_slot) {
  V4Owner other = V4Owner::make();
  auto first = peer();
  const std::string once = token("carol");
  ASSERT_EQ(first->enroll(other, once)->failure(), "");
  const auto kept = v4::field_of(repository::encode(other.slot));
  for (const bool is_new : {false, true}) {
    other.slot.sealed = random_bytes(100);
    if (is_new) other.slot.id.bytes[0] ^= std::byte{1};
    EXPECT_EQ(peer()->enroll(other, once)->failure(), "");
    const auto found = ask(*first, Request::slots, v4::pb::Slots()).as<v4::pb::SlotsReply>();
    ASSERT_EQ(found.slots_size(), 1);
    EXPECT_EQ(found.slots(0), kept);
  }
}

TEST_F(V4OwnersActs, messages_that_are_none_and_counts_beyond_the_limits_are_refused) {
  for (const Request request : {Request::add_invite, Request::put_record, Request::put_sessions,
                                Request::verified, Request::chain, Request::sessions}) {
    auto one = member(owner_);
    one->request(request, 7, Bytes(3, std::byte{0xff}));
    EXPECT_TRUE(one->answer()->as<v4::pb::Failure>().fatal()) << static_cast<int>(request);
    EXPECT_TRUE(one->ended());
  }
  v4::pb::Verified verified;
  verified.set_device(v4::field_of(owner_.device.view()));
  verified.set_ids(std::string((v4::kIdsMax + 1) * 32, 'x'));
  EXPECT_NE(tell(*peer_, Request::verified, verified), "");
  verified.set_ids(std::string(33, 'x'));
  EXPECT_NE(tell(*peer_, Request::verified, verified), "");
}

TEST_F(V4OwnersActs, other_accounts_devices_are_not_there_to_be_read_or_condemned) {
  V4Owner other = V4Owner::make();
  enrolled("bob", other);
  v4::pb::Verified verified;
  verified.set_device(v4::field_of(other.device.view()));
  verified.set_ids(std::string(32, 'x'));
  verified.set_bad(true);
  EXPECT_THAT(tell(*peer_, Request::verified, verified), HasSubstr("none of this account"));
  v4::pb::Get get;
  get.set_ids(std::string(32, 'x'));
  get.set_device(v4::field_of(other.device.view()));
  EXPECT_THAT(ask(*peer_, Request::get, get).failure(), HasSubstr("none of this account"));
  get.set_device(std::string(16, '\0'));
  EXPECT_EQ(ask(*peer_, Request::get, get).code, Response::get_end);
}

TEST_F(V4OwnersActs, the_chain_gives_the_commits_as_they_were_signed) {
  std::vector<std::string> receipts;
  for (uint32_t i = 0; i < 3; ++i) {
    const V4Blobs blobs(2000);
    for (const auto& blob : blobs.all) peer_->put(peer_->next_id++, blob.head, blob.stored);
    receipts.push_back(
        ask(*peer_, Request::commit, blobs.commit(owner_)).as<v4::pb::CommitReply>().receipt());
  }
  v4::pb::Chain from;
  from.set_sequence(2);
  const auto chain = ask(*peer_, Request::chain, from).as<v4::pb::ChainReply>();
  ASSERT_EQ(chain.commits_size(), 2);
  EXPECT_EQ(chain.commits(0), receipts[1]);
  EXPECT_EQ(chain.commits(1), receipts[2]);
  EXPECT_TRUE(chain.last());
  from.set_sequence(4);
  const auto end = ask(*peer_, Request::chain, from).as<v4::pb::ChainReply>();
  EXPECT_EQ(end.commits_size(), 0);
  EXPECT_TRUE(end.last());
}

TEST_F(V4OwnersActs, a_page_of_session_records_fits_a_frame_whatever_writers_put) {
  std::map<std::string, size_t> sizes;
  const auto put_session = [&](size_t size) {
    repository::SessionRecord record;
    record.epoch = 1;
    record.kem_cipher = random_bytes(size);
    repository::BlobHead head;
    head.kind = repository::BlobKind::session;
    const Bytes id = random_bytes(16);
    std::copy(id.begin(), id.end(), head.id.bytes.begin());
    const Bytes encoded = repository::encode(record);
    head.stored_size = static_cast<uint32_t>(encoded.size());
    peer_->put(peer_->next_id++, head, encoded);
    sizes[v4::field_of(id)] = encoded.size();
  };
  for (size_t i = 0; i < 80; ++i) put_session(3000);
  ASSERT_EQ(ask(*peer_, Request::flush, v4::pb::Flush()).code, Response::flush);
  size_t found = 0;
  v4::pb::Sessions from;
  from.set_epoch(2);
  for (bool last = false; !last;) {
    const auto page = ask(*peer_, Request::sessions, from).as<v4::pb::SessionsReply>();
    ASSERT_GT(page.sessions_size(), 0);
    EXPECT_LE(page.ByteSizeLong(), 128U * 1024);
    found += static_cast<size_t>(page.sessions_size());
    from.set_after(page.sessions().rbegin()->session());
    last = page.last();
  }
  EXPECT_EQ(found, sizes.size());
  put_session(5000);
  EXPECT_THAT(ask(*peer_, Request::flush, v4::pb::Flush()).failure(), HasSubstr("is too long"));
}

TEST_F(V4OwnersActs, session_records_are_listed_and_rewrapped_for_a_new_epoch) {
  const V4Blobs blobs(2000);
  for (const auto& blob : blobs.all) peer_->put(peer_->next_id++, blob.head, blob.stored);
  ASSERT_EQ(ask(*peer_, Request::commit, blobs.commit(owner_)).code, Response::commit);
  const auto next = next_record(owner_);
  ASSERT_EQ(put(put_record(next)), "");
  v4::pb::Sessions old;
  old.set_epoch(2);
  const auto listed = ask(*peer_, Request::sessions, old).as<v4::pb::SessionsReply>();
  ASSERT_EQ(listed.sessions_size(), 1);
  EXPECT_EQ(listed.sessions(0).session(), v4::field_of(blobs.session.view()));

  repository::SessionRecord record;
  record.epoch = 2;
  record.kem_cipher = random_bytes(32);
  record.wrapped = random_bytes(48);
  const auto message = [&](const identity::SigningKey& key) {
    record.signature =
        key.sign(repository::signed_part(record, owner_.record.id, blobs.session)).value();
    v4::pb::PutSessions put;
    auto* info = put.add_sessions();
    info->set_session(v4::field_of(blobs.session.view()));
    info->set_record(v4::field_of(repository::encode(record)));
    return put;
  };
  EXPECT_NE(tell(*peer_, Request::put_sessions, message(owner_.key)), "") << "not the root key";
  record.epoch = 3;
  EXPECT_NE(tell(*peer_, Request::put_sessions, message(owner_.root)), "") << "no such epoch";
  record.epoch = 1;
  EXPECT_NE(tell(*peer_, Request::put_sessions, message(owner_.root)), "") << "not higher";
  record.epoch = 2;
  EXPECT_EQ(tell(*peer_, Request::put_sessions, message(owner_.root)), "");
  EXPECT_EQ(ask(*peer_, Request::sessions, old).as<v4::pb::SessionsReply>().sessions_size(), 0);
}

}  // namespace
}  // namespace cb::server
