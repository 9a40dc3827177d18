// SPDX-License-Identifier: Apache-2.0
//
// Names of devices with the real crypto plugin.
#include "core/repository/device_name.h"

#include "core/repository/invite.h"
#include "core/repository/signatures.h"
#include "core/repository/slots.h"
#include "core/repository/suite_fixture.h"

namespace cb::repository {
namespace {

class DeviceNameTest : public SuiteFixture {
 protected:
  DeviceNameTest() : made_(fresh_repository()) { by_root_.device.fill(std::byte{1}); }

  DeviceNames names() { return must(with(made_.keyring.root_seed.view())); }
  Result<DeviceNames> with(ByteView root_seed) {
    return DeviceNames::make(*crypto_, made_.record.id, root_seed);
  }
  static Certificate invited(uint8_t invite) {
    Certificate certificate;
    certificate.device.fill(std::byte{9});
    certificate.invite.emplace();
    certificate.invite->id.bytes.fill(std::byte{invite});
    return certificate;
  }

  NewRepository made_;
  Certificate by_root_;
};

TEST_F(DeviceNameTest, an_owner_reads_the_name_given_with_an_invite) {
  Certificate certificate = invited(2);
  EXPECT_EQ(must(names().open(certificate)), "");
  certificate.name = must(names().seal(certificate.invite->id, "ann-laptop"));
  EXPECT_EQ(as_text(certificate.name).find("laptop"), std::string_view::npos);
  EXPECT_EQ(must(names().open(certificate)), "ann-laptop");
  // Whichever device it is that comes.
  certificate.device.fill(std::byte{8});
  EXPECT_EQ(must(names().open(certificate)), "ann-laptop");
}

TEST_F(DeviceNameTest, an_owner_reads_the_name_of_a_device_that_the_root_key_certified) {
  by_root_.name = must(names().seal(device_of(by_root_.device), "desk"));
  EXPECT_EQ(must(names().open(by_root_)), "desk");
}

TEST_F(DeviceNameTest, a_name_passes_to_no_other_invite_device_or_repository) {
  const Certificate first = invited(2);
  Certificate second = invited(3);
  second.name = must(names().seal(first.invite->id, "ann-laptop"));
  EXPECT_EQ(code_of(names().open(second)), Code::auth);
  by_root_.name = must(names().seal(device_of(by_root_.device), "desk"));
  Certificate other = by_root_;
  other.device.fill(std::byte{7});
  EXPECT_EQ(code_of(names().open(other)), Code::auth);
  other = by_root_;
  other.invite = first.invite;
  EXPECT_EQ(code_of(names().open(other)), Code::auth);
  const RepositoryId elsewhere{{std::byte{5}}};
  EXPECT_EQ(code_of(must(DeviceNames::make(*crypto_, elsewhere, made_.keyring.root_seed.view()))
                        .open(by_root_)),
            Code::auth);
}

TEST_F(DeviceNameTest, no_key_of_a_writer_or_a_reader_opens_a_name) {
  by_root_.name = must(names().seal(device_of(by_root_.device), "desk"));
  for (const Role role : {Role::writer, Role::reader}) {
    const Keyring keyring = keyring_of(made_.keyring, role);
    EXPECT_EQ(code_of(with(keyring.root_seed.view())), Code::invalid);
    EXPECT_EQ(code_of(must(with(keyring.write_key.view())).open(by_root_)), Code::auth);
    for (const Keyring::Private& epoch : keyring.epochs) {
      const auto opener = with(epoch.half.view());
      EXPECT_FALSE(opener && opener->open(by_root_));
    }
  }
}

TEST_F(DeviceNameTest, a_name_that_was_altered_or_put_there_by_others_is_none) {
  const Bytes good = must(names().seal(device_of(by_root_.device), "desk"));
  for (size_t at = 0; at < good.size(); ++at) {
    by_root_.name = good;
    by_root_.name[at] ^= std::byte{1};
    ASSERT_EQ(code_of(names().open(by_root_)), Code::auth) << at;
  }
  for (const size_t size : {size_t{1}, good.size(), size_t{1024}, size_t{1025}, size_t{100'000}}) {
    by_root_.name = random_bytes(size, 4);
    ASSERT_EQ(code_of(names().open(by_root_)), Code::auth) << size;
  }
}

TEST_F(DeviceNameTest, a_name_is_one_short_line) {
  const std::string most(kMostDeviceName, 'x');
  EXPECT_TRUE(check_device_name(most));
  EXPECT_TRUE(check_device_name("Ännchens Gerät"));
  for (const std::string& bad : {std::string(), most + "x", std::string("a\nb"),
                                 std::string("a\0b", 3), std::string("\x7f")}) {
    EXPECT_EQ(code_of(check_device_name(bad)), Code::invalid);
    EXPECT_EQ(code_of(names().seal(InviteId(), bad)), Code::invalid);
  }
}

}  // namespace
}  // namespace cb::repository
