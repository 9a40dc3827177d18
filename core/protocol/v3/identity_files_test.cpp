// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v3/identity_files.h"
#include "tests/folders.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace cb::v3 {
namespace {

const std::filesystem::path kTranscripts =
    std::filesystem::path(test::data()) / "legacy" / "transcripts";

std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

Bytes some_der(size_t body) {
  Bytes der(4 + body, std::byte{0x5a});
  der[0] = std::byte{0x30};
  der[1] = std::byte{0x82};
  der[2] = static_cast<std::byte>(body >> 8);
  der[3] = static_cast<std::byte>(body & 0xff);
  return der;
}

std::string wrapped(std::string_view text, size_t width, std::string_view end) {
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(width, text.size())))
    out.append(text.substr(0, width)).append(end);
  return out;
}

TEST(ServerAddress, is_split_at_the_first_colon_and_has_a_default_port) {
  EXPECT_EQ(*parse_server_address("10.0.0.1:1357"), (ServerAddress{"10.0.0.1", 1357}));
  EXPECT_EQ(*parse_server_address("backup.example"), (ServerAddress{"backup.example", 1256}));
  EXPECT_EQ(*parse_server_address("[::1]:99"), (ServerAddress{"::1", 99}));
  EXPECT_EQ(*parse_server_address("[::1]"), (ServerAddress{"::1", 1256}));
  for (const char* bad : {"", ":1256", "h:", "h:0", "h:65536", "h:12x", "h:1:2", "[::1", "[::1]x",
                          "[[a]", "a b", "a\rb"})
    EXPECT_FALSE(parse_server_address(bad)) << bad;
}

TEST(TransferInfo, takes_windows_line_ends_and_further_lines) {
  const TransferInfo expected{{"127.0.0.1", 1256}, "Alice Legacy", "C:\\data\\note.txt"};
  EXPECT_EQ(*parse_transfer_info("127.0.0.1:1256\nAlice Legacy\nC:\\data\\note.txt"), expected);
  EXPECT_EQ(
      *parse_transfer_info("127.0.0.1:1256\r\nAlice Legacy\r\nC:\\data\\note.txt\r\n\r\nmore"),
      expected);
  EXPECT_EQ(*parse_transfer_info("\xef\xbb\xbf" + format_transfer_info(expected)), expected);
}

TEST(TransferInfo, names_the_line_that_is_wrong) {
  EXPECT_FALSE(parse_transfer_info(""));
  EXPECT_EQ(parse_transfer_info("h:1\n\nf").error().object, "transfer.info line 2");
  EXPECT_EQ(parse_transfer_info("h:1\n" + std::string(101, 'x') + "\nf").error().object,
            "transfer.info line 2");
  EXPECT_EQ(parse_transfer_info("h:1\nbob\n\n").error().object, "transfer.info line 3");
  EXPECT_EQ(parse_transfer_info("h:1\nbob").error().object, "transfer.info line 3");
}

TEST(MeInfo, of_every_recorded_client_holds_the_key_of_its_priv_key) {
  size_t seen = 0;
  for (const auto& folder : std::filesystem::directory_iterator(kTranscripts)) {
    SCOPED_TRACE(folder.path().filename());
    const auto info = parse_me_info(as_bytes(content_of(folder.path() / "me.info")));
    ASSERT_TRUE(info) << info.error().text();
    EXPECT_FALSE(info->user_name.empty());
    EXPECT_FALSE(info->private_key.empty());
    const auto key = parse_private_key(as_bytes(content_of(folder.path() / "priv.key")));
    ASSERT_TRUE(key) << key.error().text();
    const bool key_was_lost = folder.path().filename() == "orig-undecryptable-key";
    EXPECT_EQ(equal_in_constant_time(key->view(), info->private_key.view()), !key_was_lost);
    ++seen;
  }
  EXPECT_EQ(seen, 16u);
}

TEST(MeInfo, may_lack_the_key_or_have_one_that_cannot_be_read) {
  const std::string head = "bob\r\n00112233445566778899AABBCCDDEEFF\r\n";
  for (const char* third : {"", "\r\n", "not base64!", "AAAA"}) {
    const auto info = parse_me_info(as_bytes(head + third));
    ASSERT_TRUE(info);
    EXPECT_EQ(info->user_name, "bob");
    EXPECT_EQ(info->id.hex(), "00112233445566778899aabbccddeeff");
    EXPECT_TRUE(info->private_key.empty());
  }
}

TEST(MeInfo, without_name_or_id_is_refused_by_line) {
  EXPECT_EQ(parse_me_info(as_bytes("")).error().object, "me.info line 1");
  EXPECT_EQ(parse_me_info(as_bytes("bob\n0011")).error().object, "me.info line 2");
  EXPECT_EQ(parse_me_info(as_bytes("bob\n" + std::string(32, 'g'))).error().object,
            "me.info line 2");
}

RC_GTEST_PROP(MeInfo, is_read_back_however_the_base64_is_wrapped, ()) {
  MeInfo info;
  info.user_name = "Some User";
  for (auto& byte : info.id.bytes) byte = std::byte{*rc::gen::arbitrary<uint8_t>()};
  const size_t width = *rc::gen::inRange<size_t>(1, 200);
  const std::string end = *rc::gen::element<std::string>("\n", "\r\n");
  const Bytes der = some_der(*rc::gen::inRange<size_t>(0, 700));
  info.private_key = Secret(der);
  const auto plain = parse_me_info(format_me_info(info).view());
  RC_ASSERT(plain && plain->id == info.id && plain->user_name == info.user_name);
  RC_ASSERT(to_bytes(plain->private_key.view()) == der);
  std::string padded = info.user_name;
  padded.resize(255);
  const std::string other =
      padded + end + info.id.hex() + end + wrapped(to_base64(der), width, end);
  const auto read = parse_me_info(as_bytes(other));
  RC_ASSERT(read && read->user_name == info.user_name);
  RC_ASSERT(to_bytes(read->private_key.view()) == der);
}

TEST(PrivateKey, is_binary_or_base64_and_cut_to_its_own_length) {
  const Bytes der = some_der(628);
  Bytes longer = der;
  longer.push_back(std::byte{'\n'});
  EXPECT_EQ(to_bytes(parse_private_key(longer)->view()), der);
  const std::string text = wrapped(to_base64(der), 72, "\r\n");
  EXPECT_EQ(to_bytes(parse_private_key(as_bytes(text))->view()), der);
  EXPECT_FALSE(parse_private_key({}));
  EXPECT_FALSE(parse_private_key(ByteView(der).first(100)));
  EXPECT_FALSE(parse_private_key(as_bytes("hello")));
}

}  // namespace
}  // namespace cb::v3
