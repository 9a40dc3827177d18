// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/log/capture.h"
#include "core/log/output.h"
#include "core/log/rate_limit.h"
#include "core/log/recent.h"

namespace cb::log {
namespace {

class StoppedClock final : public os::Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds wall() const override { return now; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return now; }
  std::chrono::nanoseconds now{std::chrono::seconds(1000)};
};

std::string line(std::initializer_list<Field> fields) {
  return text_line("e", {fields.begin(), fields.size()});
}

TEST(TextLine, plain_values_are_not_quoted) {
  EXPECT_EQ(line({{"client", "alice"}, {"bytes", 17}, {"name", "\xc3\xa9t\xc3\xa9"}}),
            "event=e client=alice bytes=17 name=\xc3\xa9t\xc3\xa9");
}

TEST(TextLine, values_that_could_be_misread_are_quoted) {
  EXPECT_EQ(line({{"a", ""}, {"b", "x y"}, {"c", "x=y"}, {"d", "q\"q"}}),
            "event=e a=\"\" b=\"x y\" c=\"x=y\" d=\"q\\\"q\"");
}

TEST(TextLine, a_peer_cannot_forge_a_line_or_steer_a_terminal) {
  EXPECT_EQ(line({{"n",
                   "gpj.\xe2\x80\xae"
                   "exe"}}),
            "event=e n=\"gpj.\\xe2\\x80\\xaeexe\"");
  EXPECT_EQ(line({{"n", "a\nevent=b"}, {"m", "\x1b[2J"}, {"o", "\xff\xc2\x9b"}}),
            "event=e n=\"a\\nevent=b\" m=\"\\x1b[2J\" o=\"\\xff\\xc2\\x9b\"");
}

TEST(TextLine, a_very_long_value_is_cut) {
  EXPECT_EQ(line({{"n", std::string(5000, 'x')}}).size(),
            std::string("event=e n=\"...\"").size() + 1024);
}

TEST(JsonMembers, are_valid_json_for_any_bytes) {
  const std::vector<Field> fields = {{"n", "a\"b\\c\n\xff"}};
  EXPECT_EQ(json_members("e", fields), "\"event\":\"e\",\"n\":\"a\\\"b\\\\c\\n\\\\xff\"");
}

class Output_ : public ::testing::Test {
 protected:
  Output_() : file_("/tmp/log-test-" + std::to_string(::getpid()) + ".log") {}
  ~Output_() override { std::filesystem::remove(file_); }
  [[nodiscard]] std::string content() const {
    std::ostringstream all;
    all << std::ifstream(file_).rdbuf();
    return all.str();
  }
  std::string file_;
};

TEST_F(Output_, a_line_has_time_level_and_event) {
  const auto log = open_log({Level::info, file_, Format::text});
  ASSERT_TRUE(log) << log.error().text();
  (*log)->warn("session.refused", {{"peer", "1.2.3.4:5"}});
  (*log)->debug("not.shown");
  EXPECT_EQ(content().substr(10, 1), "T");
  EXPECT_EQ(content().substr(23), "Z warning event=session.refused peer=1.2.3.4:5\n");
}

TEST_F(Output_, json_lines_have_the_same) {
  const auto log = open_log({Level::info, file_, Format::json});
  ASSERT_TRUE(log);
  (*log)->info("a.b", {{"n", 1}});
  EXPECT_TRUE(content().starts_with("{\"time\":\"2"));
  EXPECT_TRUE(content().ends_with("Z\",\"level\":\"info\",\"event\":\"a.b\",\"n\":\"1\"}\n"))
      << content();
}

TEST_F(Output_, braces_in_a_value_are_no_format) {
  const auto log = open_log({Level::info, file_, Format::text});
  ASSERT_TRUE(log);
  (*log)->info("a.b", {{"n", "{}{0}"}});
  EXPECT_TRUE(content().ends_with("n={}{0}\n")) << content();
}

TEST_F(Output_, the_level_can_change_while_it_runs) {
  const auto log = open_log({Level::error, file_, Format::text});
  ASSERT_TRUE(log);
  (*log)->info("one");
  (*log)->set_levels(Level::debug, {});
  (*log)->debug("two");
  EXPECT_EQ(content().find("one"), std::string::npos);
  EXPECT_NE(content().find("two"), std::string::npos);
}

TEST_F(Output_, a_rotated_file_is_made_again) {
  const auto log = open_log({Level::info, file_, Format::text});
  ASSERT_TRUE(log);
  (*log)->info("before");
  std::filesystem::remove(file_);
  ASSERT_TRUE((*log)->reopen());
  (*log)->info("after");
  EXPECT_EQ(content().find("before"), std::string::npos);
  EXPECT_NE(content().find("after"), std::string::npos);
}

TEST_F(Output_, a_module_has_a_level_of_its_own) {
  auto log = open_log(
      {Level::info, file_, Format::text, {{"v4", Level::debug}, {"plugin", Level::error}}});
  ASSERT_TRUE(log);
  (*log)->debug("v4.hello");
  (*log)->debug("v3.hello");
  (*log)->debug("v44.hello");
  (*log)->warn("plugin.slow");
  (*log)->error("plugin.bad");
  (*log)->info("ready");
  (*log)->set_levels(Level::warn, {{"v3", Level::debug}});
  (*log)->debug("v3.second");
  (*log)->info("v4.second");
  std::istringstream lines(content());
  std::string events;
  for (std::string line; std::getline(lines, line);)
    events += line.substr(line.find("event=") + 6) + " ";
  EXPECT_EQ(events, "v4.hello plugin.bad ready v3.second ");
}

TEST(Recent, keeps_the_newest_troubles_and_counts_all_lines) {
  Capture below;
  StoppedClock clock;
  RecentLog log(below, clock);
  for (int i = 0; i < 60; ++i) log.warn("trouble", {{"n", i}});
  log.info("ready");
  log.error("worse");
  ASSERT_EQ(log.recent().size(), RecentLog::kKept);
  EXPECT_EQ(log.recent().front().text, "event=trouble n=11");
  EXPECT_EQ(log.recent().back().text, "event=worse");
  EXPECT_EQ(log.recent().back().level, Level::error);
  EXPECT_EQ(log.recent().back().time_ns, 1'000'000'000'000);
  EXPECT_EQ(log.count(Level::warn), 60U);
  EXPECT_EQ(log.count(Level::info), 1U);
  EXPECT_EQ(below.lines().size(), 62U);
}

TEST(Output, a_folder_that_is_not_there_is_an_error) {
  const auto log = open_log({Level::info, "/nonexistent/x.log", Format::text});
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, Code::not_found);
}

TEST(RateLimit, one_peer_gets_a_burst_and_then_silence_whatever_its_port) {
  Capture below;
  StoppedClock clock;
  RateLimitedLog log(below, clock, {.burst = 2});
  for (int port = 1; port <= 10; ++port)
    log.warn("refused", {{"peer", "1.2.3.4:" + std::to_string(port)}});
  EXPECT_EQ(below.count("event=refused"), 2u);
  log.warn("refused", {{"peer", "5.6.7.8:1"}});
  EXPECT_EQ(below.count("event=refused"), 3u);
}

TEST(RateLimit, the_next_interval_tells_what_was_held_back) {
  Capture below;
  StoppedClock clock;
  RateLimitedLog log(below, clock, {.burst = 1, .interval = std::chrono::seconds(10)});
  for (int i = 0; i < 5; ++i) log.warn("refused", {{"peer", "1.2.3.4:1"}});
  clock.now += std::chrono::seconds(10);
  log.warn("refused", {{"peer", "1.2.3.4:1"}});
  ASSERT_EQ(below.lines().size(), 2u);
  EXPECT_EQ(below.lines()[1], "warn event=refused peer=1.2.3.4:1 suppressed=4");
}

TEST(RateLimit, many_subjects_together_are_limited_too) {
  Capture below;
  StoppedClock clock;
  RateLimitedLog log(below, clock, {.burst = 5, .burst_of_event = 7, .max_subjects = 100});
  for (int i = 0; i < 1000; ++i) log.warn("refused", {{"address", std::to_string(i)}});
  EXPECT_EQ(below.count("event=refused"), 7u);
}

TEST(RateLimit, information_always_passes) {
  Capture below;
  StoppedClock clock;
  RateLimitedLog log(below, clock, {.burst = 1});
  for (int i = 0; i < 9; ++i) log.info("upload.done", {{"client", "alice"}});
  EXPECT_EQ(below.count("upload.done"), 9u);
}

TEST(RateLimit, what_is_held_back_at_the_end_is_told) {
  Capture below;
  StoppedClock clock;
  {
    RateLimitedLog log(below, clock, {.burst = 1});
    for (int i = 0; i < 4; ++i) log.error("broken", {{"plugin", "store-fs"}});
  }
  EXPECT_EQ(below.lines().back(), "warn event=log.suppressed of=broken subject=store-fs lines=3");
}

TEST(Level, names_and_levels_are_each_others_reverse) {
  for (const Level level : {Level::trace, Level::debug, Level::info, Level::warn, Level::error})
    EXPECT_EQ(level_named(name_of(level)), level);
  EXPECT_FALSE(level_named("loud"));
}

}  // namespace
}  // namespace cb::log
