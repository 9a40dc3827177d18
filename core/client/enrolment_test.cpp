// SPDX-License-Identifier: Apache-2.0
#include "core/client/enrolment.h"

#include "core/client/failing_file_system.h"
#include "core/client/keys_fixture.h"
#include "core/client/pending_enrolment.h"
#include "core/repository/device_name.h"

namespace cb::client {
namespace {

using repository::code_of;
using repository::must;

class EnrolmentTest : public KeysFixture {
 protected:
  repository::PairingToken token(uint8_t number = 1) {
    repository::PairingToken made;
    made.id.bytes.fill(std::byte{number});
    made.secret = Secret(random_bytes(32, number));
    made.pin.fill(std::byte{0xab});
    made.servers = {"backup.example:7900"};
    return made;
  }

  EnrolmentParts parts(os::FileSystem& files = os::real_file_system()) {
    return {&*crypto_, &files, random_, &os::system_clock(), folder_, {1, 8192}};
  }

  Result<Enrolment> begin(uint8_t number = 1, std::string_view passphrase = "sesame") {
    return begin_enrolment(parts(), token(number), {passphrase, {}});
  }
  std::string name_of(const Enrolment& made) {
    const auto record = must(repository::decode_repository(made.repository));
    const auto slot = must(repository::decode_slot(made.slots.at(0)));
    const auto keyring =
        must(repository::open_with_passphrase(*crypto_, record.id, std::span(&slot, 1), "sesame"));
    const auto names =
        must(repository::DeviceNames::make(*crypto_, record.id, keyring.root_seed.view()));
    return must(names.open(must(repository::decode_certificate(made.certificate))));
  }

  static void expect_same(const Enrolment& a, const Enrolment& b) {
    EXPECT_EQ(a.repository, b.repository);
    EXPECT_EQ(a.certificate, b.certificate);
    EXPECT_EQ(a.slots, b.slots);
    EXPECT_EQ(to_hex(a.recovery_code.view()), to_hex(b.recovery_code.view()));
    EXPECT_EQ(to_hex(a.profile.device_seed.view()), to_hex(b.profile.device_seed.view()));
    EXPECT_EQ(to_hex(a.profile.write_key.view()), to_hex(b.profile.write_key.view()));
  }
};

TEST_F(EnrolmentTest, makes_records_that_hold_together) {
  const Enrolment made = must(begin());
  EXPECT_EQ(made.token_id, token().id);
  EXPECT_EQ(to_hex(made.token_secret.view()), to_hex(token().secret.view()));
  const auto record = must(repository::decode_repository(made.repository));
  EXPECT_TRUE(repository::verify_record(record, record.root));
  EXPECT_GT(record.created_ns, 0);
  const auto certificate = must(repository::decode_certificate(made.certificate));
  EXPECT_TRUE(repository::verify_certificate(certificate, record.id, record.root));
  EXPECT_EQ(certificate.role, repository::Role::owner);
  EXPECT_TRUE(certificate.name.empty());
  const auto device = must(identity::SigningKey::from_seed(made.profile.device_seed.view()));
  EXPECT_EQ(device.public_key(), certificate.device);
  EXPECT_EQ(made.profile.pin, "ab" + std::string(made.profile.pin, 2));
  EXPECT_EQ(made.profile.servers, token().servers);
}

TEST_F(EnrolmentTest, the_first_owners_device_has_the_name_of_the_first_time) {
  EXPECT_EQ(code_of(begin_enrolment(parts(), token(), {"sesame", std::string(101, 'x')})),
            Code::invalid);
  const Enrolment made = must(begin_enrolment(parts(), token(), {"sesame", "name-of-desk"}));
  EXPECT_EQ(name_of(made), "name-of-desk");
  EXPECT_EQ(as_text(made.certificate).find("name-of"), std::string_view::npos);
  const Enrolment again = must(begin_enrolment(parts(), token(), {"sesame", "another"}));
  expect_same(made, again);
}

TEST_F(EnrolmentTest, its_passphrase_and_its_recovery_code_open_the_keys) {
  const Enrolment made = must(begin());
  std::vector<repository::KeySlot> slots;
  for (const Bytes& slot : made.slots) slots.push_back(must(repository::decode_slot(slot)));
  const repository::RepositoryId& id = made.profile.repository;
  const auto by_passphrase = must(repository::open_with_passphrase(*crypto_, id, slots, "sesame"));
  const auto by_code =
      must(repository::open_with_recovery_code(*crypto_, id, slots, made.recovery_code.view()));
  EXPECT_EQ(to_hex(by_passphrase.write_key.view()), to_hex(made.profile.write_key.view()));
  EXPECT_EQ(to_hex(by_code.root_seed.view()), to_hex(by_passphrase.root_seed.view()));
  const auto root = must(identity::SigningKey::from_seed(by_code.root_seed.view()));
  EXPECT_EQ(root.public_key(), made.profile.root);
}

TEST_F(EnrolmentTest, goes_on_with_the_same_keys_after_an_interruption) {
  const Enrolment first = must(begin());
  EXPECT_TRUE(enrolment_pending(os::real_file_system(), folder_));
  EXPECT_FALSE(has_profile(os::real_file_system(), folder_));
  Enrolment second = must(begin());
  expect_same(first, second);
  // The server took it, and then the lights went out before the code was shown.
  ASSERT_TRUE(accept_enrolment(parts(), second, "alice"));
  expect_same(first, must(begin()));
  ASSERT_TRUE(finish_enrolment(parts()));
  EXPECT_FALSE(enrolment_pending(os::real_file_system(), folder_));
  const Profile profile = must(load_profile(os::real_file_system(), folder_));
  EXPECT_EQ(profile.account, "alice");
  EXPECT_EQ(profile.repository, first.profile.repository);
}

TEST_F(EnrolmentTest, once_finished_is_not_done_again) {
  Enrolment made = must(begin());
  ASSERT_TRUE(accept_enrolment(parts(), made, "alice"));
  // Another token is for another profile, even while the first is not at its end.
  EXPECT_EQ(code_of(begin(2)), Code::exists);
  ASSERT_TRUE(finish_enrolment(parts()));
  EXPECT_EQ(code_of(begin()), Code::exists);
}

TEST_F(EnrolmentTest, another_passphrase_does_not_go_on_with_it) {
  const Enrolment first = must(begin());
  const auto second = begin(1, "another");
  ASSERT_EQ(code_of(second), Code::denied);
  EXPECT_NE(second.error().advice.find(pending_file(folder_).string()), std::string::npos);
  expect_same(first, must(begin()));
}

TEST_F(EnrolmentTest, another_token_keeps_the_keys_of_who_knows_the_passphrase) {
  const Enrolment first = must(begin());
  const Enrolment second = must(begin(2));
  expect_same(first, second);
  EXPECT_EQ(second.token_id, token(2).id);
  const Enrolment third = must(begin(3, "another"));
  EXPECT_NE(third.repository, first.repository);
}

TEST_F(EnrolmentTest, hands_nothing_out_before_its_keys_are_kept) {
  bool begun = false;
  for (size_t good = 0; !begun; ++good) {
    ASSERT_LT(good, 100u);
    std::filesystem::remove_all(folder_);
    FailingFileSystem files(good);
    const auto made = begin_enrolment(parts(files), token(), {"sesame", {}});
    begun = made.has_value();
    const auto pending = load_pending(os::real_file_system(), folder_);
    ASSERT_TRUE(pending) << pending.error().text();
    if (begun) {
      ASSERT_TRUE(pending->has_value());
      expect_same(*made, must(begin()));
    }
  }
}

TEST_F(EnrolmentTest, a_failure_while_it_is_accepted_can_be_repeated) {
  const Enrolment first = must(begin());
  bool accepted = false;
  for (size_t good = 0; !accepted; ++good) {
    ASSERT_LT(good, 100u);
    Enrolment again = must(begin());
    expect_same(first, again);
    FailingFileSystem files(good);
    accepted = accept_enrolment(parts(files), again, "alice").has_value();
  }
  EXPECT_EQ(must(load_profile(os::real_file_system(), folder_)).account, "alice");
}

TEST_F(EnrolmentTest, a_damaged_pending_file_is_named) {
  must(begin());
  const Bytes good = content(pending_file(folder_));
  for (size_t at = 0; at < good.size(); at += 7) {
    Bytes bad = good;
    bad[at] ^= std::byte{1};
    overwrite(pending_file(folder_), bad);
    const auto made = begin();
    ASSERT_EQ(code_of(made), Code::corrupt) << at;
    ASSERT_EQ(made.error().object, pending_file(folder_).string());
  }
  overwrite(pending_file(folder_), ByteView(good).first(10));
  EXPECT_EQ(code_of(begin()), Code::corrupt);
  overwrite(pending_file(folder_), good);
  EXPECT_TRUE(begin());
}

}  // namespace
}  // namespace cb::client
