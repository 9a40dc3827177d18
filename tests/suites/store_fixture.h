// SPDX-License-Identifier: Apache-2.0
//
// The fixture of the store suites: each test runs once for every store, in an empty folder. Used by
// one thread at a time; the store itself may be used by several.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/suites/store_subject.h"

// `expression` is a Result without an error.
#define ASSERT_OK(expression)                           \
  do {                                                  \
    const auto& cb_result = (expression);               \
    ASSERT_TRUE(cb_result) << cb::test::why(cb_result); \
  } while (false)

// `expression` is a Result with an error of this code.
#define EXPECT_CODE(expression, wanted)                                      \
  do {                                                                       \
    const auto& cb_result = (expression);                                    \
    if (cb_result)                                                           \
      ADD_FAILURE() << #expression << " succeeded";                          \
    else                                                                     \
      EXPECT_EQ(cb_result.error().code, wanted) << cb_result.error().text(); \
  } while (false)

namespace cb::test {

template <typename T>
std::string why(const Result<T>& result) {
  return result ? std::string() : result.error().text();
}

// The value of a Result; an error ends the test with its text.
template <typename T>
T value(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

class StoreSuite : public testing::TestWithParam<const char*> {
 protected:
  StoreSuite() : subject_(GetParam(), folder_.path()) { reopen(); }

  plugin::Store& store() { return *store_; }
  Subject& subject() { return subject_; }
  const os::Path& folder() const { return folder_.path(); }
  void close() { store_.reset(); }
  void reopen() { store_.emplace(value(subject_.open())); }

 private:
  TemporaryFolder folder_;
  Subject subject_;
  std::optional<plugin::Store> store_;
};

inline std::string test_name(const testing::TestParamInfo<const char*>& info) {
  return std::string(info.param) == "store-fs" ? "fs" : "sqlite";
}

}  // namespace cb::test
