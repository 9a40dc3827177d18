// SPDX-License-Identifier: Apache-2.0
#include "core/client/v3_identity.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

namespace cb::client {
namespace {

// Any DER of the outer shape will do: the folder does not look inside.
Secret key_of(uint8_t digit) {
  Bytes der(20, std::byte{digit});
  der[0] = std::byte{0x30};
  der[1] = std::byte{0x82};
  der[2] = std::byte{0};
  der[3] = std::byte{16};
  return Secret(der);
}

class IdentityFolder : public ::testing::Test {
 protected:
  IdentityFolder()
      : path_(std::filesystem::temp_directory_path() /
              ("cb-v3-identity-" + std::to_string(getpid()))),
        folder_(os::real_file_system(), path_) {}
  ~IdentityFolder() override { std::filesystem::remove_all(path_); }

  void put(const char* name, std::string_view content) {
    ASSERT_TRUE(os::real_file_system().make_folders(path_));
    ASSERT_TRUE(os::write_file_atomically(os::real_file_system(), path_ / name, as_bytes(content)));
  }

  const os::Path path_;
  V3IdentityFolder folder_;
  const ClientId id_ = *ClientId::from_hex_text("00112233445566778899aabbccddeeff");
};

TEST_F(IdentityFolder, that_does_not_exist_holds_nobody) {
  const auto nobody = folder_.load("bob");
  ASSERT_TRUE(nobody);
  EXPECT_FALSE(nobody->id);
  EXPECT_TRUE(nobody->private_keys.empty());
}

TEST_F(IdentityFolder, gives_back_what_was_saved) {
  ASSERT_TRUE(folder_.save("bob", id_, key_of(1)));
  const auto bob = folder_.load("bob");
  ASSERT_TRUE(bob);
  EXPECT_EQ(bob->id, id_);
  EXPECT_TRUE(bob->complete);
  ASSERT_EQ(bob->private_keys.size(), 1u);
  EXPECT_EQ(to_hex(bob->private_keys[0].view()), to_hex(key_of(1).view()));
}

TEST_F(IdentityFolder, of_another_name_counts_as_not_registered_but_keeps_its_key) {
  ASSERT_TRUE(folder_.save("bob", id_, key_of(1)));
  const auto eve = folder_.load("eve");
  ASSERT_TRUE(eve);
  EXPECT_FALSE(eve->id);
  EXPECT_EQ(eve->private_keys.size(), 1u);
}

TEST_F(IdentityFolder, offers_both_keys_when_the_files_disagree) {
  ASSERT_TRUE(folder_.save("bob", id_, key_of(1)));
  put("priv.key", as_text(key_of(2).view()));
  const auto bob = folder_.load("bob");
  ASSERT_TRUE(bob);
  ASSERT_EQ(bob->private_keys.size(), 2u);
  EXPECT_EQ(to_hex(bob->private_keys[0].view()), to_hex(key_of(2).view()));
  EXPECT_FALSE(bob->complete);
}

TEST_F(IdentityFolder, with_damaged_files_holds_nobody) {
  put("me.info", "bob\nnot an id\n");
  put("priv.key", "not a key");
  const auto nobody = folder_.load("bob");
  ASSERT_TRUE(nobody);
  EXPECT_FALSE(nobody->id);
  EXPECT_TRUE(nobody->private_keys.empty());
}

TEST(IdentityFolders, are_apart_for_different_names_and_fit_the_file_system) {
  std::set<os::Path> seen;
  const std::string longest(255, '\xc3');
  for (const std::string& name : {std::string("bob"), std::string("Bob"), std::string("b b"),
                                  std::string(".."), std::string("a/b"), std::string("626f62"),
                                  std::string("hex.626f62"), longest, longest + "x"}) {
    const os::Path folder = v3_identity_folder("/config", name);
    EXPECT_TRUE(seen.insert(folder).second) << name;
    EXPECT_EQ(folder.lexically_normal(), folder);
    for (const auto& part : folder) EXPECT_LE(part.string().size(), 255u);
  }
  EXPECT_EQ(v3_identity_folder("/config", "bob"), os::Path("/config/legacy/bob"));
}

}  // namespace
}  // namespace cb::client
