// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace cb::plugin {
namespace {

using testing::HasSubstr;

cb_descriptor with_options(const cb_option* options, uint32_t count,
                           uint32_t stride = sizeof(cb_option)) {
  cb_descriptor descriptor{};
  descriptor.id = "example";
  descriptor.options = options;
  descriptor.option_count = count;
  descriptor.option_size = stride;
  return descriptor;
}

constexpr cb_option kAll[] = {
    {"fast", "Be fast.", "true", nullptr, 0, 0, CB_OPTION_BOOL, 0},
    {"level", "How hard.", "3", nullptr, 1, 9, CB_OPTION_INT, 0},
    {"window", "Memory.", "64MiB", nullptr, 0, 0, CB_OPTION_SIZE, CB_OPTION_ADVANCED},
    {"wait", "Patience.", "30s", nullptr, 0, 0, CB_OPTION_DURATION, 0},
    {"name", "A name.", nullptr, nullptr, 0, 0, CB_OPTION_STRING, 0},
    {"folder", "Where.", nullptr, nullptr, 0, 0, CB_OPTION_PATH, CB_OPTION_REQUIRED},
    {"mode", "Which.", "best", "fast|best", 0, 0, CB_OPTION_ENUM, 0},
    {"key", "Secret.", nullptr, nullptr, 0, 0, CB_OPTION_SECRET, CB_OPTION_DEPRECATED},
    {"peers", "Who.", "[\"a\", \"b\"]", nullptr, 0, 0, CB_OPTION_LIST, 0},
};

TEST(PluginSchema, every_kind_of_option_is_taken_over) {
  const auto schema = schema_of(with_options(kAll, std::size(kAll)));
  ASSERT_TRUE(schema) << schema.error().text();
  ASSERT_EQ(schema->size(), std::size(kAll));
  EXPECT_EQ((*schema)[1].key, "level");
  EXPECT_EQ((*schema)[1].type, config::Type::integer);
  EXPECT_EQ((*schema)[1].def, "3");
  EXPECT_EQ((*schema)[1].min, 1);
  EXPECT_EQ((*schema)[1].max, 9);
  EXPECT_TRUE((*schema)[2].advanced);
  EXPECT_EQ((*schema)[2].max, std::numeric_limits<int64_t>::max());
  EXPECT_FALSE((*schema)[4].def);
  EXPECT_TRUE((*schema)[5].required);
  EXPECT_THAT((*schema)[6].choices, testing::ElementsAre("fast", "best"));
  EXPECT_TRUE((*schema)[7].deprecated);
}

TEST(PluginSchema, options_of_a_longer_stride_are_read) {
  struct Longer {
    cb_option option;
    uint64_t added_later;
  };
  const Longer longer[] = {{kAll[0], 1}, {kAll[1], 2}};
  const auto schema = schema_of(with_options(&longer[0].option, 2, sizeof(Longer)));
  ASSERT_TRUE(schema) << schema.error().text();
  EXPECT_EQ((*schema)[1].key, "level");
}

TEST(PluginSchema, what_is_not_well_formed_is_refused_by_name) {
  const struct {
    cb_option option;
    const char* word;
  } cases[] = {
      {{nullptr, "h", nullptr, nullptr, 0, 0, CB_OPTION_BOOL, 0}, "(null)"},
      {{"Upper", "h", nullptr, nullptr, 0, 0, CB_OPTION_BOOL, 0}, "'Upper'"},
      {{"9a", "h", nullptr, nullptr, 0, 0, CB_OPTION_BOOL, 0}, "'9a'"},
      {{"", "h", nullptr, nullptr, 0, 0, CB_OPTION_BOOL, 0}, "''"},
      {{"a2345678901234567890123456789012x", "h", nullptr, nullptr, 0, 0, CB_OPTION_BOOL, 0},
       "[a-z][a-z0-9_]{0,31}"},
      {{"a", "h", nullptr, nullptr, 0, 0, 0, 0}, "type 0"},
      {{"a", "h", nullptr, nullptr, 0, 0, 10, 0}, "type 10"},
      {{"a", nullptr, nullptr, nullptr, 0, 0, CB_OPTION_BOOL, 0}, "no help"},
      {{"a", "h", nullptr, nullptr, 0, 0, CB_OPTION_ENUM, 0}, "without choices"},
      {{"a", "h", nullptr, "x||y", 0, 0, CB_OPTION_ENUM, 0}, "empty or repeated choice"},
      {{"a", "h", nullptr, "x|x", 0, 0, CB_OPTION_ENUM, 0}, "empty or repeated choice"},
      {{"a", "h", nullptr, "x|y", 0, 0, CB_OPTION_INT, 0}, "not of type ENUM"},
      {{"a", "h", "z", "x|y", 0, 0, CB_OPTION_ENUM, 0}, "defaults"},
      {{"a", "h", "maybe", nullptr, 0, 0, CB_OPTION_BOOL, 0}, "defaults"},
      {{"a", "h", "64 furlongs", nullptr, 0, 0, CB_OPTION_SIZE, 0}, "defaults"},
      {{"a", "h", "hunter2", nullptr, 0, 0, CB_OPTION_SECRET, 0}, "SECRET with a default"},
  };
  for (const auto& [option, word] : cases) {
    const auto schema = schema_of(with_options(&option, 1));
    ASSERT_FALSE(schema) << word;
    EXPECT_EQ(schema.error().code, Code::invalid);
    EXPECT_THAT(schema.error().text(), HasSubstr(word));
    EXPECT_THAT(schema.error().text(), HasSubstr("example"));
  }
}

TEST(PluginSchema, a_key_that_comes_twice_is_refused) {
  const cb_option twice[] = {kAll[0], kAll[1], kAll[0]};
  EXPECT_THAT(schema_of(with_options(twice, 3)).error().text(), HasSubstr("comes twice"));
}

TEST(PluginSchema, a_table_of_impossible_sizes_is_refused) {
  for (const auto& descriptor : {with_options(nullptr, 1), with_options(kAll, 1, 8),
                                 with_options(kAll, 1, 57), with_options(kAll, 100000)})
    EXPECT_EQ(schema_of(descriptor).error().code, Code::invalid);
}

const cb_value& value_at(const cb_config& config, size_t index) {
  return *reinterpret_cast<const cb_value*>(reinterpret_cast<const std::byte*>(config.values) +
                                            index * config.value_size);
}

TEST(PluginConfig, values_come_in_the_order_of_the_options) {
  const auto schema = schema_of(with_options(kAll, std::size(kAll)));
  ASSERT_TRUE(schema);
  const auto values = config::values_from(
      *schema, {{"folder", "/srv"}, {"level", "7"}, {"peers", "[\"x\", \"\"]"}});
  ASSERT_TRUE(values) << values.error().text();
  const auto table = ConfigTable::make("example", *schema, *values);
  ASSERT_TRUE(table);
  const cb_config& config = *(*table)->table();
  ASSERT_EQ(config.count, std::size(kAll));
  EXPECT_EQ(value_at(config, 0).number, 1);
  EXPECT_EQ(value_at(config, 1).number, 7);
  EXPECT_EQ(value_at(config, 1).text, nullptr);
  EXPECT_EQ(value_at(config, 2).number, 64 << 20);
  EXPECT_EQ(value_at(config, 3).number, 30'000'000'000);
  EXPECT_EQ(value_at(config, 4).is_set, 0U);
  EXPECT_EQ(value_at(config, 4).text, nullptr);
  EXPECT_STREQ(value_at(config, 5).text, "/srv");
  EXPECT_EQ(value_at(config, 5).length, 4U);
  EXPECT_STREQ(value_at(config, 6).text, "best");
  EXPECT_EQ(value_at(config, 6).number, 1);
  const cb_value& peers = value_at(config, 8);
  ASSERT_EQ(peers.length, 3U);
  EXPECT_EQ(std::memcmp(peers.text, "x\0\0\0", 4), 0) << "each string and the whole end with zero";
}

TEST(PluginConfig, a_secret_is_handed_over_as_text) {
  const cb_option option = kAll[7];
  const auto schema = schema_of(with_options(&option, 1));
  ASSERT_TRUE(schema);
  config::Value secret;
  secret.is_set = true;
  secret.secret = Secret(as_bytes("hunter2"));
  std::vector<config::Value> given;
  given.push_back(std::move(secret));
  const config::Values values(*schema, std::move(given));
  const auto table = ConfigTable::make("example", *schema, values);
  ASSERT_TRUE(table);
  EXPECT_STREQ(value_at(*(*table)->table(), 0).text, "hunter2");
  EXPECT_EQ(value_at(*(*table)->table(), 0).length, 7U);
}

TEST(PluginConfig, values_of_another_schema_are_refused) {
  const auto schema = schema_of(with_options(kAll, std::size(kAll)));
  EXPECT_EQ(ConfigTable::make("example", *schema, {}).error().code, Code::invalid);
}

}  // namespace
}  // namespace cb::plugin
