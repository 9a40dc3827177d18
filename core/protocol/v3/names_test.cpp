// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v3/names.h"

#include <gtest/gtest.h>

namespace cb::v3 {
namespace {

TEST(UserName, takes_1_to_100_characters) {
  EXPECT_TRUE(check_user_name("Alice Legacy"));
  EXPECT_FALSE(check_user_name(kOwnerlessName));
  EXPECT_TRUE(check_user_name("J\xc3\xbcrgen"));
  EXPECT_TRUE(check_user_name(std::string(100, 'x')));
  EXPECT_FALSE(check_user_name(std::string(101, 'x')));
  EXPECT_FALSE(check_user_name(""));
}

TEST(UserName, refuses_control_characters_and_malformed_text) {
  EXPECT_FALSE(check_user_name("a\nb"));
  EXPECT_FALSE(check_user_name("a\x7f"));
  EXPECT_FALSE(check_user_name("\xc3"));          // cut short
  EXPECT_FALSE(check_user_name("\xc0\xaf"));      // overlong
  EXPECT_FALSE(check_user_name("\xed\xa0\x80"));  // surrogate
  EXPECT_FALSE(check_user_name("\xf5\x80\x80\x80"));
}

TEST(FileName, of_a_path_is_its_last_component) {
  EXPECT_EQ(*stored_file_name("note.txt"), "note.txt");
  EXPECT_EQ(*stored_file_name("/home/bob/note.txt"), "note.txt");
  EXPECT_EQ(*stored_file_name("C:\\Users\\bob\\my note (2).txt"), "my note (2).txt");
  EXPECT_EQ(*stored_file_name("a\\b/c+d,e&f#.bin"), "c+d,e&f#.bin");
}

TEST(FileName, may_fill_255_bytes_and_go_beyond_ascii) {
  EXPECT_TRUE(stored_file_name(std::string(255, 'x')));
  EXPECT_EQ(*stored_file_name("r\xc3\xa9sum\xc3\xa9.pdf"), "r\xc3\xa9sum\xc3\xa9.pdf");
}

TEST(FileName, refuses_what_is_no_name) {
  for (const char* name :
       {"", ".", " ", "dir/", "dir\\", "...", "..", "../etc/passwd", "a..b", "..\\x", "x/../y"})
    EXPECT_FALSE(stored_file_name(name)) << name;
}

TEST(FileName, refuses_characters_that_are_not_allowed) {
  for (const char* name : {"a*b", "a?b", "a:b", "a|b", "a<b", "a>b", "a\"b", "a\nb", "a\x01",
                           "caf\xe9.txt", "a\xc2\x85", "a%b", "a;b"})
    EXPECT_FALSE(stored_file_name(name)) << name;
}

TEST(FileName, refuses_windows_devices_in_any_case) {
  for (const char* name :
       {"CON", "con", "Nul.txt", "aux.tar.gz", "LPT1", "com9.log", "PRN .txt", "dir/COM1"})
    EXPECT_FALSE(stored_file_name(name)) << name;
  for (const char* name : {"console", "con1", "lpt", "lpt10", "comx", "x.con"})
    EXPECT_TRUE(stored_file_name(name)) << name;
}

}  // namespace
}  // namespace cb::v3
