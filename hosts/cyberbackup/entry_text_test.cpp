// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/entry_text.h"

#include <gtest/gtest.h>

namespace cb {
namespace {

TEST(EntryText, names_are_shown_as_they_are) {
  for (const char* name : {"etc/passwd", "J\xc3\xbcrgen/\xd7\x93\xd7\xa0", "\xf0\x9f\x98\x80 x"})
    EXPECT_EQ(shown_path(name), name);
}

TEST(EntryText, names_steer_no_terminal) {
  EXPECT_EQ(shown_path("a\x1b]0;x\x07"), "a\\x1b]0;x\\x07");
  EXPECT_EQ(shown_path("a\n\t\r\x7f"), "a\\n\\t\\r\\x7f");
  EXPECT_EQ(shown_path("a\xc2\x9b"
                       "2J"),
            "a\\xc2\\x9b2J");
  EXPECT_EQ(shown_path("a\xff\xc3"), "a\\xff\\xc3");
}

TEST(EntryText, names_do_not_pass_for_others_by_turning_their_direction) {
  EXPECT_EQ(shown_path("gpj.\xe2\x80\xae"
                       "exe"),
            "gpj.\\xe2\\x80\\xaeexe");
  EXPECT_EQ(shown_path("a\xe2\x81\xa6"
                       "b\xd8\x9c"),
            "a\\xe2\\x81\\xa6b\\xd8\\x9c");
}

TEST(EntryText, each_name_has_one_text) {
  EXPECT_EQ(shown_path("a\\x1b"), "a\\\\x1b");
  EXPECT_NE(shown_path("a\\x1b"), shown_path("a\x1b"));
}

}  // namespace
}  // namespace cb
