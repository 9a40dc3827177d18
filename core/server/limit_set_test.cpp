// SPDX-License-Identifier: Apache-2.0
#include "core/server/limit_set.h"

#include <gtest/gtest.h>

#include "core/base/units.h"

namespace cb::server {
namespace {

const catalog::Bytes16 kLimitedDevice{std::byte{1}};

TEST(LimitSet, what_was_set_for_an_account_stands_above_the_settings) {
  LimitDefaults defaults;
  defaults.account.stored = 100;
  defaults.account.sessions = 9;
  const std::vector<catalog::LimitRow> rows = {{{}, "stored", 700, 0, ""},
                                               {kLimitedDevice, "sessions", 2, 0, ""}};
  const LimitSet limits = limits_of_account(defaults, rows);
  EXPECT_EQ(limits.stored, 700U);
  EXPECT_EQ(limits.sessions, 9U) << "a device's is not its account's";
}

TEST(LimitSet, zero_takes_a_limit_of_the_settings_away) {
  LimitDefaults defaults;
  defaults.account.stored = 100;
  const std::vector<catalog::LimitRow> rows = {{{}, "stored", 0, 0, ""}};
  EXPECT_EQ(limits_of_account(defaults, rows).stored, 0U);
}

TEST(LimitSet, a_device_has_from_its_account_what_is_not_shared) {
  LimitDefaults defaults;
  defaults.device.stored = 50;
  const std::vector<catalog::LimitRow> rows = {{{}, "stored", 700, 0, ""},
                                               {{}, "sessions", 3, 0, ""},
                                               {{}, "requests", 20, 0, ""},
                                               {{}, "upload", 99, 0, ""},
                                               {kLimitedDevice, "upload", 77, 0, ""}};
  const LimitSet limits = limits_of_device(defaults, rows, kLimitedDevice);
  EXPECT_EQ(limits.stored, 50U) << "one device would take all of it";
  EXPECT_EQ(limits.sessions, 0U);
  EXPECT_EQ(limits.requests, 20U);
  EXPECT_EQ(limits.upload, 77U);
}

TEST(LimitSet, rows_of_names_that_this_program_does_not_know_change_nothing) {
  const std::vector<catalog::LimitRow> rows = {{{}, "inodes", 5, 0, ""}};
  EXPECT_EQ(limits_of_account({}, rows).stored, 0U);
}

TEST(LimitSet, impossible_values_are_refused_with_the_reason) {
  const auto refusal = [](uint64_t LimitSet::*value, uint64_t of) {
    LimitSet limits;
    limits.stored = 100 * kGiB;
    limits.*value = of;
    const Status checked = check_limits(limits);
    if (checked) return std::string();
    EXPECT_EQ(checked.error().code, Code::invalid);
    return checked.error().text();
  };
  EXPECT_NE(refusal(&LimitSet::soft, 200 * kGiB).find("not below the hard one"), std::string::npos);
  EXPECT_NE(refusal(&LimitSet::soft, 100 * kGiB), "");
  EXPECT_EQ(refusal(&LimitSet::soft, 99 * kGiB), "");
  EXPECT_NE(refusal(&LimitSet::stored, 5 * kMiB).find("less than the packs"), std::string::npos);
  EXPECT_NE(refusal(&LimitSet::upload, 1), "");
  EXPECT_NE(refusal(&LimitSet::stored, uint64_t{1} << 62), "");
  EXPECT_NE(refusal(&LimitSet::grace_ns, uint64_t{1} << 62), "");
  EXPECT_NE(refusal(&LimitSet::sessions, 2'000'000), "");
  EXPECT_NE(refusal(&LimitSet::requests, 2'000'000), "");
  EXPECT_EQ(refusal(&LimitSet::stored, 0), "");
}

}  // namespace
}  // namespace cb::server
