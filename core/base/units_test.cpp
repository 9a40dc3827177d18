// SPDX-License-Identifier: Apache-2.0
#include "core/base/units.h"

#include <gtest/gtest.h>

namespace cb {
namespace {

using namespace std::chrono_literals;

TEST(Units, sizes_are_read_in_both_kinds_of_units) {
  EXPECT_EQ(parse_size("4096").value(), 4096);
  EXPECT_EQ(parse_size("64MiB").value(), 64 << 20);
  EXPECT_EQ(parse_size("64 MiB").value(), 64 << 20);
  EXPECT_EQ(parse_size("10GB").value(), 10000000000);
}

TEST(Units, sizes_that_are_not_sizes_are_refused) {
  for (const char* text : {"", "MiB", "-1", "1.5MiB", "12 apples", "1KiB2", "64mib"})
    EXPECT_FALSE(parse_size(text)) << text;
  EXPECT_EQ(parse_size("9000000000000TiB").error().code, Code::limit);
}

TEST(Units, durations_may_have_several_parts) {
  EXPECT_EQ(parse_duration("1h30m").value(), 90min);
  EXPECT_EQ(parse_duration("250ms").value(), 250ms);
  EXPECT_EQ(parse_duration("7d").value(), 168h);
  for (const char* text : {"", "5", "5x", "s", "1h-3m"}) EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Units, numbers_are_written_for_people) {
  EXPECT_EQ(format_size(17), "17 B");
  EXPECT_EQ(format_size(1536), "1.5 KiB");
  EXPECT_EQ(format_duration(2500ms), "2.5s");
  EXPECT_EQ(format_duration(90min), "1h30m");
  EXPECT_EQ(format_duration(65s), "1m05s");
}

}  // namespace
}  // namespace cb
