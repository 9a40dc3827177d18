// SPDX-License-Identifier: Apache-2.0
//
// Invites with the real crypto plugin.
#include "core/repository/invite.h"

#include "core/repository/record_writer.h"
#include "core/repository/sealed_stream.h"
#include "core/repository/slots.h"
#include "core/repository/suite_fixture.h"

namespace cb::repository {
namespace {

class InviteTest : public SuiteFixture {
 protected:
  InviteTest() : made_(fresh_repository()) {}

  [[nodiscard]] InviteText text(uint8_t secret = 2) const {
    InviteText invite;
    invite.id.bytes.fill(std::byte{1});
    invite.secret = Secret(Bytes(kInviteSecretSize, std::byte{secret}));
    invite.repository = made_.record.id;
    invite.root = made_.record.root;
    invite.pin.fill(std::byte{3});
    invite.servers = {"backup.example:7900", "[2001:db8::1]:7900"};
    return invite;
  }

  NewRepository made_;
};

TEST_F(InviteTest, keeps_its_text) {
  InviteText invite = text();
  invite.repository.bytes.fill(std::byte{4});
  invite.root.fill(std::byte{5});
  EXPECT_EQ(must(format_invite(invite)),
            "cbi1.AQEBAQEBAQEBAQEBAQEBAQECAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgQEBAQEBAQEB"
            "AQEBAQEBAQFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQMDAwMDAwMDAwMDAwMDAwMDAwMDAwM"
            "DAwMDAwMDAwMDAhNiYWNrdXAuZXhhbXBsZTo3OTAwElsyMDAxOmRiODo6MV06NzkwMAMWG4k");
}

TEST_F(InviteTest, comes_back_from_its_text_even_when_a_mail_wrapped_it) {
  const InviteText invite = text();
  std::string wrapped = must(format_invite(invite));
  for (size_t at = 20; at < wrapped.size(); at += 21) wrapped.insert(at, "\r\n");
  EXPECT_TRUE(looks_like_invite("\n" + wrapped));
  const InviteText back = must(parse_invite(" " + wrapped + "\n"));
  EXPECT_EQ(back.id, invite.id);
  EXPECT_EQ(to_hex(back.secret.view()), to_hex(invite.secret.view()));
  EXPECT_EQ(back.repository, invite.repository);
  EXPECT_EQ(back.root, invite.root);
  EXPECT_EQ(back.pin, invite.pin);
  EXPECT_EQ(back.servers, invite.servers);
}

TEST_F(InviteTest, tells_each_typing_error) {
  const std::string good = must(format_invite(text()));
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = bad[at] == 'Q' ? 'R' : 'Q';
    const auto parsed = parse_invite(bad);
    ASSERT_EQ(code_of(parsed), Code::invalid) << bad;
    ASSERT_FALSE(parsed.error().advice.empty());
    ASSERT_EQ(code_of(parse_invite(good.substr(0, at))), Code::invalid) << at;
  }
  EXPECT_FALSE(looks_like_invite("cb1.AQEB"));
  EXPECT_EQ(code_of(format_invite({})), Code::invalid);
}

TEST_F(InviteTest, proof_and_key_come_of_the_secret_and_of_nothing_else) {
  const InviteKeys keys = must(invite_keys(*crypto_, text()));
  const InviteKeys again =
      must(invite_keys(*crypto_, must(parse_invite(must(format_invite(text()))))));
  EXPECT_EQ(to_hex(keys.proof.view()), to_hex(again.proof.view()));
  EXPECT_EQ(keys.key.public_key(), again.key.public_key());
  EXPECT_NE(to_hex(keys.proof.view()), to_hex(keys.key.seed().view()));
  const InviteKeys other = must(invite_keys(*crypto_, text(9)));
  EXPECT_NE(to_hex(keys.proof.view()), to_hex(other.proof.view()));
  EXPECT_NE(keys.key.public_key(), other.key.public_key());
}

TEST_F(InviteTest, the_gift_opens_with_the_secret_alone) {
  const Bytes sealed =
      must(seal_gift(*crypto_, text(), {keyring_of(made_.keyring, Role::reader), Bytes(50)}));
  const InviteGift gift = must(open_gift(*crypto_, text(), sealed));
  EXPECT_EQ(gift.name, Bytes(50));
  EXPECT_EQ(gift.keyring.role, Role::reader);
  EXPECT_EQ(gift.keyring.epochs.size(), 1u);
  EXPECT_EQ(code_of(open_gift(*crypto_, text(9), sealed)), Code::auth);
  InviteText elsewhere = text();
  elsewhere.id.bytes.fill(std::byte{7});
  EXPECT_EQ(code_of(open_gift(*crypto_, elsewhere, sealed)), Code::auth);
  for (size_t at = 0; at < sealed.size(); at += 5) {
    Bytes bad = sealed;
    bad[at] ^= std::byte{1};
    ASSERT_EQ(code_of(open_gift(*crypto_, text(), bad)), Code::auth) << at;
  }
}

TEST_F(InviteTest, each_role_is_given_its_keys_and_no_more) {
  const Keyring writer = keyring_of(made_.keyring, Role::writer);
  EXPECT_TRUE(writer.epochs.empty());
  EXPECT_TRUE(writer.root_seed.empty());
  EXPECT_EQ(writer.write_key.size(), 32u);
  const Keyring reader = keyring_of(made_.keyring, Role::reader);
  EXPECT_EQ(reader.epochs.size(), 1u);
  EXPECT_TRUE(reader.root_seed.empty());
  const Keyring owner = keyring_of(made_.keyring, Role::owner);
  EXPECT_EQ(to_hex(owner.root_seed.view()), to_hex(made_.keyring.root_seed.view()));
  // And they come back so from their bytes.
  EXPECT_EQ(must(decode_keyring(encode(writer).view())).role, Role::writer);
  EXPECT_TRUE(must(decode_keyring(encode(reader).view())).root_seed.empty());
}

// As programs wrote it before names were for owners alone.
TEST_F(InviteTest, a_gift_of_the_first_version_brings_the_keys_and_no_name) {
  RecordWriter gift;
  gift.uint(1);
  gift.text("laptop");
  gift.bytes(encode(keyring_of(made_.keyring, Role::writer)).view());
  RecordWriter data;
  data.fixed(as_bytes("cyberbackup/invite-keys/1"));
  data.fixed(text().repository.view());
  data.fixed(text().id.view());
  const auto secret = must(crypto_->import_key(text().secret.view()));
  const auto key = must(secret.derive("invite-keys", text().repository.view()));
  const Bytes sealed =
      must(seal_stream(key, must(stream_sizes(*crypto_)), data.written(), {{}, gift.written()}));
  const InviteGift opened = must(open_gift(*crypto_, text(), sealed));
  EXPECT_EQ(opened.keyring.role, Role::writer);
  EXPECT_TRUE(opened.name.empty());
}

}  // namespace
}  // namespace cb::repository
