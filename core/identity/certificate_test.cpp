// SPDX-License-Identifier: Apache-2.0
#include "core/identity/certificate.h"

#include <gtest/gtest.h>

namespace cb::identity {
namespace {

using std::chrono::hours;

TEST(Certificate, has_a_pin_that_is_that_of_its_text) {
  const auto made = make_certificate({"localhost", "127.0.0.1", "::1"}, hours(24));
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->pin.size(), 64u);
  EXPECT_EQ(*pin_of(made->certificate), made->pin);
  EXPECT_TRUE(as_text(made->key.view()).starts_with("-----BEGIN PRIVATE KEY-----"));
  EXPECT_NE(make_certificate({"localhost"}, hours(24))->pin, made->pin);
}

TEST(Certificate, needs_a_name_and_a_text_needs_a_certificate) {
  EXPECT_FALSE(make_certificate({}, hours(24)));
  EXPECT_FALSE(pin_of("nothing"));
}

}  // namespace
}  // namespace cb::identity
