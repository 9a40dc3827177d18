// SPDX-License-Identifier: Apache-2.0
//
// Inviting and joining, with what a server would pass on in between.
#include "core/client/joining.h"

#include "core/client/failing_file_system.h"
#include "core/client/inviting.h"
#include "core/client/keys_fixture.h"
#include "core/client/pending_join.h"
#include "core/repository/device_name.h"

namespace cb::client {
namespace {

using repository::code_of;
using repository::must;
using repository::Role;

class JoiningTest : public KeysFixture {
 protected:
  JoiningTest() : made_(fresh_repository()) {
    owner_.servers = {"backup.example:7900"};
    owner_.pin = std::string(64, 'a');
    owner_.repository = made_.record.id;
    owner_.root = made_.record.root;
    owner_.record = made_.record;
  }

  EnrolmentParts parts(os::FileSystem& files = os::real_file_system()) {
    return {&*crypto_, &files, random_, &os::system_clock(), folder_, {1, 8192}};
  }
  MadeInvite invite(Role role, const std::string& name = {}) {
    InviteWish wish;
    wish.role = role;
    wish.name = name;
    return must(
        make_invite({&*crypto_, random_, &os::system_clock()}, owner_, made_.keyring, wish));
  }
  OpenedInvite opened(const MadeInvite& invite) const {
    return {"alice", made_.record, invite.invite, invite.record.sealed_keys};
  }
  Result<Joining> join(const MadeInvite& invite, std::string_view passphrase = {}) {
    return begin_join(parts(), must(repository::parse_invite(invite.text)), opened(invite),
                      passphrase);
  }
  std::string name_of(const Joining& joining) {
    const auto names = must(
        repository::DeviceNames::make(*crypto_, made_.record.id, made_.keyring.root_seed.view()));
    return must(names.open(certificate_of(joining)));
  }
  static repository::Certificate certificate_of(const Joining& joining) {
    return must(repository::decode_certificate(joining.device.certificate));
  }
  static std::vector<repository::KeySlot> slots_of(const Joining& joining) {
    std::vector<repository::KeySlot> slots;
    for (const Bytes& slot : joining.device.slots)
      slots.push_back(must(repository::decode_slot(slot)));
    return slots;
  }
  Result<repository::Keyring> read_with(const Profile& profile, const Joining& joining,
                                        std::string_view passphrase) {
    const auto lock = must(repository::decode_device_lock(profile.reader_lock));
    return repository::open_device_slot(
        {*crypto_, profile.repository, profile.root, joining.device.device}, slots_of(joining),
        lock, passphrase);
  }

  repository::NewRepository made_;
  Profile owner_;
};

TEST_F(JoiningTest, an_invite_lets_a_device_certify_itself) {
  const MadeInvite made = invite(Role::writer, "laptop");
  EXPECT_EQ(identity::sha256(
                must(repository::invite_keys(*crypto_, must(repository::parse_invite(made.text))))
                    .proof.view()),
            made.record.proof_hash);
  const Joining joining = must(join(made));
  const auto certificate = certificate_of(joining);
  EXPECT_TRUE(repository::verify_certificate(certificate, made_.record));
  EXPECT_EQ(certificate.role, Role::writer);
  EXPECT_EQ(joining.device.device, repository::device_of(certificate.device));
}

TEST_F(JoiningTest, an_invited_device_has_the_name_that_the_owner_gave_and_cannot_read_it) {
  const Joining joining = must(join(invite(Role::writer, "name-of-laptop")));
  EXPECT_EQ(name_of(joining), "name-of-laptop");
  must(accept_join(parts(), joining));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(top_)) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(as_text(content(entry.path())).find("laptop"), std::string_view::npos);
  }
  for (const Secret* key : {&joining.profile.write_key, &joining.profile.device_seed}) {
    const auto names = must(repository::DeviceNames::make(*crypto_, made_.record.id, key->view()));
    EXPECT_EQ(code_of(names.open(certificate_of(joining))), Code::auth);
  }
}

TEST_F(JoiningTest, a_device_that_nobody_named_has_no_name) {
  EXPECT_TRUE(certificate_of(must(join(invite(Role::writer)))).name.empty());
}

TEST_F(JoiningTest, a_writer_keeps_the_write_key_and_nothing_that_reads) {
  const Joining joining = must(join(invite(Role::writer)));
  EXPECT_TRUE(joining.device.slots.empty());
  must(accept_join(parts(), joining));
  const Profile profile = must(load_profile(os::real_file_system(), folder_));
  EXPECT_EQ(profile.role, Role::writer);
  EXPECT_EQ(profile.account, "alice");
  EXPECT_EQ(to_hex(profile.write_key.view()), to_hex(made_.keyring.write_key.view()));
  const std::string half(as_text(made_.keyring.epochs[0].half.view()));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(top_)) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(as_text(content(entry.path())).find(half), std::string_view::npos) << entry.path();
  }
  EXPECT_FALSE(std::filesystem::exists(join_file(folder_)));
}

TEST_F(JoiningTest, a_reader_opens_its_slot_with_a_passphrase_of_its_own) {
  const Joining joining = must(join(invite(Role::reader), "mine"));
  EXPECT_FALSE(certificate_of(joining).kem_public.empty());
  must(accept_join(parts(), joining));
  const Profile profile = must(load_profile(os::real_file_system(), folder_));
  EXPECT_TRUE(profile.write_key.empty());
  const auto keyring = must(read_with(profile, joining, "mine"));
  EXPECT_EQ(keyring.role, Role::reader);
  EXPECT_EQ(code_of(read_with(profile, joining, "other")), Code::denied);
  // Damage to the lock is told from a wrong passphrase.
  Bytes bad = content(folder_ / "reader.key");
  bad[bad.size() / 2] ^= std::byte{1};
  overwrite(folder_ / "reader.key", bad);
  const auto damaged = load_profile(os::real_file_system(), folder_);
  ASSERT_EQ(code_of(damaged), Code::corrupt);
  EXPECT_EQ(damaged.error().object, (folder_ / "reader.key").string());
  std::filesystem::remove(folder_ / "reader.key");
  EXPECT_EQ(code_of(load_profile(os::real_file_system(), folder_)), Code::corrupt);
}

TEST_F(JoiningTest, a_second_owner_adds_a_passphrase_that_opens_everything) {
  const Joining joining = must(join(invite(Role::owner), "second"));
  const auto keyring = must(
      repository::open_with_passphrase(*crypto_, made_.record.id, slots_of(joining), "second"));
  EXPECT_EQ(to_hex(keyring.root_seed.view()), to_hex(made_.keyring.root_seed.view()));
}

TEST_F(JoiningTest, what_was_interrupted_goes_on_with_the_same_keys) {
  const MadeInvite made = invite(Role::reader);
  const auto text = must(repository::parse_invite(made.text));
  EXPECT_FALSE(must(waiting_join(parts(), text)));
  const Joining first = must(join(made, "mine"));
  const auto again = must(waiting_join(parts(), text));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->device.certificate, first.device.certificate);
  EXPECT_EQ(again->device.slots, first.device.slots);
  EXPECT_EQ(must(again->device.sign(Bytes(3))), must(first.device.sign(Bytes(3))));
  must(save_profile(os::real_file_system(), folder_, again->profile));
  // The lights went out between the profile and the end of the pending file.
  const auto late = must(waiting_join(parts(), text));
  ASSERT_TRUE(late);
  must(accept_join(parts(), *late));
  EXPECT_EQ(code_of(waiting_join(parts(), text)), Code::exists);
  EXPECT_EQ(code_of(join(invite(Role::writer))), Code::exists);
}

TEST_F(JoiningTest, hands_nothing_out_before_its_keys_are_kept) {
  const MadeInvite made = invite(Role::writer);
  const auto text = must(repository::parse_invite(made.text));
  bool begun = false;
  for (size_t good = 0; !begun; ++good) {
    ASSERT_LT(good, 100u);
    std::filesystem::remove_all(folder_);
    FailingFileSystem files(good);
    const auto joining = begin_join(parts(files), text, opened(made), {});
    begun = joining.has_value();
    const auto pending = must(waiting_join(parts(), text));
    if (!begun) continue;
    ASSERT_TRUE(pending);
    EXPECT_EQ(pending->device.certificate, joining->device.certificate);
  }
}

TEST_F(JoiningTest, a_damaged_pending_file_is_named) {
  const MadeInvite made = invite(Role::writer);
  must(join(made));
  const Bytes good = content(join_file(folder_));
  for (size_t at = 0; at < good.size(); at += 7) {
    Bytes bad = good;
    bad[at] ^= std::byte{1};
    overwrite(join_file(folder_), bad);
    const auto waiting = waiting_join(parts(), must(repository::parse_invite(made.text)));
    ASSERT_EQ(code_of(waiting), Code::corrupt) << at;
    ASSERT_EQ(waiting.error().object, join_file(folder_).string());
  }
}

TEST_F(JoiningTest, an_invite_that_was_tampered_with_leads_nowhere) {
  const MadeInvite writer = invite(Role::writer);
  const MadeInvite reader = invite(Role::reader);
  const auto text = must(repository::parse_invite(writer.text));
  OpenedInvite swapped = opened(writer);
  swapped.sealed_keys = reader.record.sealed_keys;
  EXPECT_EQ(code_of(begin_join(parts(), text, swapped, {})), Code::auth);
  swapped = opened(writer);
  swapped.invite = reader.invite;
  EXPECT_EQ(code_of(begin_join(parts(), text, swapped, {})), Code::auth);
  swapped = opened(writer);
  swapped.invite.role = Role::owner;
  EXPECT_EQ(code_of(begin_join(parts(), text, swapped, {})), Code::auth);
}

TEST_F(JoiningTest, an_invite_from_before_a_rotation_is_told) {
  const MadeInvite made = invite(Role::reader);
  made_.record.epochs = {{2, must(must(crypto_->pair_new()).public_half())}};
  EXPECT_EQ(code_of(join(made, "mine")), Code::state);
}

TEST_F(JoiningTest, a_wish_for_an_invite_has_to_make_sense) {
  const InviteParts with{&*crypto_, random_, &os::system_clock()};
  InviteWish wish;
  wish.shares_dedup = true;
  EXPECT_EQ(must(make_invite(with, owner_, made_.keyring, wish)).invite.flags,
            repository::kDeviceSharesDedup);
  wish.role = Role::reader;
  EXPECT_EQ(code_of(make_invite(with, owner_, made_.keyring, wish)), Code::invalid);
  wish = {};
  for (const std::string& bad : {std::string(101, 'x'), std::string("two\nlines")}) {
    wish.name = bad;
    EXPECT_EQ(code_of(make_invite(with, owner_, made_.keyring, wish)), Code::invalid) << bad;
  }
  wish = {};
  wish.valid = {};
  EXPECT_EQ(code_of(make_invite(with, owner_, made_.keyring, wish)), Code::invalid);
}

TEST_F(JoiningTest, a_person_who_opened_the_keys_gets_a_device_that_the_root_key_certified) {
  PersonLogin login{
      {owner_.servers, owner_.pin}, "alice", made_.record, made_.keyring, Role::owner, "desk", {}};
  const Joining joining = must(begin_login(parts(), login));
  const auto certificate = certificate_of(joining);
  EXPECT_FALSE(certificate.invite);
  EXPECT_TRUE(repository::verify_certificate(certificate, made_.record));
  EXPECT_EQ(name_of(joining), "desk");
  EXPECT_TRUE(joining.device.slots.empty());
  login.name = "another";
  const Joining again = must(begin_login(parts(), login));
  EXPECT_EQ(again.device.certificate, joining.device.certificate);
  login.role = Role::reader;
  login.passphrase = "mine";
  const Joining reader = must(begin_login(parts(), login));
  EXPECT_EQ(name_of(reader), "another");
  EXPECT_EQ(must(read_with(reader.profile, reader, "mine")).role, Role::reader);
  EXPECT_TRUE(reader.profile.write_key.empty());
}

}  // namespace
}  // namespace cb::client
