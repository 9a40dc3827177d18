// SPDX-License-Identifier: Apache-2.0
#include "core/identity/password.h"

#include <gtest/gtest.h>

#include <ctime>
#include <functional>

namespace cb::identity {
namespace {

// The least that libsodium takes, for tests.
constexpr PasswordCost kCheap{1, 8192};

TEST(Password, the_right_one_passes_and_another_does_not) {
  const auto hash = hash_password("correct horse", kCheap);
  ASSERT_TRUE(hash);
  EXPECT_EQ(hash->find("$argon2id$v=19$"), 0U) << *hash;
  EXPECT_TRUE(verify_password(*hash, "correct horse"));
  for (const char* other : {"", "correct hors", "correct horse ", "Correct horse"})
    EXPECT_EQ(verify_password(*hash, other).error().code, Code::denied) << other;
}

TEST(Password, two_hashes_of_one_password_differ) {
  EXPECT_NE(hash_password("correct horse", kCheap).value(),
            hash_password("correct horse", kCheap).value());
}

TEST(Password, too_short_and_too_long_ones_are_refused) {
  EXPECT_EQ(hash_password("1234567", kCheap).error().code, Code::invalid);
  EXPECT_TRUE(hash_password("12345678", kCheap));
  EXPECT_TRUE(hash_password(std::string(kLongestPassword, 'x'), kCheap));
  EXPECT_EQ(hash_password(std::string(kLongestPassword + 1, 'x'), kCheap).error().code,
            Code::invalid);
}

TEST(Password, texts_that_are_no_hash_are_refused) {
  for (const char* text :
       {"", "secret", "$argon2i$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA",
        "$argon2id$v=19$m=8,t=1$c2FsdA$aGFzaA", "$argon2id$v=19$m=8,t=1,p=2$c2FsdA$aGFzaA"})
    EXPECT_EQ(verify_password(text, "secret").error().code, Code::corrupt) << text;
}

TEST(Password, a_hash_that_asks_for_too_much_is_not_computed) {
  for (const char* text : {"$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaA",
                           "$argon2id$v=19$m=8,t=400,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaA"})
    EXPECT_EQ(verify_password(text, "secret").error().code, Code::limit) << text;
}

TEST(Password, none_at_all_is_refused_like_a_wrong_one) {
  const auto hash = hash_password("correct horse", kCheap);
  ASSERT_TRUE(hash);
  EXPECT_EQ(verify_password(*hash, std::string_view()).error().code, Code::denied);
  EXPECT_EQ(deny_password(std::string_view()).error().code, Code::denied);
}

// What this thread computed, so that others on the machine do not count.
double processor_seconds(const std::function<void()>& work) {
  const auto now = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  };
  const double start = now();
  work();
  return now() - start;
}

// Who measures must not learn which accounts there are. Generous, for machines are uneven.
TEST(Password, refusing_an_account_that_is_not_there_costs_as_much_as_a_wrong_password) {
  const auto hash = hash_password("correct horse");
  ASSERT_TRUE(hash);
  const double wrong = processor_seconds(
      [&] { EXPECT_EQ(verify_password(*hash, "wrong").error().code, Code::denied); });
  const double unknown =
      processor_seconds([&] { EXPECT_EQ(deny_password("wrong").error().code, Code::denied); });
  EXPECT_GT(unknown * 5, wrong);
  EXPECT_GT(wrong * 5, unknown);
}

}  // namespace
}  // namespace cb::identity
