// SPDX-License-Identifier: Apache-2.0
#include "core/config/document.h"

#include <gtest/gtest.h>

namespace cb::config {
namespace {

TEST(Document, every_key_and_value_knows_its_place) {
  const auto root = parse_document("a = 1\n\n[server]\nthreads = \"x\"\n", "d.toml");
  ASSERT_TRUE(root) << root.error().text();
  EXPECT_EQ(root->members[0].at.text(), "d.toml:1:1");
  const Node* server = root->find("server");
  ASSERT_NE(server, nullptr);
  EXPECT_EQ(server->members[0].at.text(), "d.toml:4:1");
  EXPECT_EQ(server->members[0].value.at.text(), "d.toml:4:11");
  EXPECT_EQ(server->members[0].value.text, "x");
}

TEST(Document, kinds_are_told_apart) {
  const auto root = parse_document(
      "b = true\ni = -3\nr = 1.5\nt = 'x'\nd = 2024-01-02\na = [1, 'y']\ns = { k = 1 }\n", "d");
  ASSERT_TRUE(root) << root.error().text();
  const std::vector<Kind> expected = {Kind::boolean, Kind::integer, Kind::real, Kind::text,
                                      Kind::date,    Kind::array,   Kind::table};
  ASSERT_EQ(root->members.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(root->members[i].value.kind, expected[i]) << root->members[i].key;
  EXPECT_EQ(root->find("i")->number, -3);
  EXPECT_EQ(root->find("a")->items.size(), 2u);
}

TEST(Document, members_keep_the_order_of_writing) {
  const auto root = parse_document("z = 1\na = 2\nm = 3\n", "d");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->members[0].key + root->members[1].key + root->members[2].key, "zam");
}

TEST(Document, bad_toml_is_named_with_its_line) {
  const auto root = parse_document("a = 1\nb = = 2\n", "conf/d.toml");
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().code, Code::corrupt);
  EXPECT_TRUE(root.error().object.starts_with("conf/d.toml:2:")) << root.error().text();
}

TEST(Document, a_key_written_twice_is_refused) {
  const auto root = parse_document("a = 1\na = 2\n", "d");
  ASSERT_FALSE(root);
  EXPECT_TRUE(root.error().object.starts_with("d:2:")) << root.error().text();
}

TEST(Document, a_document_that_is_too_long_is_refused) {
  const auto root = parse_document(std::string(kMaxDocument + 1, '#'), "d");
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().code, Code::limit);
}

TEST(Document, deep_nesting_is_an_error_and_no_crash) {
  EXPECT_FALSE(parse_document("a = " + std::string(100000, '['), "d"));
}

TEST(Document, a_malformed_date_is_an_error_and_no_crash) {
  for (const char* date :
       {"1979-05-27T&7:32:00Z", "1979-05-27 x", "07:3", "1979-", "1979-05-27T"}) {
    const auto root = parse_document("z = " + std::string(date) + "\n", "d");
    EXPECT_FALSE(root) << date;
  }
}

TEST(Document, letters_beyond_ascii_belong_into_quotes) {
  EXPECT_TRUE(parse_document("a = \"\u00e9\" # \u00e9\n", "d"));
  for (const char* letter : {"\u00e9", "\ufef6", "\u2010"}) {
    EXPECT_FALSE(parse_document(letter + std::string(" = 1\n"), "d")) << letter;
    EXPECT_FALSE(parse_document("a = 1 " + std::string(letter) + "\n", "d")) << letter;
  }
}

TEST(Document, a_file_that_is_not_there_is_not_found) {
  const auto root = load_document(os::real_file_system(), "/nonexistent/d.toml");
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().code, Code::not_found);
  EXPECT_EQ(root.error().object, "/nonexistent/d.toml");
}

TEST(Document, one_value_is_not_two) {
  EXPECT_TRUE(parse_value("[1, 2]", {}));
  EXPECT_FALSE(parse_value("1\nb = 2", {}));
}

}  // namespace
}  // namespace cb::config
