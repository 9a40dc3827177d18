// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_guard.h"

#include <gmock/gmock.h>

#include "core/server/stopped_clock.h"

namespace cb::server {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class V4GuardTest : public ::testing::Test {
 protected:
  static V4Settings settings() {
    V4Settings settings;
    settings.hellos_per_minute = 10;
    settings.login_tries = 3;
    settings.login_wait = seconds(2);
    settings.password_checks = 2;
    return settings;
  }
  // A wrong password; the code that the try ended with.
  Code guess(const std::string& account, const std::string& network = "192.0.2.1") {
    const auto place = guard_.begin_password(account, network);
    return place ? Code::denied : place.error().code;
  }
  static Error wrong() { return fail(Code::denied, "device", "did not prove who it is"); }

  StoppedClock clock_;
  V4Guard guard_{clock_, settings()};
};

TEST_F(V4GuardTest, an_address_may_begin_so_many_conversations_a_minute) {
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(guard_.admit("192.0.2.1"));
  EXPECT_EQ(guard_.admit("192.0.2.1").error().code, Code::busy);
  EXPECT_TRUE(guard_.admit("192.0.2.2"));
  clock_.forward(seconds(60));
  EXPECT_TRUE(guard_.admit("192.0.2.1"));
}

TEST_F(V4GuardTest, guessing_at_an_account_is_refused_before_the_password_is_looked_at) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(guess("alice"), Code::denied);
  const auto refused = guard_.begin_password("alice", "192.0.2.99");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::busy);
  EXPECT_THAT(refused.error().text(), HasSubstr("try again in 2"));
  EXPECT_EQ(guess("bob"), Code::denied);
  clock_.forward(seconds(2));
  EXPECT_EQ(guess("alice"), Code::denied);
  EXPECT_EQ(guess("alice"), Code::busy);
  EXPECT_EQ(guard_.locked_out(), 2U);
}

TEST_F(V4GuardTest, an_address_that_guesses_at_many_accounts_has_to_wait_too) {
  for (int i = 0; i < 13; ++i) EXPECT_EQ(guess("account-" + std::to_string(i)), Code::denied) << i;
  EXPECT_EQ(guess("another"), Code::busy);
  EXPECT_EQ(guess("another", "192.0.2.2"), Code::denied);
}

TEST_F(V4GuardTest, the_right_password_forgets_what_was_wrong_before) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(guess("alice"), Code::denied);
  {
    const auto place = guard_.begin_password("alice", "192.0.2.1");
    ASSERT_TRUE(place);
    guard_.password_was_right("alice", "192.0.2.1");
  }
  for (int i = 0; i < 4; ++i) EXPECT_EQ(guess("alice"), Code::denied);
}

TEST_F(V4GuardTest, only_so_many_passwords_are_checked_at_one_time) {
  auto one = guard_.begin_password("a", "192.0.2.1");
  auto two = guard_.begin_password("b", "192.0.2.2");
  ASSERT_TRUE(one && two);
  const auto three = guard_.begin_password("c", "192.0.2.3");
  ASSERT_FALSE(three);
  EXPECT_EQ(three.error().code, Code::busy);
  one = failed(wrong());
  EXPECT_TRUE(guard_.begin_password("c", "192.0.2.3"));
}

TEST_F(V4GuardTest, wrong_proofs_are_answered_with_busy_after_a_while) {
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(guard_.proof_failed("device 1", "192.0.2.1", wrong()).code, Code::denied);
  EXPECT_EQ(guard_.proof_failed("device 1", "192.0.2.1", wrong()).code, Code::busy);
  EXPECT_EQ(guard_.proof_failed("device 2", "192.0.2.1", wrong()).code, Code::denied);
}

TEST(V4GuardNetwork, is_the_address_without_its_port_and_the_64_of_ipv6) {
  EXPECT_EQ(network_of("192.0.2.1:4711"), "192.0.2.1");
  EXPECT_EQ(network_of("[2001:db8:1:2:3:4:5:6]:4711"), "2001:db8:1:2::/64");
  EXPECT_EQ(network_of("[2001:db8:1:2::9]:1"), "2001:db8:1:2::/64");
  EXPECT_EQ(network_of("[::ffff:192.0.2.1]:1"), "::ffff:192.0.2.1");
  EXPECT_EQ(network_of("?"), "?");
}

}  // namespace
}  // namespace cb::server
