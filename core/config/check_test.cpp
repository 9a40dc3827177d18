// SPDX-License-Identifier: Apache-2.0
#include "core/config/check.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "core/config/print.h"

namespace cb::config {
namespace {

Schema example() {
  return {
      {.key = "threads", .type = Type::integer, .def = "2", .min = 1, .max = 64},
      {.key = "memory", .type = Type::size, .def = "64MiB", .min = 1 << 20, .max = 1 << 30},
      {.key = "wait", .type = Type::duration, .def = "30s"},
      {.key = "folder", .type = Type::path, .required = true},
      {.key = "password", .type = Type::secret},
      {.key = "old", .type = Type::boolean, .help = "Use new instead.", .deprecated = true},
  };
}

class Check : public ::testing::Test {
 protected:
  Check() : folder_("/tmp/config-check-" + std::to_string(::getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~Check() override { std::filesystem::remove_all(folder_); }

  Values check(const std::string& toml, const Schema& schema = example()) {
    auto root = parse_document(toml, "d.toml");
    EXPECT_TRUE(root) << root.error().text();
    Surroundings from = surroundings(folder_);
    from.variable = [](const std::string& name) -> std::optional<std::string> {
      if (name == "PASSWORD") return "from-env";
      return std::nullopt;
    };
    problems_ = {};
    return check_table(root->find("s"), "s", schema, {"sub"}, from, problems_);
  }

  std::string write(const std::string& name, const std::string& content, uint32_t mode) {
    const os::Path path = folder_ / name;
    EXPECT_TRUE(os::write_file_atomically(os::real_file_system(), path, as_bytes(content), mode));
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path.string();
  }

  // The texts of all problems, one a line.
  std::string texts() const {
    std::string all;
    for (const Problem& problem : problems_.list) all += problem.text() + "\n";
    return all;
  }

  os::Path folder_;
  Problems problems_;
};

TEST_F(Check, an_unknown_key_names_file_line_column_and_the_nearest_key) {
  check("[s]\nfolder = 'x'\nthread = 3\n");
  EXPECT_EQ(texts(), "d.toml:3:1: s.thread: is not a known key (did you mean s.threads?)\n");
  EXPECT_TRUE(problems_.has_errors());
}

TEST_F(Check, a_key_far_from_all_others_gets_no_advice) {
  check("[s]\nfolder = 'x'\nqqqqqq = 3\n");
  EXPECT_EQ(texts(), "d.toml:3:1: s.qqqqqq: is not a known key\n");
}

TEST_F(Check, all_problems_are_collected_in_one_run) {
  check("[s]\nthreads = 0\nmemory = '2GiB'\nwait = 30\n");
  EXPECT_EQ(texts(),
            "d.toml:2:11: s.threads: must be at least 1, not 0\n"
            "d.toml:3:10: s.memory: must be at most 1.0 GiB, not 2.0 GiB\n"
            "d.toml:4:8: s.wait: must be a duration, not an integer (write it like \"30s\" or "
            "\"1h30m\")\n"
            "d.toml:1:1: s.folder: is required, but was not written\n");
}

TEST_F(Check, keys_that_are_checked_elsewhere_are_left_alone) {
  check("[s]\nfolder = 'x'\n[s.sub]\nanything = 1\n");
  EXPECT_EQ(texts(), "");
}

TEST_F(Check, relative_paths_start_at_the_folder_of_the_file) {
  EXPECT_EQ(check("[s]\nfolder = 'a/../b'\n").text("folder"), (folder_ / "b").string());
  EXPECT_EQ(check("[s]\nfolder = '/abs'\n").text("folder"), "/abs");
}

TEST_F(Check, a_deprecated_key_is_a_warning_and_no_error) {
  const Values values = check("[s]\nfolder = 'x'\nold = true\n");
  EXPECT_FALSE(problems_.has_errors());
  EXPECT_EQ(texts(), "d.toml:3:1: s.old: is deprecated (Use new instead.)\n");
  EXPECT_TRUE(values.boolean("old"));
}

TEST_F(Check, a_missing_table_gives_the_defaults) {
  const Values values = check("x = 1\n", {{.key = "n", .type = Type::integer, .def = "7"}});
  EXPECT_EQ(values.number("n"), 7);
}

TEST_F(Check, a_value_where_a_table_belongs_is_an_error) {
  check("s = 3\n");
  EXPECT_EQ(texts(), "d.toml:1:5: s: must be a table, not an integer\n");
}

TEST_F(Check, a_secret_comes_from_a_private_file_without_its_newline) {
  write("pw", "hunter2\n", 0600);
  const Values values = check("[s]\nfolder = 'x'\npassword = { file = 'pw' }\n");
  EXPECT_EQ(texts(), "");
  EXPECT_EQ(as_text(values.at("password").secret.view()), "hunter2");
}

TEST_F(Check, a_secret_comes_from_the_environment) {
  const Values values = check("[s]\nfolder = 'x'\npassword = { env = 'PASSWORD' }\n");
  EXPECT_EQ(texts(), "");
  EXPECT_EQ(as_text(values.at("password").secret.view()), "from-env");
}

TEST_F(Check, a_secret_file_that_others_can_read_is_refused) {
  const std::string path = write("pw", "hunter2\n", 0640);
  check("[s]\nfolder = 'x'\npassword = { file = 'pw' }\n");
  EXPECT_EQ(texts(), "d.toml:3:12: s.password: " + path +
                         " is open to its group or to others (chmod 600 " + path + ")\n");
}

TEST_F(Check, an_inline_secret_is_refused_and_never_repeated) {
  check("[s]\nfolder = 'x'\npassword = 'hunter2'\n");
  EXPECT_TRUE(problems_.has_errors());
  EXPECT_EQ(texts().find("hunter2"), std::string::npos) << texts();
  EXPECT_EQ(texts(),
            "d.toml:3:12: s.password: a secret must not be written here (write { file = \"...\" } "
            "or { env = \"...\" })\n");
}

TEST_F(Check, a_secret_names_what_is_missing) {
  check("[s]\nfolder = 'x'\npassword = { env = 'NOT_SET' }\n");
  EXPECT_EQ(texts(), "d.toml:3:12: s.password: the environment variable NOT_SET is not set\n");
  check("[s]\nfolder = 'x'\npassword = { file = 'a', env = 'b' }\n");
  EXPECT_NE(texts().find("exactly one of file and env"), std::string::npos);
  write("pw", "", 0600);
  check("[s]\nfolder = 'x'\npassword = { file = 'pw' }\n");
  EXPECT_EQ(texts(), "d.toml:3:12: s.password: the secret is empty\n");
}

TEST_F(Check, a_list_holds_texts_and_integers_and_nothing_else) {
  const Schema schema = {{.key = "l", .type = Type::list}};
  EXPECT_EQ(check("[s]\nl = ['a', 3]\n", schema).list("l"), (std::vector<std::string>{"a", "3"}));
  EXPECT_EQ(texts(), "");
  check("[s]\nl = ['a', true]\n", schema);
  EXPECT_EQ(texts(), "d.toml:2:5: s.l: must be an array of texts, but holds a boolean\n");
}

TEST(Nearest, prefers_fewest_edits) {
  EXPECT_EQ(nearest("io_thread", {"workers", "io_threads", "iothreads"}), "io_threads");
  EXPECT_EQ(nearest("adress", {"address", "name"}), "address");
  EXPECT_EQ(nearest("zzz", {"address", "name"}), "");
  EXPECT_EQ(nearest(std::string(100, 'a'), {"address"}), "");
}

TEST(CheckProperty, one_changed_letter_of_a_key_finds_the_key_again) {
  EXPECT_TRUE(rc::check([] {
    const std::vector<std::string> keys = {"io_threads", "workers", "drain_timeout", "max_upload"};
    const auto which = *rc::gen::inRange<size_t>(0, keys.size());
    std::string typed = keys[which];
    typed[*rc::gen::inRange<size_t>(0, typed.size())] = '#';
    RC_ASSERT(nearest(typed, keys) == keys[which]);
  }));
}

TEST(CheckProperty, an_integer_is_accepted_exactly_inside_its_bounds) {
  EXPECT_TRUE(rc::check([](int32_t number, int16_t low, uint8_t width) {
    const Option option{.key = "n", .type = Type::integer, .min = low, .max = low + width + 1};
    Node node;
    node.kind = Kind::integer;
    node.number = number;
    const auto value = read_value(option, node, {});
    RC_ASSERT(value.has_value() == (number >= option.min && number <= option.max));
    if (value) RC_ASSERT(value->number == number);
  }));
}

TEST(CheckProperty, any_text_survives_being_written_to_toml_and_read_back) {
  EXPECT_TRUE(rc::check([] {
    const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
    const auto node = parse_value(toml_text(text), {});
    RC_ASSERT(node.has_value());
    const auto value = read_value({.key = "t", .type = Type::text}, *node, {});
    RC_ASSERT(value.has_value());
    RC_ASSERT(value->text == text);
  }));
}

}  // namespace
}  // namespace cb::config
