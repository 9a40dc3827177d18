// SPDX-License-Identifier: Apache-2.0
#include "core/base/result.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace cb {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0)
    return failed(Code::invalid, std::to_string(number), "is odd", "give an even one");
  return number / 2;
}

Result<int> quarter(int number) {
  CB_ASSIGN(const int once, half(number));
  CB_ASSIGN(const int twice, half(once));
  return twice;
}

TEST(Result, an_error_travels_up_unchanged) {
  EXPECT_EQ(quarter(12).value(), 3);
  EXPECT_EQ(quarter(6).error().text(), "3: is odd (give an even one)");
}

TEST(Result, errno_becomes_the_code_that_fits) {
  EXPECT_EQ(fail_errno(ENOSPC, "/x", "write").code, Code::no_space);
  EXPECT_EQ(fail_errno(ENOENT, "/x", "open").code, Code::not_found);
  EXPECT_EQ(fail_errno(ENOENT, "/x", "open").text(), "/x: open: No such file or directory");
}

TEST(Result, every_code_has_a_name_of_its_own) {
  for (int code = -18; code <= -1; ++code) EXPECT_NE(name_of(static_cast<Code>(code)), "unknown");
  EXPECT_EQ(name_of(Code::no_space), "no-space");
}

}  // namespace
}  // namespace cb
