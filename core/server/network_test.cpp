// SPDX-License-Identifier: Apache-2.0
#include "core/server/network.h"

#include <gtest/gtest.h>

namespace cb::server {
namespace {

bool has(const char* network, const char* address) {
  const auto parsed = Network::parse(network);
  const auto one = parse_address(address);
  EXPECT_TRUE(parsed && one) << network << " " << address;
  return parsed && one && parsed->has(*one);
}

TEST(Network, has_the_addresses_behind_its_prefix_and_no_other) {
  EXPECT_TRUE(has("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(has("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(has("192.0.2.128/25", "192.0.2.200"));
  EXPECT_FALSE(has("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(has("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(has("192.0.2.7", "192.0.2.6"));
  EXPECT_TRUE(has("2001:db8::/32", "[2001:db8:1::5]"));
  EXPECT_FALSE(has("2001:db8::/32", "2001:db9::5"));
}

TEST(Network, of_everything_has_only_its_own_family) {
  EXPECT_TRUE(has("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(has("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(has("::/0", "2001:db8::1"));
  EXPECT_FALSE(has("::/0", "203.0.113.9"));
}

TEST(Network, knows_an_old_address_in_its_new_form) {
  EXPECT_TRUE(has("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_TRUE(has("::ffff:10.0.0.0/104", "10.1.2.3"));
}

TEST(Network, is_written_as_it_is_read) {
  for (const char* text : {"10.0.0.0/8", "0.0.0.0/0", "192.0.2.7/32", "2001:db8::/32", "::/0"})
    EXPECT_EQ(Network::parse(text).value().text(), text);
}

TEST(Network, what_is_none_is_refused) {
  for (const char* text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/8x", "10.0.0/8", "::/129",
        "[::]/0", "2001:db8::1/64", "host", "10.0.0.0/-1", "10.0.0.0 /8", "fe80::1%eth0"})
    EXPECT_EQ(Network::parse(text).error().code, Code::invalid) << text;
}

}  // namespace
}  // namespace cb::server
