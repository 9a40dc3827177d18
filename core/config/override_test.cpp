// SPDX-License-Identifier: Apache-2.0
#include "core/config/override.h"

#include <gtest/gtest.h>

#include "core/config/check.h"

namespace cb::config {
namespace {

Node example() {
  auto root = parse_document(
      "[server]\nthreads = 2\n[[listen]]\naddress = 'a'\n[[listen]]\naddress = 'b'\n", "d.toml");
  return std::move(*root);
}

TEST(Override, the_environment_sets_a_key_of_a_table) {
  Node root = example();
  const auto found = overrides_from_environment(
      "CYBERBACKUPD_", {"HOME=/root", "CYBERBACKUPD_SERVER__IO_THREADS=4=x", "CYBERBACKUPD_=1"});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].path, (std::vector<std::string>{"server", "io_threads"}));
  EXPECT_EQ(found[0].value, "4=x");
  ASSERT_TRUE(apply(root, found[0]));
  EXPECT_EQ(root.find("server")->find("io_threads")->text, "4=x");
}

TEST(Override, an_argument_replaces_what_the_file_says) {
  Node root = example();
  const auto argument = override_from_argument("server.threads=9");
  ASSERT_TRUE(argument);
  ASSERT_TRUE(apply(root, *argument));
  Problems problems;
  const Schema schema = {{.key = "threads", .type = Type::integer}};
  const Values values =
      check_table(root.find("server"), "server", schema, {}, surroundings("/"), problems);
  EXPECT_EQ(values.number("threads"), 9);
}

TEST(Override, a_wrong_value_is_reported_with_its_origin) {
  Node root = example();
  ASSERT_TRUE(apply(root, *override_from_argument("server.threads=many")));
  Problems problems;
  const Schema schema = {{.key = "threads", .type = Type::integer}};
  (void)check_table(root.find("server"), "server", schema, {}, surroundings("/"), problems);
  ASSERT_EQ(problems.list.size(), 1u);
  EXPECT_EQ(problems.list[0].text(),
            "--set server.threads: server.threads: must be an integer, not 'many'");
}

TEST(Override, a_number_picks_a_block_of_an_array) {
  Node root = example();
  ASSERT_TRUE(apply(root, *override_from_argument("listen.1.address=c")));
  EXPECT_EQ(root.find("listen")->items[1].find("address")->text, "c");
  const auto past = apply(root, *override_from_argument("listen.2.address=c"));
  ASSERT_FALSE(past);
  EXPECT_EQ(past.error().text(),
            "--set listen.2.address: there is no block 2 (there are 2, from 0)");
}

TEST(Override, tables_on_the_way_are_made) {
  Node root;
  ASSERT_TRUE(apply(root, *override_from_argument("store.fs.folder=/x")));
  EXPECT_EQ(root.find("store")->find("fs")->find("folder")->text, "/x");
}

TEST(Override, a_path_through_a_value_or_to_a_table_is_refused) {
  Node root = example();
  EXPECT_FALSE(apply(root, *override_from_argument("server.threads.x=1")));
  EXPECT_FALSE(apply(root, *override_from_argument("server=1")));
}

TEST(Override, arguments_of_another_form_are_refused) {
  EXPECT_FALSE(override_from_argument("server.threads"));
  EXPECT_FALSE(override_from_argument("=4"));
  EXPECT_FALSE(override_from_argument("server..x=4"));
  EXPECT_TRUE(override_from_argument("server.name="));
}

}  // namespace
}  // namespace cb::config
