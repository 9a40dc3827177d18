// SPDX-License-Identifier: Apache-2.0
//
// Signatures of records: each holds for exactly what was signed.
#include "core/repository/signatures.h"

#include "core/repository/suite_fixture.h"

namespace cb::repository {
namespace {

class SignaturesTest : public SuiteFixture {
 protected:
  SignaturesTest() : made_(fresh_repository()), key_(must(identity::SigningKey::make(*random_))) {}

  [[nodiscard]] const RepositoryId& id() const { return made_.record.id; }
  [[nodiscard]] RepositoryId other_id() const {
    RepositoryId other = id();
    other.bytes[3] ^= std::byte{4};
    return other;
  }

  NewRepository made_;
  identity::SigningKey key_;
};

TEST_F(SignaturesTest, a_new_repository_is_signed_and_each_byte_of_its_record_counts) {
  EXPECT_TRUE(verify_record(made_.record, made_.root.public_key()));
  const Bytes good = encode(made_.record);
  for (size_t at = 0; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] ^= std::byte{1};
    const auto record = decode_repository(bad);
    ASSERT_FALSE(record && verify_record(*record, made_.root.public_key())) << at;
  }
  const NewRepository stranger = fresh_repository();
  EXPECT_EQ(code_of(verify_record(stranger.record, made_.root.public_key())), Code::auth);
}

TEST_F(SignaturesTest, new_repositories_have_nothing_in_common) {
  const NewRepository other = fresh_repository();
  EXPECT_NE(other.record.id, made_.record.id);
  EXPECT_NE(other.record.root, made_.record.root);
  EXPECT_NE(other.record.epochs, made_.record.epochs);
  EXPECT_NE(to_hex(other.keyring.write_key.view()), to_hex(made_.keyring.write_key.view()));
  EXPECT_EQ(made_.record.suite, "crypto-modern");
}

TEST_F(SignaturesTest, a_certificate_holds_for_its_device_role_and_repository) {
  Certificate certificate;
  certificate.device = key_.public_key();
  certificate.role = Role::writer;
  certificate.flags = kDeviceSharesDedup;
  certificate.created_ns = 1234;
  ASSERT_TRUE(sign_certificate(certificate, id(), made_.root));
  EXPECT_TRUE(verify_certificate(certificate, id(), made_.record.root));
  EXPECT_EQ(code_of(verify_certificate(certificate, other_id(), made_.record.root)), Code::auth);
  EXPECT_EQ(code_of(verify_certificate(certificate, id(), key_.public_key())), Code::auth);
  Certificate promoted = certificate;
  promoted.role = Role::owner;
  EXPECT_EQ(code_of(verify_certificate(promoted, id(), made_.record.root)), Code::auth);
  Certificate taken = certificate;
  taken.device[0] ^= std::byte{1};
  EXPECT_EQ(code_of(verify_certificate(taken, id(), made_.record.root)), Code::auth);
}

TEST_F(SignaturesTest, an_invite_of_the_owner_certifies_a_device_of_its_role_and_no_other) {
  const identity::SigningKey invite_key = must(identity::SigningKey::make(*random_));
  Certificate certificate;
  certificate.device = key_.public_key();
  certificate.role = Role::writer;
  certificate.invite = Invite{{}, invite_key.public_key(), Role::writer, 0, 1, 2, {}};
  certificate.invite->id.bytes[0] = std::byte{7};
  certificate.invite->signature =
      must(made_.root.sign(signed_part(*certificate.invite, made_.record.id)));
  ASSERT_TRUE(sign_certificate(certificate, id(), invite_key));
  EXPECT_TRUE(verify_certificate(certificate, made_.record));
  Certificate promoted = certificate;
  promoted.role = Role::owner;
  ASSERT_TRUE(sign_certificate(promoted, id(), invite_key));
  EXPECT_EQ(code_of(verify_certificate(promoted, made_.record)), Code::auth);
  promoted.invite->role = Role::owner;
  ASSERT_TRUE(sign_certificate(promoted, id(), invite_key));
  EXPECT_EQ(code_of(verify_certificate(promoted, made_.record)), Code::auth);
  Certificate foreign = certificate;
  ASSERT_TRUE(sign_certificate(foreign, id(), key_));
  EXPECT_EQ(code_of(verify_certificate(foreign, made_.record)), Code::auth);
}

TEST_F(SignaturesTest, the_earlier_revocation_of_device_and_invite_counts) {
  Certificate certificate;
  certificate.device = key_.public_key();
  certificate.invite.emplace();
  certificate.invite->id.bytes[0] = std::byte{7};
  RepositoryRecord record = made_.record;
  EXPECT_FALSE(revoked_since(record, certificate));
  record.revoked = {{{certificate.invite->id.bytes}, 9}};
  EXPECT_EQ(revoked_since(record, certificate), 9U);
  record.revoked.push_back({{device_of(certificate.device).bytes}, 5});
  EXPECT_EQ(revoked_since(record, certificate), 5U);
  record.revoked = {{{}, 1}};
  EXPECT_FALSE(revoked_since(record, certificate));
}

TEST_F(SignaturesTest, a_session_record_is_its_device_s_or_the_root_s) {
  const SessionId session = must(draw_id<SessionId>(*random_));
  const SessionSigners signers{key_.public_key(), made_.record.root};
  SessionRecord record{"crypto-modern", 1, Bytes(32), {}, device_of(key_.public_key()), {}};
  record.signature = must(key_.sign(signed_part(record, id(), session)));
  EXPECT_TRUE(verify_session_record(record, id(), session, signers));
  EXPECT_EQ(code_of(verify_session_record(record, id(), SessionId{}, signers)), Code::auth);
  EXPECT_EQ(code_of(verify_session_record(record, other_id(), session, signers)), Code::auth);
  const SessionSigners others{made_.record.root, made_.record.root};
  EXPECT_EQ(code_of(verify_session_record(record, id(), session, others)), Code::auth);
  record.device = {};
  EXPECT_EQ(code_of(verify_session_record(record, id(), session, signers)), Code::auth);
  record.signature = must(made_.root.sign(signed_part(record, id(), session)));
  EXPECT_TRUE(verify_session_record(record, id(), session, signers));
}

TEST_F(SignaturesTest, a_snapshot_s_signature_holds_for_its_id_alone) {
  BlobId snapshot;
  snapshot.bytes.fill(std::byte{5});
  const Signature signature = must(sign_snapshot(id(), snapshot, key_));
  EXPECT_TRUE(verify_snapshot_signature(id(), snapshot, key_.public_key(), signature));
  EXPECT_EQ(code_of(verify_snapshot_signature(other_id(), snapshot, key_.public_key(), signature)),
            Code::auth);
  EXPECT_EQ(code_of(verify_snapshot_signature(id(), BlobId{}, key_.public_key(), signature)),
            Code::auth);
  EXPECT_EQ(code_of(verify_snapshot_signature(id(), snapshot, made_.record.root, signature)),
            Code::auth);
}

TEST_F(SignaturesTest, a_receipt_is_the_server_s_and_each_byte_counts) {
  CommitRecord record;
  record.sequence = 300;
  record.time_ns = -5;
  record.tags = {KeyedHash{}, KeyedHash{}};
  record.files = 10;
  record.signature = must(key_.sign(signed_part(record, id())));
  EXPECT_TRUE(verify_commit(record, id(), key_.public_key()));
  EXPECT_EQ(code_of(verify_commit(record, other_id(), key_.public_key())), Code::auth);
  EXPECT_EQ(code_of(verify_commit(record, id(), made_.record.root)), Code::auth);
  const Bytes good = encode(record);
  for (size_t at = 0; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] ^= std::byte{1};
    const auto read = decode_commit(bad);
    ASSERT_FALSE(read && verify_commit(*read, id(), key_.public_key())) << at;
  }
}

}  // namespace
}  // namespace cb::repository
