// SPDX-License-Identifier: Apache-2.0
#include "core/config/schema.h"

#include <gtest/gtest.h>

namespace cb::config {
namespace {

Schema example() {
  return {
      {.key = "fast", .type = Type::boolean, .def = "true"},
      {.key = "level", .type = Type::integer, .def = "3", .min = 1, .max = 19},
      {.key = "window", .type = Type::size, .def = "64MiB"},
      {.key = "wait", .type = Type::duration, .def = "1h30m"},
      {.key = "name", .type = Type::text},
      {.key = "mode", .type = Type::choice, .def = "best", .choices = {"fast", "best"}},
      {.key = "peers", .type = Type::list, .def = "a,b"},
  };
}

TEST(Values, defaults_are_read_as_their_types) {
  const auto values = values_from(example(), {});
  ASSERT_TRUE(values) << values.error().text();
  EXPECT_TRUE(values->boolean("fast"));
  EXPECT_EQ(values->number("level"), 3);
  EXPECT_EQ(values->number("window"), 64 << 20);
  EXPECT_EQ(values->duration("wait"), std::chrono::minutes(90));
  EXPECT_FALSE(values->is_set("name"));
  EXPECT_EQ(values->text("mode"), "best");
  EXPECT_EQ(values->number("mode"), 1);
  EXPECT_EQ(values->list("peers"), (std::vector<std::string>{"a", "b"}));
}

TEST(Values, written_texts_replace_defaults) {
  const auto values = values_from(
      example(), {{"fast", "false"}, {"level", "19"}, {"peers", "[\"x,y\"]"}, {"name", "n"}});
  ASSERT_TRUE(values) << values.error().text();
  EXPECT_FALSE(values->boolean("fast"));
  EXPECT_EQ(values->number("level"), 19);
  EXPECT_EQ(values->list("peers"), std::vector<std::string>{"x,y"});
  EXPECT_EQ(values->text("name"), "n");
}

TEST(Values, order_is_that_of_the_schema) {
  const auto values = values_from(example(), {{"name", "n"}});
  ASSERT_TRUE(values);
  ASSERT_EQ(values->in_order().size(), 7u);
  EXPECT_EQ(values->in_order()[4].text, "n");
}

TEST(Values, every_wrong_option_is_named) {
  const auto values = values_from(example(), {{"level", "20"}, {"windo", "1"}, {"mode", "bets"}});
  ASSERT_FALSE(values);
  EXPECT_EQ(values.error().code, Code::invalid);
  EXPECT_EQ(values.error().cause,
            "windo: is not a known key (did you mean window?)\n"
            "level: must be at most 19, not 20\n"
            "mode: must be one of fast, best, not 'bets' (did you mean best?)");
}

TEST(Values, asking_for_an_unknown_key_ends_the_program) {
  const auto values = values_from(example(), {});
  ASSERT_TRUE(values);
  EXPECT_DEATH((void)values->number("nothing"), "no option 'nothing'");
}

}  // namespace
}  // namespace cb::config
