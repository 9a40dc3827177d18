// SPDX-License-Identifier: Apache-2.0
//
// People with a password and no device, and operators who disable and revoke.
#include <gmock/gmock.h>

#include "core/server/v4_accounts.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using repository::Role;
using testing::HasSubstr;
using v4::Request;
using v4::Response;

class V4Persons : public V4Server {
 protected:
  V4Persons() : owner_(V4Owner::make()) {
    start();
    peer_ = enrolled("alice", owner_);
  }
  // Hello and a password; the answer to the latter.
  static V4Answer log_in(V4Peer& peer, const std::string& account, const std::string& password) {
    EXPECT_TRUE(peer.hello());
    v4::pb::PasswordLogin message;
    message.set_account(account);
    message.set_password(password);
    return ask(peer, Request::password_login, message);
  }
  std::string refusal(const std::string& account, const std::string& password) {
    return log_in(*peer(), account, password).failure();
  }
  // A device that the root key certified directly.
  [[nodiscard]] V4Invited certified(Role role) const {
    V4Invited device = V4Invited::make(owner_, role);
    device.certificate.invite.reset();
    device.certificate.signature =
        owner_.root.sign(repository::signed_part(device.certificate, owner_.record.id)).value();
    return device;
  }
  static v4::pb::AddDevice add(const V4Invited& device, ByteView statement) {
    v4::pb::AddDevice message;
    message.set_certificate(v4::field_of(repository::encode(device.certificate)));
    for (const auto& slot : device.slots) message.add_slots(v4::field_of(repository::encode(slot)));
    message.set_signature(v4::field_of(device.key.sign(statement).value()));
    return message;
  }

  V4Owner owner_;
  std::unique_ptr<V4Peer> peer_;
};

TEST_F(V4Persons, a_login_that_was_under_way_when_the_password_changed_is_refused) {
  set_password("alice", "correct horse");
  const auto catalog = catalog::open_sqlite_catalog((folder_ / "catalog.sqlite").string(), false);
  ASSERT_TRUE(catalog) << catalog.error().text();
  V4Member person;
  person.account = (*catalog)->accounts().account_by_name("alice").value().value();
  EXPECT_TRUE(confirm_member((*catalog)->accounts(), person));
  set_password("alice", "battery staple");
  const Status late = confirm_member((*catalog)->accounts(), person);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::denied);
}

TEST_F(V4Persons, a_person_reads_record_and_slots_and_adds_one_device) {
  set_password("alice", "correct horse");
  auto person = peer();
  const V4Answer answer = log_in(*person, "alice", "correct horse");
  ASSERT_EQ(answer.code, Response::password_login) << answer.failure();
  EXPECT_EQ(answer.as<v4::pb::PasswordLoginReply>().repository(),
            v4::field_of(repository::encode(owner_.record)));
  const auto slots = ask(*person, Request::slots, v4::pb::Slots()).as<v4::pb::SlotsReply>();
  ASSERT_EQ(slots.slots_size(), 1);
  EXPECT_EQ(slots.slots(0), v4::field_of(repository::encode(owner_.slot)));
  const V4Invited device = certified(Role::owner);
  EXPECT_EQ(tell(*person, Request::add_device, add(device, person->statement(device.device))), "");
  const V4Invited second = certified(Role::owner);
  EXPECT_THAT(tell(*person, Request::add_device, add(second, person->statement(second.device))),
              HasSubstr("second of this session"));
  member(device.member(owner_));
  EXPECT_TRUE(log_.contains("v4.device.added"));
  EXPECT_FALSE(log_.contains("correct horse"));
}

TEST_F(V4Persons, an_owner_adds_more_than_one_device_in_a_session) {
  for (int i = 0; i < 2; ++i) {
    const V4Invited device = certified(Role::writer);
    EXPECT_EQ(tell(*peer_, Request::add_device, add(device, peer_->statement(device.device))), "");
    member(device.member(owner_));
  }
}

TEST_F(V4Persons, a_lost_answer_is_repeated_over_another_connection) {
  set_password("alice", "correct horse");
  const V4Invited device = certified(Role::owner);
  for (int i = 0; i < 2; ++i) {
    auto person = peer();
    ASSERT_EQ(log_in(*person, "alice", "correct horse").code, Response::password_login);
    EXPECT_EQ(tell(*person, Request::add_device, add(device, person->statement(device.device))),
              "");
  }
}

TEST_F(V4Persons, devices_that_the_root_key_did_not_certify_are_not_added) {
  set_password("alice", "correct horse");
  const auto refusal_of = [&](const V4Invited& device) {
    auto person = peer();
    EXPECT_EQ(log_in(*person, "alice", "correct horse").code, Response::password_login);
    return tell(*person, Request::add_device, add(device, person->statement(device.device)));
  };
  V4Invited forged = certified(Role::owner);
  forged.certificate.signature[7] ^= std::byte{1};
  EXPECT_NE(refusal_of(forged), "");
  EXPECT_THAT(refusal_of(V4Invited::make(owner_, Role::writer)), HasSubstr("by an invite"));
  V4Invited invite = V4Invited::make(owner_, Role::writer);
  invite.certificate.invite.reset();
  EXPECT_NE(refusal_of(invite), "") << "signed by an invite's key, and hides it";
  // Another's device cannot be added without its key.
  const V4Invited device = certified(Role::owner);
  auto person = peer();
  ASSERT_EQ(log_in(*person, "alice", "correct horse").code, Response::password_login);
  EXPECT_NE(tell(*person, Request::add_device, add(device, person->statement(owner_.device))), "");
  EXPECT_EQ(refusal_of(device), "");
}

TEST_F(V4Persons, wrong_accounts_and_passwords_are_refused_alike) {
  const std::string none = refusal("alice", "correct horse");
  set_password("alice", "correct horse");
  EXPECT_THAT(none, HasSubstr("the account or its password is wrong"));
  EXPECT_EQ(refusal("alice", "wrong horse"), none);
  EXPECT_EQ(refusal("alice", ""), none);
  EXPECT_EQ(refusal("nobody", "correct horse"), none);
  EXPECT_EQ(refusal(std::string(300, 'a'), "correct horse"), none);
  EXPECT_FALSE(log_.contains("wrong horse"));
}

TEST_F(V4Persons, a_password_of_a_disabled_account_or_one_that_was_taken_away_is_refused) {
  set_password("alice", "correct horse");
  ASSERT_TRUE(admin({{"command", "account.disable"}, {"account", "alice"}}));
  EXPECT_THAT(refusal("alice", "correct horse"), HasSubstr("is wrong"));
  ASSERT_TRUE(admin({{"command", "account.enable"}, {"account", "alice"}}));
  auto person = peer();
  ASSERT_EQ(log_in(*person, "alice", "correct horse").code, Response::password_login);
  ASSERT_TRUE(admin({{"command", "account.password"}, {"account", "alice"}, {"hash", ""}}));
  EXPECT_TRUE(person->ended());
  EXPECT_THAT(refusal("alice", "correct horse"), HasSubstr("is wrong"));
  EXPECT_EQ(admin({{"command", "account.password"}, {"account", "alice"}, {"hash", "secret"}})
                .error()
                .code,
            Code::corrupt);
}

TEST_F(V4Persons, the_operator_lists_disables_enables_and_revokes_devices_at_once) {
  const V4Invited writer = joined(*peer_, owner_, Role::writer);
  auto running = member(writer.member(owner_));
  const auto change = [&](const std::string& what) {
    return admin({{"command", "device." + what}, {"device", writer.device.hex()}});
  };
  const auto list = admin({{"command", "device.list"}, {"account", "alice"}});
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[1]["device"], writer.device.hex());
  EXPECT_EQ((*list)[1]["role"], "writer");
  EXPECT_GE((*list)[1]["sessions"], 1);
  const auto disabled = change("disable");
  ASSERT_TRUE(disabled);
  EXPECT_EQ((*disabled)["state"], "disabled");
  EXPECT_GE((*disabled)["ended_sessions"], 1);
  EXPECT_TRUE(running->ended());
  EXPECT_THAT(peer()->login(writer.member(owner_))->failure(), HasSubstr("disabled or revoked"));
  ASSERT_TRUE(change("enable"));
  running = member(writer.member(owner_));
  ASSERT_TRUE(change("revoke"));
  EXPECT_TRUE(running->ended());
  EXPECT_EQ(change("enable").error().code, Code::denied);
  EXPECT_THAT(peer()->login(writer.member(owner_))->failure(), HasSubstr("disabled or revoked"));
  EXPECT_EQ(admin({{"command", "device.revoke"}, {"device", "xyz"}}).error().code, Code::invalid);
  EXPECT_EQ(admin({{"command", "device.revoke"}, {"device", std::string(32, '0')}}).error().code,
            Code::not_found);
  EXPECT_TRUE(log_.contains("event=admin.device.revoke"));
}

TEST_F(V4Persons, disabling_an_account_ends_every_session_of_it_and_no_other) {
  set_password("alice", "correct horse");
  const V4Invited writer = joined(*peer_, owner_, Role::writer);
  auto device = member(writer.member(owner_));
  auto person = peer();
  ASSERT_EQ(log_in(*person, "alice", "correct horse").code, Response::password_login);
  V4Owner other = V4Owner::make();
  auto others_peer = enrolled("bob", other);
  ASSERT_TRUE(admin({{"command", "account.disable"}, {"account", "alice"}}));
  EXPECT_TRUE(device->ended());
  EXPECT_TRUE(person->ended());
  EXPECT_TRUE(peer_->ended());
  others_peer->request(Request::counts, 5);
  EXPECT_EQ(others_peer->answer()->code, Response::counts);
  EXPECT_THAT(peer()->login(owner_)->failure(), HasSubstr("is disabled"));
}

TEST_F(V4Persons, a_session_that_lasted_its_time_is_ended_between_requests) {
  stop();
  start({"v4.session_limit=1s"});
  auto one = member(owner_);
  const auto last = one->answer();
  ASSERT_TRUE(last);
  EXPECT_THAT(last->failure(), HasSubstr("the session has lasted 1"));
  EXPECT_EQ(last->as<v4::pb::Failure>().code(), static_cast<int>(Code::closed));
  EXPECT_TRUE(last->as<v4::pb::Failure>().fatal());
  EXPECT_TRUE(one->ended());
  EXPECT_EQ(peer()->login(owner_)->code, Response::login);
}

}  // namespace
}  // namespace cb::server
