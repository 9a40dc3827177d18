// SPDX-License-Identifier: Apache-2.0
#include "core/config/print.h"

#include <gtest/gtest.h>

#include "core/config/check.h"

namespace cb::config {
namespace {

std::vector<Section> example() {
  return {{.name = "server",
           .help = "The daemon itself.",
           .schema = {{.key = "data", .type = Type::path, .help = "Folder.", .required = true},
                      {.key = "memory", .type = Type::size, .help = "Ceiling.", .def = "64MiB"},
                      {.key = "mode",
                       .type = Type::choice,
                       .help = "How | why.",
                       .def = "a",
                       .choices = {"a", "b"}},
                      {.key = "peers", .type = Type::list, .help = "Who.", .def = "x,y"}}},
          {.name = "listen",
           .help = "One listener.",
           .schema = {{.key = "on", .type = Type::boolean, .help = "Whether.", .def = "true"}},
           .repeated = true}};
}

TEST(Print, the_table_has_a_line_for_each_option) {
  EXPECT_EQ(options_as_table(example()),
            "[server]  The daemon itself.\n"
            "  data    path      -           Folder. Required.\n"
            "  memory  size      \"64MiB\"     Ceiling.\n"
            "  mode    choice    \"a\"         How | why. One of: a, b.\n"
            "  peers   list      [\"x\", \"y\"]  Who.\n"
            "\n"
            "[[listen]]  One listener.\n"
            "  on      boolean   true        Whether.\n");
}

TEST(Print, the_sample_with_its_comment_signs_removed_is_valid_toml) {
  std::string sample = options_as_toml(example());
  for (size_t at = 0; (at = sample.find("\n#", at)) != std::string::npos; ++at)
    if (sample[at + 2] != ' ') sample.erase(at + 1, 1);
  const auto root = parse_document(sample, "sample");
  ASSERT_TRUE(root) << root.error().text() << sample;
  EXPECT_EQ(root->find("server")->find("memory")->text, "64MiB");
  EXPECT_EQ(root->find("listen")->items.size(), 1u);
}

TEST(Print, the_sample_leaves_an_optional_table_out_with_its_heading) {
  std::vector<Section> sections = example();
  sections[1].optional = true;
  const auto root = parse_document(options_as_toml(sections), "sample");
  ASSERT_TRUE(root) << root.error().text();
  EXPECT_EQ(root->find("listen"), nullptr);
}

TEST(Print, of_an_optional_table_a_sample_leaves_even_the_heading_out) {
  Section section = example()[1];
  EXPECT_NE(options_as_toml({section}).find("\n[[listen]]\n"), std::string::npos);
  section.optional = true;
  EXPECT_NE(options_as_toml({section}).find("\n#[[listen]]\n"), std::string::npos);
}

TEST(Print, bars_in_a_markdown_cell_are_escaped) {
  EXPECT_NE(options_as_markdown(example()).find("How \\| why."), std::string::npos);
}

TEST(Print, a_shown_value_reads_back_as_the_same_value) {
  const Schema schema = example()[0].schema;
  const auto values = values_from(schema, {{"data", "/a\"b\\c"}, {"memory", "1536"}});
  ASSERT_TRUE(values) << values.error().text();
  for (size_t i = 0; i < schema.size(); ++i) {
    const auto node = parse_value(as_toml(schema[i], values->in_order()[i]), {});
    ASSERT_TRUE(node) << schema[i].key;
    const auto again = read_value(schema[i], *node, surroundings("/"));
    ASSERT_TRUE(again) << schema[i].key;
    EXPECT_EQ(again->text, values->in_order()[i].text);
    EXPECT_EQ(again->number, values->in_order()[i].number);
    EXPECT_EQ(again->list, values->in_order()[i].list);
  }
}

TEST(Print, a_secret_is_never_shown) {
  Value value;
  value.is_set = true;
  value.secret = Secret(as_bytes("hunter2"));
  EXPECT_EQ(as_toml({.key = "p", .type = Type::secret}, value), "\"(secret)\"");
}

}  // namespace
}  // namespace cb::config
