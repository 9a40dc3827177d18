// SPDX-License-Identifier: Apache-2.0
#include "core/base/secret.h"

#include <gtest/gtest.h>

namespace cb {
namespace {

TEST(Secret, moving_leaves_nothing_behind) {
  Secret first(as_bytes("key"));
  const Secret second(std::move(first));
  EXPECT_TRUE(first.empty());  // NOLINT: the state after the move is the subject
  EXPECT_EQ(as_text(second.view()), "key");
}

TEST(Secret, wiping_overwrites_the_memory) {
  std::array<std::byte, 4> memory{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  wipe(memory);
  for (const std::byte b : memory) EXPECT_EQ(b, std::byte{0});
}

TEST(Secret, comparison_sees_every_byte_and_the_length) {
  EXPECT_TRUE(equal_in_constant_time(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("ab")));
}

}  // namespace
}  // namespace cb
