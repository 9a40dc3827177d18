// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/flow_options.h"

#include <gtest/gtest.h>

namespace cb {
namespace {

TEST(FlowOptions, a_rate_is_a_size_a_second) {
  EXPECT_EQ(parse_rate("--limit-upload", "5MiB").value(), 5U << 20);
  EXPECT_EQ(parse_rate("--limit-upload", "5 MiB/s").value(), 5U << 20);
  EXPECT_EQ(parse_rate("--limit-upload", "4KiB").value(), 4096U);
}

TEST(FlowOptions, without_a_rate_there_is_no_limit) {
  EXPECT_EQ(throttle_of("--limit-upload", "").value(), nullptr);
  EXPECT_EQ(throttle_of("--limit-upload", "none").value(), nullptr);
  EXPECT_NE(throttle_of("--limit-upload", "1MiB").value(), nullptr);
}

TEST(FlowOptions, what_is_none_is_refused_with_the_flag) {
  for (const char* text : {"fast", "5MiB/m", "0", "4095", "17GiB", "-1MiB", "/s"}) {
    const auto rate = parse_rate("--limit-download", text);
    ASSERT_FALSE(rate) << text;
    EXPECT_EQ(rate.error().code, Code::invalid) << text;
    EXPECT_NE(rate.error().object.find("--limit-download"), std::string::npos);
  }
}

}  // namespace
}  // namespace cb
