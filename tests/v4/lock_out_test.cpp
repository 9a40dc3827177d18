// SPDX-License-Identifier: Apache-2.0
//
// Who guesses has to wait, and honest devices do not, with a clock that stands still.
#include <gmock/gmock.h>

#include "core/server/stopped_clock.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using v4::Request;
using v4::Response;

class V4LockOut : public V4Server {
 protected:
  V4LockOut() : owner_(V4Owner::make()) { seams_.clock = &clock_; }
  ~V4LockOut() override { stop(); }

  void begin(std::vector<std::string> set = {}) {
    set.emplace_back("v4.login_tries=3");
    start(std::move(set));
    enrolled("alice", owner_);
    set_password("alice", "correct horse");
  }
  V4Answer guess(const std::string& password, const std::string& account = "alice") {
    auto person = peer();
    EXPECT_TRUE(person->hello());
    v4::pb::PasswordLogin message;
    message.set_account(account);
    message.set_password(password);
    V4Answer answer = ask(*person, Request::password_login, message);
    EXPECT_TRUE(answer.code == Response::password_login || person->ended());
    return answer;
  }
  static Code code_of(const V4Answer& answer) {
    return answer.code == Response::failure ? static_cast<Code>(answer.as<v4::pb::Failure>().code())
                                            : Code{};
  }

  StoppedClock clock_;
  V4Owner owner_;
};

TEST_F(V4LockOut, guessing_a_password_locks_it_and_the_wait_is_told) {
  begin();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(code_of(guess("wrong horse")), Code::denied);
  const V4Answer locked = guess("correct horse");
  EXPECT_EQ(code_of(locked), Code::busy) << "not even the right one is looked at";
  EXPECT_THAT(locked.failure(), HasSubstr("try again in 2"));
  clock_.forward(seconds(2));
  EXPECT_EQ(code_of(guess("wrong horse")), Code::denied);
  EXPECT_THAT(guess("correct horse").failure(), HasSubstr("try again in 4"));
  clock_.forward(seconds(4));
  EXPECT_EQ(guess("correct horse").code, Response::password_login);
  EXPECT_EQ(guess("correct horse").code, Response::password_login);
  EXPECT_EQ((*admin({{"command", "status"}}))["v4"]["locked_out"], 2);
}

TEST_F(V4LockOut, accounts_that_are_not_there_are_locked_like_those_that_are) {
  begin();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(code_of(guess("wrong horse", "nobody")), Code::denied);
  EXPECT_EQ(code_of(guess("wrong horse", "nobody")), Code::busy);
}

TEST_F(V4LockOut, a_stranger_who_guesses_locks_no_honest_device_out) {
  begin();
  for (int i = 0; i < 30; ++i) guess("wrong horse");
  V4Owner thief = V4Owner::make();
  thief.device = owner_.device;
  Code last{};
  for (int i = 0; i < 30; ++i) last = code_of(*peer()->login(thief));
  EXPECT_EQ(last, Code::busy) << "the thief has to wait";
  EXPECT_EQ(peer()->login(owner_)->code, Response::login) << "the device itself has not";
}

TEST_F(V4LockOut, a_disabled_device_that_proves_itself_counts_as_no_guess) {
  begin();
  ASSERT_TRUE(admin({{"command", "device.disable"}, {"device", owner_.device.hex()}}));
  for (int i = 0; i < 30; ++i) EXPECT_EQ(code_of(*peer()->login(owner_)), Code::denied) << i;
  EXPECT_EQ(guess("correct horse").code, Response::password_login) << "nor its address";
  ASSERT_TRUE(admin({{"command", "device.enable"}, {"device", owner_.device.hex()}}));
  EXPECT_EQ(peer()->login(owner_)->code, Response::login);
}

TEST_F(V4LockOut, wrong_proofs_of_an_invite_lock_the_stranger_and_not_the_guest) {
  begin();
  auto owners_peer = member(owner_);
  V4Invited invited = V4Invited::make(owner_, repository::Role::writer);
  invited.invite.expires_ns = clock_.wall().count() + int64_t{3600} * 1'000'000'000;
  invited.sign(owner_);
  ASSERT_EQ(tell(*owners_peer, Request::add_invite, invited.add_invite()), "");
  V4Invited thief = V4Invited::make(owner_, repository::Role::writer);
  thief.invite = invited.invite;
  const auto open = [&](const V4Invited& who) {
    auto comer = peer();
    EXPECT_TRUE(comer->hello());
    return ask(*comer, Request::open_invite, who.open_invite());
  };
  for (int i = 0; i < 4; ++i) EXPECT_EQ(code_of(open(thief)), Code::denied);
  EXPECT_EQ(code_of(open(thief)), Code::busy);
  EXPECT_EQ(open(invited).code, Response::open_invite);
}

TEST_F(V4LockOut, an_address_begins_only_so_many_conversations_a_minute) {
  begin({"v4.hellos_per_minute=5"});  // one was the enrolment
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(peer()->hello());
  auto refused = peer();
  refused->request(Request::hello, 1, V4Peer::usual_hello());
  const auto answer = refused->answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(code_of(*answer), Code::busy);
  EXPECT_THAT(answer->failure(), HasSubstr("comes too often"));
  EXPECT_TRUE(refused->ended());
  clock_.forward(seconds(60));
  EXPECT_TRUE(peer()->hello());
}

TEST_F(V4LockOut, invites_opened_one_after_another_on_one_connection_count_as_conversations) {
  begin({"v4.hellos_per_minute=5"});
  auto owners_peer = member(owner_);
  V4Invited invited = V4Invited::make(owner_, repository::Role::writer);
  invited.invite.expires_ns = clock_.wall().count() + int64_t{3600} * 1'000'000'000;
  invited.sign(owner_);
  ASSERT_EQ(tell(*owners_peer, Request::add_invite, invited.add_invite()), "");
  auto comer = peer();
  ASSERT_TRUE(comer->hello());
  EXPECT_EQ(ask(*comer, Request::open_invite, invited.open_invite()).code, Response::open_invite);
  EXPECT_EQ(ask(*comer, Request::open_invite, invited.open_invite()).code, Response::open_invite);
  EXPECT_EQ(code_of(ask(*comer, Request::open_invite, invited.open_invite())), Code::busy);
}

}  // namespace
}  // namespace cb::server
