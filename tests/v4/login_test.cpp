// SPDX-License-Identifier: Apache-2.0
//
// Who gets in, and who does not: hellos, tokens, logins over real TLS.
#include <gmock/gmock.h>

#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using testing::HasSubstr;
using v4::Request;
using v4::Response;

class V4Login : public V4Server {};

TEST_F(V4Login, an_owner_enrolls_with_a_token_and_logs_in_later) {
  start();
  V4Owner owner = V4Owner::make();
  auto first = enrolled("alice", owner);
  EXPECT_TRUE(first->request(Request::counts, 9));
  EXPECT_EQ(first->answer()->code, Response::counts);
  first.reset();

  auto second = peer();
  const auto answer = second->login(owner);
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->code, Response::login) << answer->failure();
  const auto reply = answer->as<v4::pb::LoginReply>();
  EXPECT_EQ(reply.account(), "alice");
  EXPECT_EQ(reply.head().sequence(), 0U);
  EXPECT_EQ(repository::decode_repository(v4::view_of(reply.repository())).value(), owner.record);
  EXPECT_EQ(repository::decode_certificate(v4::view_of(reply.certificate())).value(),
            owner.certificate);
}

TEST_F(V4Login, the_hello_tells_limits_and_a_fresh_nonce) {
  start();
  auto one = peer();
  auto two = peer();
  const auto a = one->hello();
  const auto b = two->hello();
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->version(), 4U);
  EXPECT_EQ(a->frame_max(), v4::kFrameMax);
  EXPECT_EQ(a->credit(), 4 * kMiB);
  EXPECT_EQ(a->lease_seconds(), 600U);
  EXPECT_EQ(a->server_key().size(), 32U);
  EXPECT_EQ(a->nonce().size(), 32U);
  EXPECT_NE(a->nonce(), b->nonce());
  ASSERT_EQ(a->features_size(), 1);
  EXPECT_EQ(a->features(0), "receipts");
}

TEST_F(V4Login, versions_that_do_not_meet_are_refused) {
  start();
  for (const auto& [min, max] : {std::pair(5U, 9U), std::pair(1U, 3U), std::pair(0U, 0U)}) {
    auto one = peer();
    v4::pb::Hello hello = V4Peer::usual_hello();
    hello.set_version_min(min);
    hello.set_version_max(max);
    one->request(Request::hello, 1, hello);
    const auto answer = one->answer();
    ASSERT_TRUE(answer);
    EXPECT_THAT(answer->failure(), HasSubstr("this server version 4"));
    EXPECT_TRUE(answer->as<v4::pb::Failure>().fatal());
    EXPECT_TRUE(one->ended());
  }
  EXPECT_EQ(log_.count("v4.downgrade.refused"), 3U);
}

TEST_F(V4Login, a_packet_of_protocol_3_in_a_session_of_protocol_4_ends_it_with_an_audit_line) {
  start();
  V4Owner owner = V4Owner::make();
  auto inside = enrolled("alice", owner);
  auto greeted = peer();
  ASSERT_TRUE(greeted->hello());
  for (V4Peer* one : {inside.get(), greeted.get()}) {
    // As a client of protocol 3 logs in again.
    const auto header = protocol::encode(protocol::RequestHeader{{}, 3, 1027, 255});
    one->send(Bytes(header.begin(), header.end()));
    one->send(Bytes(255, std::byte{'a'}));
    const auto answer = one->answer();
    ASSERT_TRUE(answer);
    EXPECT_THAT(answer->failure(), HasSubstr("has the protocol version 3"));
    EXPECT_TRUE(one->ended());
  }
  EXPECT_EQ(log_.count("v4.downgrade.refused"), 2U);
}

TEST_F(V4Login, the_same_device_may_repeat_its_enrolment_and_no_other) {
  start();
  const V4Owner owner = V4Owner::make();
  const std::string text = token("alice");
  ASSERT_EQ(peer()->enroll(owner, text)->code, Response::enroll);
  const auto again = peer()->enroll(owner, text);
  EXPECT_EQ(again->code, Response::enroll) << again->failure();
  const auto other = peer()->enroll(V4Owner::make(), text);
  EXPECT_THAT(other->failure(), HasSubstr("has been used"));
  // Another repository of the same device is not the same enrolment.
  V4Owner changed = V4Owner::make();
  changed.key = identity::SigningKey::from_seed(owner.key.seed().view()).value();
  changed.device = owner.device;
  changed.certificate.device = owner.key.public_key();
  changed.certificate.signature =
      changed.root.sign(repository::signed_part(changed.certificate, changed.record.id)).value();
  EXPECT_THAT(peer()->enroll(changed, text)->failure(), HasSubstr("has an owner already"));
}

TEST_F(V4Login, an_enrolment_whose_slot_is_there_with_other_keys_is_refused) {
  start();
  const V4Owner owner = V4Owner::make();
  const std::string first = token("alice");
  const std::string second = token("alice");  // made before there was an owner
  ASSERT_EQ(peer()->enroll(owner, first)->code, Response::enroll);
  V4Owner other = owner.with_another_device();
  other.slot.sealed[0] ^= std::byte{1};
  EXPECT_THAT(peer()->enroll(other, second)->failure(), HasSubstr("with other keys"));
  EXPECT_THAT(peer()->login(other)->failure(), HasSubstr("is not enrolled here"));
  other.slot = owner.slot;
  EXPECT_EQ(peer()->enroll(other, second)->code, Response::enroll) << "the token still counts";
}

TEST_F(V4Login, another_root_key_under_the_id_of_a_repository_enrolls_nobody) {
  start();
  const V4Owner owner = V4Owner::make();
  const std::string first = token("alice");
  const std::string second = token("alice");
  ASSERT_EQ(peer()->enroll(owner, first)->code, Response::enroll);
  V4Owner thief = V4Owner::make();
  thief.record.id = owner.record.id;
  thief.record.signature = thief.root.sign(repository::signed_part(thief.record)).value();
  thief.certificate.signature =
      thief.root.sign(repository::signed_part(thief.certificate, owner.record.id)).value();
  EXPECT_THAT(peer()->enroll(thief, second)->failure(), HasSubstr("has an owner already"));
  EXPECT_THAT(peer()->login(thief)->failure(), HasSubstr("is not enrolled here"));
}

TEST_F(V4Login, tokens_that_are_wrong_or_expired_enroll_nobody) {
  start();
  const V4Owner owner = V4Owner::make();
  const std::string text = token("alice");
  auto one = peer();
  one->hello();
  v4::pb::Enroll wrong = owner.enroll(text, one->statement(owner.device));
  (*wrong.mutable_token_secret())[0] ^= 1;
  one->request(Request::enroll, 2, wrong);
  const auto refused = one->answer();
  EXPECT_THAT(refused->failure(), HasSubstr("is not known here"));
  EXPECT_TRUE(one->ended());

  ASSERT_TRUE(admin({{"command", "account.add"}, {"account", "bob"}}));
  const auto brief = admin({{"command", "token.create"}, {"account", "bob"}, {"expires_ns", 1}});
  ASSERT_TRUE(brief);
  EXPECT_THAT(peer()->enroll(owner, report::text_of(*brief, "token"))->failure(),
              HasSubstr("has expired"));
  EXPECT_EQ(peer()->enroll(owner, text)->code, Response::enroll);
}

TEST_F(V4Login, records_that_the_root_key_did_not_sign_enroll_nobody) {
  start();
  const std::string text = token("alice");
  V4Owner owner = V4Owner::make();
  owner.record.signature[3] ^= std::byte{1};
  EXPECT_NE(peer()->enroll(owner, text)->failure(), "");
  owner = V4Owner::make();
  owner.certificate.signature[3] ^= std::byte{1};
  EXPECT_NE(peer()->enroll(owner, text)->failure(), "");
  owner = V4Owner::make();
  owner.certificate.role = repository::Role::writer;
  owner.certificate.signature =
      owner.root.sign(repository::signed_part(owner.certificate, owner.record.id)).value();
  EXPECT_THAT(peer()->enroll(owner, text)->failure(), HasSubstr("owner"));
  EXPECT_EQ(peer()->enroll(V4Owner::make(), text)->code, Response::enroll);
}

TEST_F(V4Login, a_device_with_another_key_is_refused) {
  start();
  V4Owner owner = V4Owner::make();
  enrolled("alice", owner);
  V4Owner thief = V4Owner::make();
  thief.device = owner.device;
  EXPECT_THAT(peer()->login(thief)->failure(), HasSubstr("did not prove who it is"));
  EXPECT_THAT(peer()->login(V4Owner::make())->failure(), HasSubstr("is not enrolled here"));
}

TEST_F(V4Login, a_signature_of_another_connection_is_refused) {
  start();
  V4Owner owner = V4Owner::make();
  enrolled("alice", owner);
  auto one = peer();
  auto two = peer();
  ASSERT_TRUE(one->hello() && two->hello());
  v4::pb::Login login;
  login.set_device(v4::field_of(owner.device.view()));
  login.set_signature(v4::field_of(owner.key.sign(one->statement(owner.device)).value()));
  two->request(Request::login, 2, login);
  EXPECT_THAT(two->answer()->failure(), HasSubstr("did not prove who it is"));
  EXPECT_TRUE(two->ended());
  one->request(Request::login, 2, login);
  EXPECT_EQ(one->answer()->code, Response::login);
}

TEST_F(V4Login, hellos_that_were_changed_on_the_way_are_noticed) {
  start();
  V4Owner owner = V4Owner::make();
  enrolled("alice", owner);
  auto one = peer();
  v4::pb::Hello stripped = V4Peer::usual_hello();
  stripped.clear_features();
  ASSERT_TRUE(one->hello(stripped));
  one->hello_bytes = v4::encode(V4Peer::usual_hello());  // what the client believes it said
  v4::pb::Login login;
  login.set_device(v4::field_of(owner.device.view()));
  login.set_signature(v4::field_of(owner.key.sign(one->statement(owner.device)).value()));
  one->request(Request::login, 2, login);
  EXPECT_THAT(one->answer()->failure(), HasSubstr("did not prove who it is"));
  EXPECT_TRUE(log_.contains("v4.login.refused"));
}

TEST_F(V4Login, a_hello_whose_versions_somebody_in_between_widened_is_noticed_at_the_login) {
  start();
  V4Owner owner = V4Owner::make();
  enrolled("alice", owner);
  auto one = peer();
  v4::pb::Hello widened = V4Peer::usual_hello();
  widened.set_version_min(3);
  const auto reply = one->hello(widened);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->version(), 4U) << "never less";
  one->hello_bytes = v4::encode(V4Peer::usual_hello());
  v4::pb::Login login;
  login.set_device(v4::field_of(owner.device.view()));
  login.set_signature(v4::field_of(owner.key.sign(one->statement(owner.device)).value()));
  one->request(Request::login, 2, login);
  EXPECT_THAT(one->answer()->failure(), HasSubstr("did not prove who it is"));
  EXPECT_TRUE(log_.contains("v4.login.refused"));
}

TEST_F(V4Login, a_disabled_account_is_kept_out_and_thrown_out) {
  start();
  V4Owner owner = V4Owner::make();
  auto inside = enrolled("alice", owner);
  ASSERT_TRUE(admin({{"command", "account.disable"}, {"account", "alice"}}));
  EXPECT_TRUE(inside->ended());
  EXPECT_THAT(peer()->login(owner)->failure(), HasSubstr("is disabled"));
  ASSERT_TRUE(admin({{"command", "account.enable"}, {"account", "alice"}}));
  EXPECT_EQ(peer()->login(owner)->code, Response::login);
}

TEST_F(V4Login, a_server_with_another_certificate_is_refused_by_the_pin) {
  start();
  std::string wrong = pin_;
  wrong[0] = wrong[0] == '0' ? '1' : '0';
  V4Peer one(port(), wrong);
  ASSERT_FALSE(one.up());
  EXPECT_EQ(one.up().error().code, Code::auth);
}

TEST_F(V4Login, plain_tcp_is_refused_unless_a_test_asks_for_it) {
  change_config("transport = [\"tls\", \"tcp\"]", "transport = [\"tcp\"]");
  change_config("[listen.tls]\ncertificate = \"keys/tls.crt\"\nkey = \"keys/tls.key\"\n", "");
  const auto refused = try_start({});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("encrypts and authenticates"));
  start({"v4.unsafe_plain_transport_for_tests=true"});
  V4Peer one(port(), "");
  EXPECT_TRUE(one.hello());
}

TEST_F(V4Login, a_connection_that_does_not_log_in_is_ended) {
  start({"v4.login_timeout=300ms"});
  auto silent = peer();
  auto greeted = peer();
  ASSERT_TRUE(greeted->hello());
  EXPECT_TRUE(silent->ended());
  EXPECT_TRUE(greeted->ended());
}

TEST_F(V4Login, a_silent_session_loses_its_lease_and_one_with_a_heartbeat_does_not) {
  start({"v4.lease=1s"});
  V4Owner owner = V4Owner::make();
  auto silent = enrolled("alice", owner);
  auto lively = member(owner);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1600);
  v4::pb::Heartbeat beat;
  for (uint32_t id = 10; std::chrono::steady_clock::now() < end; ++id) {
    beat.set_time_ns(id);
    ASSERT_TRUE(lively->request(Request::heartbeat, id, beat));
    const auto answer = lively->answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->as<v4::pb::Heartbeat>().time_ns(), id);
  }
  const auto last = silent->answer();
  ASSERT_TRUE(last);
  EXPECT_THAT(last->failure(), HasSubstr("sent nothing for"));
  EXPECT_TRUE(silent->ended());
}

}  // namespace
}  // namespace cb::server
