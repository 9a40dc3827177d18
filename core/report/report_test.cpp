// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/report/exit_code.h"
#include "core/report/json.h"
#include "core/report/metrics.h"
#include "core/report/progress.h"
#include "core/report/shown_text.h"
#include "core/report/table.h"
#include "core/report/utc_text.h"

namespace cb::report {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class StoppedClock final : public os::Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds wall() const override { return now; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return now; }
  std::chrono::nanoseconds now{seconds(1000)};
};

TEST(Json, bytes_that_are_not_utf8_are_replaced_and_do_not_throw) {
  EXPECT_EQ(json_line({{"a", "x\xff"}}), "{\"a\":\"x\xef\xbf\xbd\"}");
}

TEST(Json, text_that_is_not_json_is_an_error) {
  EXPECT_FALSE(parse_json("{\"a\":"));
  EXPECT_FALSE(parse_json(""));
  EXPECT_FALSE(parse_json("{} {}"));
  EXPECT_EQ(parse_json(std::string(2 << 20, ' ')).error().code, Code::limit);
  EXPECT_EQ(text_of(*parse_json("{\"a\":\"b\"}"), "a"), "b");
}

TEST(Json, text_that_is_nested_deep_is_refused_before_anybody_walks_through_it) {
  const auto nested = [](size_t levels) {
    return parse_json(std::string(levels, '[') + std::string(levels, ']'));
  };
  ASSERT_TRUE(nested(64));
  EXPECT_EQ(json_line(*nested(64)).size(), 128U);
  for (const size_t levels : {size_t{66}, size_t{200'000}})
    EXPECT_EQ(nested(levels) ? Code::invalid : nested(levels).error().code, Code::limit);
  EXPECT_EQ(parse_json(std::string(200'000, '[')).error().code, Code::limit);
}

TEST(Json, an_error_keeps_its_parts) {
  EXPECT_EQ(json_line(json_of(fail(Code::no_space, "/x", "is full", "delete something"))),
            "{\"code\":\"no-space\",\"object\":\"/x\",\"cause\":\"is full\","
            "\"advice\":\"delete something\"}");
}

TEST(Table, columns_are_as_wide_as_their_widest_cell) {
  Table table({{"name"}, {"bytes", true}});
  table.add({"a", "17"});
  table.add({"l\xc3\xa4nger", "4"});
  EXPECT_EQ(table.text(),
            "name    bytes\n"
            "a          17\n"
            "l\xc3\xa4nger      4\n");
}

TEST(Table, control_characters_do_not_reach_the_terminal) {
  Table table({{"name"}});
  table.add({"a\x1b[2J\n"});
  EXPECT_EQ(table.text(), "name\na?[2J?\n");
}

TEST(UtcText, is_the_moment_in_utc_to_the_second) {
  EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_text(1'772'366'400'999'999'999), "2026-03-01T12:00:00Z");
}

TEST(UtcText, is_read_again) {
  EXPECT_EQ(parse_utc("1970-01-01").value(), 0);
  EXPECT_EQ(parse_utc("2026-03-01T12:00:00Z").value(), 1'772'366'400'000'000'000);
  for (int64_t second = 0; second < 9'000'000'000; second += 86'399'777)
    EXPECT_EQ(parse_utc(utc_text(second * 1'000'000'000)).value(), second * 1'000'000'000);
  for (const char* wrong : {"", "2026", "2026-02-29", "2026-13-01", "2026-00-01", "1969-12-31",
                            "2300-01-01", "2026-03-01T24:00:00Z", "2026-03-01 12:00:00Z",
                            "2026-03-01T12:00:00", "2026-03-01x", "20x6-03-01"})
    EXPECT_EQ(parse_utc(wrong).error().code, Code::invalid) << wrong;
}

TEST(UtcText, a_moment_is_a_time_or_how_long_ago_it_was) {
  EXPECT_EQ(parse_moment("1970-01-02", 0).value(), 86'400'000'000'000);
  EXPECT_EQ(parse_moment("1h", 7'200'000'000'000).value(), 3'600'000'000'000);
  EXPECT_FALSE(parse_moment("yesterday", 0));
}

TEST(ShownText, no_escape_of_a_terminal_is_left) {
  EXPECT_EQ(shown_text("\x1b]0;x\x07"), "?]0;x?");
  EXPECT_EQ(shown_text("a\xc2\x9b"
                       "2J"),
            "a?2J");  // CSI as one character
  EXPECT_EQ(shown_text("a\x9b"
                       "2J"),
            "a\xef\xbf\xbd"
            "2J");  // CSI as one byte
  EXPECT_EQ(shown_text("gpj.\xe2\x80\xae"
                       "exe"),
            "gpj.?exe");  // turns the direction
  EXPECT_EQ(shown_text("a\xe2\x80\xa8"
                       "b\x7f\n"),
            "a?b??");
  EXPECT_EQ(shown_text("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(ShownText, lines_and_tabs_stay_where_text_has_several_lines) {
  EXPECT_EQ(shown_lines("a\tb\n\x1b[2J\nc\r\n"), "a\tb\n?[2J\nc?\n");
  EXPECT_EQ(shown_lines(""), "");
}

TEST(Json, steers_no_terminal_and_means_the_same_all_the_same) {
  const std::string evil =
      "J\xc3\xbcrgen \xc2\x9b"
      "2J \xe2\x80\xae"
      "exe \x7f\x1b[2J \xf0\x9f\x98\x80 \\";
  const Json json = {{"name", evil}, {evil, 1}};
  for (const std::string& text : {json_line(json), json_text(json)}) {
    for (const char* part : {"\xc2\x9b", "\xe2\x80\xae", "\x7f", "\x1b"})
      EXPECT_EQ(text.find(part), std::string::npos) << text;
    EXPECT_NE(text.find("J\xc3\xbcrgen"), std::string::npos) << text;
    EXPECT_NE(text.find("\xf0\x9f\x98\x80"), std::string::npos) << text;
    const auto again = parse_json(text);
    ASSERT_TRUE(again) << text;
    EXPECT_EQ(*again, json);
  }
}

TEST(ShownText, names_of_people_stay_as_they_are) {
  for (const char* name : {"Alice", "J\xc3\xbcrgen", "\xd7\x93\xd7\xa0\xd7\x94", "\xf0\x9f\x98\x80",
                           "a \"b\" <c>", ""})
    EXPECT_EQ(shown_text(name), name);
}

TEST(Metrics, are_written_as_prometheus_reads_them) {
  const Metric gauge{"x_clients", "How many.", Metric::Kind::gauge, {{{{"state", "a"}}, 2}}};
  const Metric counter{"x_bytes_total", "Bytes.", Metric::Kind::counter, {{{}, 4294967296.0}}};
  EXPECT_EQ(metrics_text({gauge, counter}),
            "# HELP x_clients How many.\n"
            "# TYPE x_clients gauge\n"
            "x_clients{state=\"a\"} 2\n"
            "# HELP x_bytes_total Bytes.\n"
            "# TYPE x_bytes_total counter\n"
            "x_bytes_total 4294967296\n");
}

TEST(Metrics, a_histogram_has_its_buckets_and_the_infinite_one) {
  const Metric metric{"x_seconds",
                      "Time.",
                      Metric::Kind::histogram,
                      {{{{"code", "1"}}, 2.5, 3, {{0.5, 1}, {1, 2}}}}};
  EXPECT_EQ(metrics_text({metric}),
            "# HELP x_seconds Time.\n# TYPE x_seconds histogram\n"
            "x_seconds_count{code=\"1\"} 3\nx_seconds_sum{code=\"1\"} 2.5\n"
            "x_seconds_bucket{code=\"1\",le=\"0.5\"} 1\n"
            "x_seconds_bucket{code=\"1\",le=\"1\"} 2\n"
            "x_seconds_bucket{code=\"1\",le=\"+Inf\"} 3\n");
}

TEST(Metrics, a_label_of_a_stranger_cannot_write_a_line_of_its_own) {
  const Metric metric{"x", "X.", Metric::Kind::gauge, {{{{"name", "a\"} 1\ny 2\\\xff"}}, 1}}};
  EXPECT_EQ(metrics_text({metric}),
            "# HELP x X.\n# TYPE x gauge\nx{name=\"a\\\"} 1?y 2\\\\\xef\xbf\xbd\"} 1\n");
}

TEST(ExitCode, errors_map_to_documented_codes) {
  const auto code = [](Code of) { return static_cast<int>(exit_code_of(fail(of, "", ""))); };
  EXPECT_EQ(code(Code::not_found), 10);
  EXPECT_EQ(code(Code::busy), 11);
  EXPECT_EQ(code(Code::denied), 12);
  EXPECT_EQ(code(Code::auth), 12);
  EXPECT_EQ(code(Code::no_space), 14);
  EXPECT_EQ(code(Code::cancelled), 130);
  EXPECT_EQ(code(Code::io), 1);
  EXPECT_NE(exit_codes_text().find("\n  13   server unreachable"), std::string::npos);
}

TEST(Progress, rate_and_eta_come_from_the_clock) {
  StoppedClock clock;
  ProgressMeter meter(clock, "send", 1000);
  clock.now += seconds(2);
  const Progress& progress = meter.update(200);
  EXPECT_DOUBLE_EQ(progress.rate, 100);
  ASSERT_TRUE(progress.eta);
  EXPECT_EQ(*progress.eta, seconds(8));
}

TEST(Progress, the_rate_follows_a_change_and_forgets_the_past) {
  StoppedClock clock;
  ProgressMeter meter(clock, "send", 0);
  clock.now += seconds(1);
  meter.update(1000);
  double rate = 0;
  for (uint64_t i = 1; i <= 60; ++i) {
    clock.now += seconds(1);
    rate = meter.update(1000 + i * 10).rate;
  }
  EXPECT_NEAR(rate, 10, 1);
}

TEST(Progress, without_a_total_there_is_no_eta) {
  StoppedClock clock;
  ProgressMeter meter(clock, "send", 0);
  clock.now += seconds(1);
  EXPECT_FALSE(meter.update(10).eta);
  EXPECT_EQ(progress_json(meter.update(10)),
            "{\"phase\":\"send\",\"done\":10,\"total\":null,\"unit\":\"bytes\",\"rate\":10.0,"
            "\"eta\":null,\"current\":\"\"}");
}

TEST(Progress, the_line_says_what_how_far_how_fast_and_how_long) {
  Progress progress{.phase = "send", .done = 1 << 20, .total = 4 << 20, .rate = 512 * 1024};
  progress.current = "notes.txt";
  progress.eta = seconds(6);
  EXPECT_EQ(progress_line(progress, 100),
            "send  notes.txt  25%  1.0 MiB / 4.0 MiB  512.0 KiB/s  ETA 6.0s");
  EXPECT_EQ(progress_line(progress, 55), "send  no  25%  1.0 MiB / 4.0 MiB  512.0 KiB/s  ETA 6.0s");
}

TEST(Progress, a_line_never_exceeds_the_width) {
  Progress progress{.phase = "send", .done = 17, .total = 40};
  progress.current = std::string(200, 'x') + "\xc3\xa4\xc3\xa4";
  for (size_t width = 0; width < 120; ++width)
    EXPECT_LE(width_of(progress_line(progress, width)), width);
}

TEST(Printer, the_terminal_is_redrawn_ten_times_a_second_at_most) {
  StoppedClock clock;
  std::vector<std::string> shown;
  ProgressPrinter printer(ProgressStyle::terminal, clock,
                          [&](const std::string& text) { shown.push_back(text); });
  for (int i = 0; i < 100; ++i) {
    printer.show({.phase = "send", .done = 1});
    clock.now += milliseconds(10);
  }
  EXPECT_EQ(shown.size(), 10u);
  EXPECT_TRUE(shown[0].starts_with("\r\x1b[K"));
  printer.finish({.phase = "send", .done = 2});
  EXPECT_EQ(shown.back(), "\n");
}

TEST(Printer, json_lines_can_be_parsed) {
  StoppedClock clock;
  std::string shown;
  ProgressPrinter printer(ProgressStyle::json, clock, [&](const std::string& t) { shown += t; });
  printer.show({.phase = "send", .done = 5, .total = 10, .current = "a\nb"});
  const auto parsed = parse_json(shown);
  ASSERT_TRUE(parsed);
  EXPECT_EQ((*parsed)["done"], 5);
  EXPECT_EQ(text_of(*parsed, "current"), "a\nb");
}

}  // namespace
}  // namespace cb::report
