// SPDX-License-Identifier: Apache-2.0
//
// Devices that come with an owner's invite, honest ones and others.
#include <gmock/gmock.h>

#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using repository::Role;
using testing::HasSubstr;
using v4::Request;
using v4::Response;

class V4Invites : public V4Server {
 protected:
  V4Invites() : owner_(V4Owner::make()) {
    start();
    owners_peer_ = enrolled("alice", owner_);
  }
  std::string invite(const V4Invited& invited) {
    return tell(*owners_peer_, Request::add_invite, invited.add_invite());
  }
  // Joins over a connection of its own; what that failed with, or "".
  std::string join(const V4Invited& invited) {
    auto comer = peer();
    EXPECT_TRUE(comer->hello());
    return ask(*comer, Request::join, invited.join(comer->statement(invited.device))).failure();
  }
  std::string open(const V4Invited& invited) {
    auto comer = peer();
    EXPECT_TRUE(comer->hello());
    return ask(*comer, Request::open_invite, invited.open_invite()).failure();
  }

  V4Owner owner_;
  std::unique_ptr<V4Peer> owners_peer_;
};

TEST_F(V4Invites, an_invite_is_opened_and_each_role_joins_and_logs_in) {
  for (const Role role : {Role::owner, Role::writer, Role::reader}) {
    const V4Invited invited = V4Invited::make(owner_, role);
    ASSERT_EQ(invite(invited), "");
    auto comer = peer();
    ASSERT_TRUE(comer->hello());
    const V4Answer opened = ask(*comer, Request::open_invite, invited.open_invite());
    ASSERT_EQ(opened.code, Response::open_invite) << opened.failure();
    const auto reply = opened.as<v4::pb::OpenInviteReply>();
    EXPECT_EQ(reply.account(), "alice");
    EXPECT_EQ(reply.invite(), v4::field_of(repository::encode(invited.invite)));
    EXPECT_EQ(reply.repository(), v4::field_of(repository::encode(owner_.record)));
    EXPECT_EQ(reply.sealed_keys(), v4::field_of(invited.sealed_keys));
    // On the same connection, as nobody was logged in by it.
    const V4Answer answer =
        ask(*comer, Request::join, invited.join(comer->statement(invited.device)));
    ASSERT_EQ(answer.code, Response::enroll) << answer.failure();
    EXPECT_EQ(answer.as<v4::pb::EnrollReply>().account(), "alice");
    auto again = member(invited.member(owner_));
    again->request(Request::counts, 5);
    EXPECT_EQ(again->answer()->code, Response::counts);
  }
}

TEST_F(V4Invites, the_list_shows_devices_invites_and_who_is_there) {
  const V4Invited writer = joined(*owners_peer_, owner_, Role::writer);
  const V4Invited waiting = V4Invited::make(owner_, Role::reader);
  ASSERT_EQ(invite(waiting), "");
  auto running = member(writer.member(owner_));
  const auto list =
      ask(*owners_peer_, Request::devices, v4::pb::Devices()).as<v4::pb::DevicesReply>();
  ASSERT_EQ(list.devices_size(), 2);
  EXPECT_EQ(list.devices(1).certificate(), v4::field_of(repository::encode(writer.certificate)));
  EXPECT_EQ(list.devices(0).sessions(), 1U);
  EXPECT_GE(list.devices(1).sessions(), 1U);
  EXPECT_GT(list.devices(1).last_seen_ns(), 0);
  EXPECT_EQ(list.devices(1).state(), 0U);
  ASSERT_EQ(list.invites_size(), 2);
  std::map<std::string, std::string> used;
  for (const auto& info : list.invites()) used[info.invite()] = info.used_by();
  EXPECT_EQ(used[v4::field_of(repository::encode(writer.invite))],
            v4::field_of(writer.device.view()));
  EXPECT_EQ(used[v4::field_of(repository::encode(waiting.invite))], "");
}

TEST_F(V4Invites, an_invite_works_once_but_the_same_device_may_repeat_a_lost_join) {
  const V4Invited first = joined(*owners_peer_, owner_, Role::writer);
  EXPECT_EQ(join(first), "");
  V4Invited second = V4Invited::make(owner_, Role::writer);
  second.invite_key = identity::SigningKey::from_seed(first.invite_key.seed().view()).value();
  second.invite = first.invite;
  second.proof = first.proof;
  second.sign(owner_);
  EXPECT_THAT(join(second), HasSubstr("has been used"));
  EXPECT_THAT(open(first), HasSubstr("has been used"));
  // Not with another certificate, either.
  V4Invited other = V4Invited::make(owner_, Role::writer);
  other.key = identity::SigningKey::from_seed(first.key.seed().view()).value();
  other.device = first.device;
  other.certificate.device = first.key.public_key();
  other.sign(owner_);
  ASSERT_EQ(invite(other), "");
  EXPECT_THAT(join(other), HasSubstr("is enrolled already"));
}

TEST_F(V4Invites, a_repeated_join_brings_no_old_keys_back) {
  const V4Invited reader = joined(*owners_peer_, owner_, Role::reader);
  V4Invited stale = V4Invited::make(owner_, Role::reader);
  stale.slots = reader.slots;
  stale.slots[0].sealed[0] ^= std::byte{1};
  auto comer = peer();
  ASSERT_TRUE(comer->hello());
  v4::pb::Join message = reader.join(comer->statement(reader.device));
  *message.mutable_slots(0) = v4::field_of(repository::encode(stale.slots[0]));
  EXPECT_EQ(ask(*comer, Request::join, message).code, Response::enroll);
  const auto slots = ask(*owners_peer_, Request::slots, v4::pb::Slots()).as<v4::pb::SlotsReply>();
  const std::string kept = v4::field_of(repository::encode(reader.slots[0]));
  EXPECT_EQ(std::count(slots.slots().begin(), slots.slots().end(), kept), 1);
}

TEST_F(V4Invites, who_has_not_the_proof_learns_and_gets_nothing) {
  const V4Invited invited = V4Invited::make(owner_, Role::reader);
  ASSERT_EQ(invite(invited), "");
  V4Invited thief = V4Invited::make(owner_, Role::reader);
  thief.invite = invited.invite;
  EXPECT_THAT(open(thief), HasSubstr("was not proved"));
  thief.proof = invited.proof;
  thief.proof.resize(31);
  EXPECT_THAT(open(thief), HasSubstr("was not proved"));
  thief.proof.clear();
  EXPECT_THAT(open(thief), HasSubstr("was not proved"));
  const V4Invited unknown = V4Invited::make(owner_, Role::reader);
  EXPECT_THAT(open(unknown), HasSubstr("was not proved")) << "as one that is there";
  EXPECT_THAT(join(unknown), HasSubstr("was not proved"));
  EXPECT_EQ(join(invited), "");
}

TEST_F(V4Invites, certificates_that_the_invite_does_not_back_are_refused) {
  const V4Invited invited = V4Invited::make(owner_, Role::writer);
  ASSERT_EQ(invite(invited), "");
  const auto spoilt = [&](auto spoil) {
    V4Invited wrong = V4Invited::make(owner_, Role::writer);
    wrong.invite_key = identity::SigningKey::from_seed(invited.invite_key.seed().view()).value();
    wrong.invite = invited.invite;
    wrong.proof = invited.proof;
    wrong.sign(owner_);
    spoil(wrong);
    return join(wrong);
  };
  const auto resign = [&](V4Invited& wrong) {
    wrong.certificate.signature =
        wrong.invite_key.sign(repository::signed_part(wrong.certificate, owner_.record.id)).value();
  };
  EXPECT_NE(spoilt([&](V4Invited& wrong) {
              wrong.certificate.role = Role::owner;
              resign(wrong);
            }),
            "");
  EXPECT_NE(spoilt([&](V4Invited& wrong) {
              wrong.certificate.flags = repository::kDeviceSharesDedup;
              resign(wrong);
            }),
            "");
  EXPECT_NE(spoilt([&](V4Invited& wrong) { wrong.certificate.signature[0] ^= std::byte{1}; }), "");
  EXPECT_NE(spoilt([&](V4Invited& wrong) { wrong.certificate.created_ns += 1; }), "");
  EXPECT_NE(spoilt([&](V4Invited& wrong) {
              wrong.certificate.invite->role = Role::owner;
              wrong.certificate.role = Role::owner;
              resign(wrong);
            }),
            "")
      << "an invite that was changed";
  EXPECT_NE(spoilt([&](V4Invited& wrong) {
              wrong.certificate.invite.reset();
              resign(wrong);
            }),
            "");
  EXPECT_NE(spoilt([&](V4Invited& wrong) { wrong.slots = {signed_slot(owner_)}; }), "")
      << "a writer has no slot";
  EXPECT_EQ(join(invited), "") << "none of them spent the invite";
}

TEST_F(V4Invites, a_join_that_was_recorded_does_not_work_on_another_connection) {
  const V4Invited invited = V4Invited::make(owner_, Role::writer);
  ASSERT_EQ(invite(invited), "");
  auto one = peer();
  auto two = peer();
  ASSERT_TRUE(one->hello() && two->hello());
  const auto message = invited.join(one->statement(invited.device));
  EXPECT_NE(ask(*two, Request::join, message).failure(), "");
  EXPECT_TRUE(two->ended());
  EXPECT_EQ(ask(*one, Request::join, message).failure(), "");
}

TEST_F(V4Invites, expired_removed_and_revoked_invites_let_nobody_in) {
  V4Invited late = V4Invited::make(owner_, Role::writer);
  late.invite.expires_ns = seams_.clock->wall().count() - 1;
  late.sign(owner_);
  EXPECT_THAT(invite(late), HasSubstr("has expired"));

  const V4Invited removed = V4Invited::make(owner_, Role::writer);
  ASSERT_EQ(invite(removed), "");
  v4::pb::RemoveInvite gone;
  gone.set_invite(v4::field_of(removed.invite.id.view()));
  EXPECT_EQ(tell(*owners_peer_, Request::remove_invite, gone), "");
  EXPECT_THAT(tell(*owners_peer_, Request::remove_invite, gone), HasSubstr("none of this account"));
  EXPECT_THAT(open(removed), HasSubstr("not known here"));
  EXPECT_THAT(join(removed), HasSubstr("not known here"));

  const V4Invited revoked = V4Invited::make(owner_, Role::writer);
  ASSERT_EQ(invite(revoked), "");
  const auto next = next_record(owner_, {revocation(revoked.invite.id.view())});
  ASSERT_EQ(tell(*owners_peer_, Request::put_record, put_record(next)), "");
  EXPECT_THAT(open(revoked), HasSubstr("was revoked"));
  EXPECT_THAT(join(revoked), HasSubstr("was revoked"));
  EXPECT_THAT(invite(revoked), HasSubstr("was revoked"));
}

TEST_F(V4Invites, an_owner_adds_only_invites_that_the_root_key_signed) {
  V4Invited forged = V4Invited::make(owner_, Role::writer);
  forged.invite.signature[5] ^= std::byte{1};
  EXPECT_THAT(invite(forged), HasSubstr("not signed by the owner"));
  const V4Owner stranger = V4Owner::make();
  EXPECT_THAT(invite(V4Invited::make(stranger, Role::writer)), HasSubstr("not signed"));
  V4Invited flags = V4Invited::make(owner_, Role::reader, repository::kDeviceSharesDedup);
  EXPECT_THAT(invite(flags), HasSubstr("flags"));
  V4Invited large = V4Invited::make(owner_, Role::writer);
  large.sealed_keys.resize(kLongestSealedKeys + 1);
  EXPECT_THAT(invite(large), HasSubstr("too many keys"));
  large.sealed_keys.clear();
  EXPECT_THAT(invite(large), HasSubstr("or none"));
  const V4Invited good = V4Invited::make(owner_, Role::writer);
  EXPECT_EQ(invite(good), "");
  EXPECT_EQ(invite(good), "") << "the same again, after a lost answer";
  V4Invited same = V4Invited::make(owner_, Role::owner);
  same.invite.id = good.invite.id;
  same.sign(owner_);
  EXPECT_THAT(invite(same), HasSubstr("is there already"));
  EXPECT_TRUE(log_.contains("v4.invite.added"));
}

TEST_F(V4Invites, another_accounts_invite_is_not_there_for_an_owner) {
  const V4Invited invited = V4Invited::make(owner_, Role::writer);
  ASSERT_EQ(invite(invited), "");
  V4Owner other = V4Owner::make();
  auto others_peer = enrolled("bob", other);
  v4::pb::RemoveInvite gone;
  gone.set_invite(v4::field_of(invited.invite.id.view()));
  EXPECT_THAT(tell(*others_peer, Request::remove_invite, gone), HasSubstr("none of this account"));
  EXPECT_THAT(tell(*others_peer, Request::add_invite, invited.add_invite()),
              HasSubstr("not signed"));
  EXPECT_EQ(join(invited), "");
}

TEST_F(V4Invites, an_account_has_so_many_invites_at_most) {
  for (size_t i = 0; i < kMostInvites; ++i)
    ASSERT_EQ(invite(V4Invited::make(owner_, Role::writer)), "") << i;
  EXPECT_THAT(invite(V4Invited::make(owner_, Role::writer)), HasSubstr("256 already"));
  // And the list of all of them is one answer.
  const auto list =
      ask(*owners_peer_, Request::devices, v4::pb::Devices()).as<v4::pb::DevicesReply>();
  EXPECT_EQ(list.invites_size(), static_cast<int>(kMostInvites));
}

TEST_F(V4Invites, a_disabled_account_lets_nobody_join) {
  const V4Invited invited = V4Invited::make(owner_, Role::writer);
  ASSERT_EQ(invite(invited), "");
  ASSERT_TRUE(admin({{"command", "account.disable"}, {"account", "alice"}}));
  EXPECT_THAT(open(invited), HasSubstr("disabled"));
  EXPECT_THAT(join(invited), HasSubstr("disabled"));
}

}  // namespace
}  // namespace cb::server
