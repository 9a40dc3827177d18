// SPDX-License-Identifier: Apache-2.0
#include "core/client/v3_folder.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

namespace cb::client {
namespace {

using testing::HasSubstr;

// Any DER of the outer shape will do: the folder does not look inside.
Bytes key_of(uint8_t digit) {
  Bytes der(624, std::byte{digit});
  der[0] = std::byte{0x30};
  der[1] = std::byte{0x82};
  der[2] = std::byte{2};
  der[3] = std::byte{0x6c};
  return der;
}

std::string wrapped(const std::string& text, size_t width) {
  std::string out;
  for (size_t at = 0; at < text.size(); at += width) out += text.substr(at, width) + "\n";
  return out;
}

class OldFolder : public ::testing::Test {
 protected:
  OldFolder()
      : path_(std::filesystem::temp_directory_path() /
              ("cb-v3-folder-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~OldFolder() override { std::filesystem::remove_all(path_); }

  void put(const char* name, std::string_view content) {
    ASSERT_TRUE(os::write_file_atomically(os::real_file_system(), path_ / name, as_bytes(content)));
  }
  Result<V3Folder> read(const std::string& name = {}) {
    return read_v3_folder(os::real_file_system(), path_, name);
  }
  std::string trouble(const std::string& name = {}) {
    const auto found = read(name);
    return found ? "" : found.error().text();
  }

  const os::Path path_;
  const std::string id_ = "00112233445566778899aabbccddeeff";
};

TEST_F(OldFolder, is_read_in_all_forms_that_old_clients_write) {
  const Bytes key = key_of(1);
  const std::string base64 = to_base64(key);
  const std::string upper = "00112233445566778899AABBCCDDEEFF";
  put("transfer.info", "127.0.0.1:1256\r\nalice\r\nnote.txt\r\n");
  for (const std::string& me : {
           "alice\n" + id_ + "\n" + base64 + "\n",          // on one line
           "alice\r\n" + upper + "\r\n" + base64 + "\r\n",  // Windows
           "alice\n" + id_ + "\n" + wrapped(base64, 72),    // over many lines
           "alice" + std::string(250, '\0') + "\n" + id_ + "\n" + base64 + "\n",
           "alice\n" + id_ + "\n",  // the key is in priv.key alone
       }) {
    for (const std::string& file : {std::string(as_text(key)), base64, wrapped(base64, 72)}) {
      put("me.info", me);
      put("priv.key", file);
      const auto found = read();
      ASSERT_TRUE(found) << found.error().text();
      EXPECT_EQ(found->name, "alice");
      EXPECT_EQ(found->id.hex(), id_);
      ASSERT_TRUE(found->info);
      EXPECT_EQ(found->info->file, "note.txt");
      EXPECT_EQ(to_hex(found->private_keys.at(0).view()), to_hex(key));
    }
  }
  std::filesystem::remove(path_ / "priv.key");
  put("me.info", "alice\n" + id_ + "\n" + base64 + "\n");
  EXPECT_TRUE(read()) << "me.info has the key, too";
}

TEST_F(OldFolder, without_transfer_info_is_of_the_client_that_me_info_or_the_caller_names) {
  put("me.info", "bob\n" + id_ + "\n" + to_base64(key_of(2)) + "\n");
  const auto found = read();
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->name, "bob");
  EXPECT_FALSE(found->info);
  EXPECT_TRUE(read("bob"));
  EXPECT_THAT(trouble("eve"), HasSubstr("is not of client eve"));
}

TEST_F(OldFolder, that_lacks_something_is_told_what_and_what_to_do) {
  EXPECT_THAT(trouble(), HasSubstr("neither transfer.info nor me.info"));
  put("transfer.info", "127.0.0.1:1256\nalice\nnote.txt\n");
  EXPECT_THAT(trouble(), HasSubstr("never registered"));
  put("me.info", "alice\n" + id_ + "\n");
  EXPECT_THAT(trouble(), HasSubstr("legacy export"));
  put("priv.key", "garbage");
  EXPECT_THAT(trouble(), HasSubstr("holds no private key"));
  put("me.info", "alice\nno id\n");
  EXPECT_THAT(trouble(), HasSubstr("is damaged"));
  put("transfer.info", "127.0.0.1:1256\n");
  EXPECT_THAT(trouble(), HasSubstr("transfer.info"));
  std::filesystem::remove_all(path_);
  const auto gone = read();
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::not_found);
  EXPECT_THAT(gone.error().text(), HasSubstr("--folder"));
}

TEST_F(OldFolder, whose_file_cannot_be_read_is_no_empty_one) {
  std::filesystem::create_directories(path_ / "priv.key");
  put("me.info", "alice\n" + id_ + "\n" + to_base64(key_of(1)) + "\n");
  EXPECT_THAT(trouble(), HasSubstr("priv.key"));
}

}  // namespace
}  // namespace cb::client
