// SPDX-License-Identifier: Apache-2.0
//
// Who does not become the owner of a v3 client's repository, at the real daemon.
#include <gmock/gmock.h>

#include "core/protocol/v4/channel.h"
#include "tests/v4-client/migration_fixture.h"

namespace cb::client {
namespace {

using testing::HasSubstr;
using v4::Request;
using v4::Response;

class Refused : public Migrating {
 protected:
  Refused() { start({"v4.login_tries=1000"}); }

  static v4::pb::Migrate migrate_of(const OldClient& client) {
    v4::pb::Migrate message;
    message.set_client(v4::field_of(client.id.view()));
    message.set_name(client.name);
    return message;
  }
  // A peer that has got its challenge, and the challenge.
  std::unique_ptr<server::V4Peer> challenged(const OldClient& client, Bytes& challenge) {
    auto made = peer();
    EXPECT_TRUE(made->hello());
    const auto answer = ask(*made, Request::migrate, migrate_of(client));
    EXPECT_EQ(answer.code, Response::migrate) << answer.failure();
    const auto reply = answer.as<v4::pb::MigrateReply>();
    V3Keys keys = keys_of(client);
    const plugin::Key key = must(keys.unwrap(v4::view_of(reply.wrapped())));
    plugin::Open open = must(key.open({}, {}));
    challenge.resize(reply.sealed().size());
    challenge.resize(must(open.chunk(0, true, v4::view_of(reply.sealed()), challenge)));
    return made;
  }
  static v4::pb::ProveKey proof_of(server::V4Peer& peer, const OldClient& client,
                                   const Bytes& challenge) {
    v4::pb::ProveKey message;
    message.set_proof(v4::field_of(
        v4::migration_proof(peer.statement(repository::DeviceId{client.id.bytes}), challenge)));
    return message;
  }
  // The error of a migration; the log tells of it, and nobody owns anything.
  Error error_of(const OldClient& client,
                 std::optional<AdoptionClaim::Token> token = std::nullopt) {
    const auto done = run(client, std::move(token));
    EXPECT_FALSE(done);
    EXPECT_TRUE(log_.contains("v4.migration.refused"));
    EXPECT_FALSE(migration_pending(os::real_file_system(), client.profile));
    return done ? Error() : done.error();
  }
  void expect_untouched(const OldClient& client) {
    EXPECT_TRUE(must(backend().catalog().legacy_repository(client.id)));
    const auto account =
        must(backend().catalog().accounts().account_by_name(server::V3Keys::account_of(client.id)));
    EXPECT_TRUE(must(backend().catalog().accounts().devices(account->number)).empty());
    EXPECT_EQ(account->kind, catalog::AccountKind::v3);
  }
};

TEST_F(Refused, a_client_that_nobody_allowed_is_told_what_the_operator_does) {
  const OldClient client = old_client("alice", false);
  const Error why = error_of(client);
  EXPECT_EQ(why.code, Code::denied);
  EXPECT_THAT(why.text(), HasSubstr("cyberbackupd legacy allow"));
  EXPECT_THAT(why.text(), HasSubstr("token create --legacy"));
  change_policy(client, [](catalog::LegacyPolicy& policy) { policy.allowed_until_ns = 1; });
  EXPECT_THAT(error_of(client).text(), HasSubstr("legacy allow")) << "that is long ago";
  expect_untouched(client);
}

TEST_F(Refused, a_name_and_an_id_that_do_not_belong_together_are_not_known) {
  OldClient client = old_client("alice");
  const OldClient other = old_client("bob");
  client.id = other.id;
  EXPECT_THAT(error_of(client).text(), HasSubstr("is not known here"));
  client.id.bytes[3] ^= std::byte{1};
  EXPECT_THAT(error_of(client).text(), HasSubstr("is not known here"));
}

TEST_F(Refused, another_key_opens_no_challenge) {
  const OldClient client = old_client("alice");
  const OldClient other = old_client("bob");
  V3Keys wrong = keys_of(other);
  const auto there = server(client, wrong);
  const auto done = migrate(parts(client), wish(client), *there);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_THAT(done.error().text(), HasSubstr("has another key at the server"));
  expect_untouched(client);
}

TEST_F(Refused, a_wrong_proof_is_counted_and_ends_the_session) {
  const OldClient client = old_client("alice");
  Bytes challenge;
  const auto one = challenged(client, challenge);
  v4::pb::ProveKey proof = proof_of(*one, client, challenge);
  (*proof.mutable_proof())[5] ^= 1;
  const auto answer = ask(*one, Request::prove_key, proof);
  EXPECT_THAT(answer.failure(), HasSubstr("did not prove"));
  EXPECT_TRUE(one->ended());
  EXPECT_TRUE(log_.contains("v4.migration.refused"));
  expect_untouched(client);
}

TEST_F(Refused, who_fails_often_has_to_wait) {
  stop();
  start({"v4.login_tries=2"});
  const OldClient client = old_client("alice", false);
  std::string last;
  for (int i = 0; i < 4; ++i) {
    const auto made = peer();
    ASSERT_TRUE(made->hello());
    last = ask(*made, Request::migrate, migrate_of(client)).failure();
  }
  EXPECT_THAT(last, HasSubstr("failed too often"));
}

TEST_F(Refused, a_proof_of_another_channel_is_none) {
  const OldClient client = old_client("alice");
  Bytes one_challenge, other_challenge;
  const auto one = challenged(client, one_challenge);
  const auto other = challenged(client, other_challenge);
  // Whoever sits in between passes it on.
  EXPECT_THAT(ask(*other, Request::prove_key, proof_of(*one, client, one_challenge)).failure(),
              HasSubstr("did not prove"));
  EXPECT_TRUE(other->ended());
  const auto third = challenged(client, other_challenge);
  EXPECT_THAT(ask(*third, Request::prove_key, proof_of(*one, client, other_challenge)).failure(),
              HasSubstr("did not prove"));
  EXPECT_EQ(ask(*one, Request::prove_key, proof_of(*one, client, one_challenge)).code,
            Response::prove_key);
}

TEST_F(Refused, a_device_without_a_proof_adopts_nothing) {
  const OldClient client = old_client("alice");
  Bytes challenge;
  const auto one = challenged(client, challenge);
  v4::pb::Adopt adopt;
  EXPECT_THAT(ask(*one, Request::adopt, adopt).failure(), HasSubstr("without a proof"));
  EXPECT_TRUE(one->ended());
  const auto two = peer();
  ASSERT_TRUE(two->hello());
  EXPECT_THAT(ask(*two, Request::adopt, adopt).failure(), HasSubstr("without a proof"));
  expect_untouched(client);
}

TEST_F(Refused, a_device_that_the_root_key_did_not_certify_adopts_nothing) {
  const OldClient client = old_client("alice");
  Bytes challenge;
  const auto one = challenged(client, challenge);
  ASSERT_EQ(ask(*one, Request::prove_key, proof_of(*one, client, challenge)).code,
            Response::prove_key);
  const server::V4Owner stranger = server::V4Owner::make();
  v4::pb::Adopt adopt;
  adopt.set_certificate(v4::field_of(repository::encode(stranger.certificate)));
  adopt.add_slots(v4::field_of(repository::encode(stranger.slot)));
  adopt.set_signature(v4::field_of(must(stranger.key.sign(one->statement(stranger.device)))));
  EXPECT_NE(ask(*one, Request::adopt, adopt).failure(), "");
  EXPECT_TRUE(one->ended());
  expect_untouched(client);
}

TEST_F(Refused, a_stolen_old_key_is_of_no_use_after_the_migration) {
  const OldClient client = old_client("alice");
  ASSERT_TRUE(run(client));
  OldClient thief = client;
  thief.profile = folder_ / "thief" / "default";
  const size_t before = log_.count("v4.migration.refused");
  Error why = error_of(thief);
  EXPECT_EQ(why.code, Code::denied);
  EXPECT_THAT(why.text(), HasSubstr("has migrated already"));
  EXPECT_THAT(why.text(), HasSubstr("cyberbackup device invite"));
  EXPECT_EQ(log_.count("v4.migration.refused"), before + 1);
  // A token helps nobody then, and an operator's word neither.
  why = error_of(thief, token_of(client));
  EXPECT_THAT(why.text(), HasSubstr("has migrated already"));
  expect_migrated(client);
}

TEST_F(Refused, a_stolen_old_key_is_of_no_use_in_the_middle_of_the_migration) {
  const OldClient client = old_client("alice");
  V3Keys keys = keys_of(client);
  const auto there = server(client, keys);
  there->cutter.cut_at = 0;
  there->cutter.cut_steps = 2;
  there->cutter.answered = true;
  ASSERT_FALSE(migrate(parts(client), wish(client), *there));
  OldClient thief = client;
  thief.profile = folder_ / "thief" / "default";
  EXPECT_THAT(error_of(thief).text(), HasSubstr("has migrated already"));
  ASSERT_TRUE(run(client));
  expect_migrated(client);
}

TEST_F(Refused, of_two_who_proved_the_key_the_second_adopts_nothing) {
  const OldClient client = old_client("alice");
  Bytes challenge;
  const auto late = challenged(client, challenge);
  const auto handed = ask(*late, Request::prove_key, proof_of(*late, client, challenge));
  ASSERT_EQ(handed.code, Response::prove_key);
  ASSERT_TRUE(run(client));
  const auto reply = handed.as<v4::pb::ProveKeyReply>();
  const auto keyring = must(repository::decode_keyring(v4::view_of(reply.keyring())));
  const auto root = must(identity::SigningKey::from_seed(keyring.root_seed.view()));
  const auto record = must(repository::decode_repository(v4::view_of(reply.repository())));
  server::V4Owner thief = server::V4Owner::make();
  must(repository::sign_certificate(thief.certificate, record.id, root));
  v4::pb::Adopt adopt;
  adopt.set_certificate(v4::field_of(repository::encode(thief.certificate)));
  const repository::SlotMaker maker{modern(), os::system_random(), record.id, keyring};
  adopt.add_slots(v4::field_of(
      repository::encode(must(repository::make_passphrase_slot(maker, "mine", {1, 8192})))));
  adopt.set_signature(v4::field_of(must(thief.key.sign(late->statement(thief.device)))));
  EXPECT_THAT(ask(*late, Request::adopt, adopt).failure(), HasSubstr("has migrated already"));
  expect_migrated(client);
}

TEST_F(Refused, tokens_of_others_used_or_expired_let_nobody_migrate) {
  const OldClient client = old_client("alice", false);
  const OldClient other = old_client("bob", false);
  EXPECT_THAT(error_of(client, token_of(other)).text(), HasSubstr("is of another account"));
  EXPECT_THAT(error_of(client, token_of(client, 1)).text(), HasSubstr("has expired"));
  AdoptionClaim::Token wrong = token_of(client);
  wrong.secret.span()[0] ^= std::byte{1};
  EXPECT_THAT(error_of(client, std::move(wrong)).text(), HasSubstr("is not known here"));
  AdoptionClaim::Token used = token_of(client);
  const repository::DeviceId stranger{used.id.bytes};
  must(backend().catalog().accounts().use_token(used.id.bytes, stranger.bytes, 1));
  EXPECT_THAT(error_of(client, std::move(used)).text(), HasSubstr("used"));
  expect_untouched(client);
}

TEST_F(Refused, a_client_whose_key_was_replaced_needs_a_token) {
  const OldClient client = old_client("alice");
  change_policy(client, [](catalog::LegacyPolicy& policy) { policy.key_replaced = true; });
  const Error why = error_of(client);
  EXPECT_THAT(why.text(), HasSubstr("another public key than before"));
  EXPECT_THAT(why.text(), HasSubstr("token create --legacy"));
  const auto done = run(client, token_of(client));
  EXPECT_TRUE(done) << done.error().text();
}

TEST_F(Refused, a_client_without_a_public_key_cannot_migrate_even_with_a_token) {
  const OldClient client = old_client("alice");
  must(backend().catalog().set_public_key(client.id, {}));
  EXPECT_THAT(error_of(client).text(), HasSubstr("never sent a public key"));
  EXPECT_THAT(error_of(client, token_of(client)).text(), HasSubstr("never sent a public key"));
}

TEST_F(Refused, a_disabled_account_does_not_migrate) {
  const OldClient client = old_client("alice");
  const auto account =
      must(backend().catalog().accounts().account_by_name(server::V3Keys::account_of(client.id)));
  must(backend().catalog().accounts().set_account_disabled(account->number, true));
  EXPECT_THAT(error_of(client).text(), HasSubstr("is disabled"));
}

TEST_F(Refused, a_token_for_an_old_client_enrolls_no_stranger) {
  const OldClient client = old_client("alice");
  const AdoptionClaim::Token token = token_of(client);
  const server::V4Owner stranger = server::V4Owner::make();
  auto one = peer();
  ASSERT_TRUE(one->hello());
  repository::PairingToken text;
  text.id = token.id;
  text.secret = token.secret.clone();
  text.servers = {"127.0.0.1:1"};
  one->request(Request::enroll, 2,
               stranger.enroll(must(repository::format_pairing_token(text)),
                               one->statement(stranger.device)));
  EXPECT_THAT(one->answer()->failure(), HasSubstr("cyberbackup migrate TOKEN"));
  expect_untouched(client);
}

}  // namespace
}  // namespace cb::client
