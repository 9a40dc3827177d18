// SPDX-License-Identifier: Apache-2.0
//
// The fixture of the store suites: each test runs once for every store, in an empty folder. Used by
// one thread at a time; the store itself may be used by several.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "core/repository/results_fixture.h"
#include "tests/suites/store_subject.h"

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
  const std::string name = info.param;
  return std::string(name.starts_with("store-fault+") ? "fault_over_" : "") +
         (name.ends_with("store-fs") ? "fs" : "sqlite");
}

}  // namespace cb::test
