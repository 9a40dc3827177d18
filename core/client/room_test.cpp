// SPDX-License-Identifier: Apache-2.0
#include "core/client/v4_room.h"

#include <gtest/gtest.h>

#include "core/base/units.h"

namespace cb::client {
namespace {

RoomShare share(uint64_t stored, uint64_t limit) {
  RoomShare one;
  one.stored = stored;
  one.limit = limit;
  one.is_over = limit != 0 && stored >= limit;
  return one;
}

TEST(Room, a_server_that_says_nothing_limits_nothing) {
  const Room room = room_of(v4::pb::Room());
  EXPECT_TRUE(may_back_up(room));
  EXPECT_TRUE(room_warnings(room).empty());
  EXPECT_FALSE(room.account.left());
}

TEST(Room, what_the_server_says_arrives) {
  v4::pb::Room message;
  message.mutable_account()->set_stored(7);
  message.mutable_account()->set_limit(10);
  message.mutable_device()->set_soft(3);
  message.mutable_device()->set_until_ns(99);
  message.set_growth(5);
  message.set_is_low(true);
  const Room room = room_of(message);
  EXPECT_EQ(room.account.stored, 7U);
  EXPECT_EQ(room.account.left(), 3U);
  EXPECT_EQ(room.device.soft, 3U);
  EXPECT_EQ(room.device.until_ns, 99);
  EXPECT_EQ(room.growth, 5U);
  EXPECT_TRUE(room.is_low);
}

TEST(Room, a_backup_that_is_likely_not_to_fit_is_warned_of_and_begins) {
  Room room;
  room.account = share(90 * kGiB, 100 * kGiB);
  room.growth = 12 * kGiB;
  EXPECT_TRUE(may_back_up(room));
  const auto warnings = room_warnings(room);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("this account has 10.0 GiB left"), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[0].find("12.0 GiB"), std::string::npos) << warnings[0];
  room.growth = 9 * kGiB;
  EXPECT_TRUE(room_warnings(room).empty());
}

TEST(Room, a_device_that_is_full_is_refused_before_anything_is_read_though_its_account_is_not) {
  Room room;
  room.account = share(90 * kGiB, 100 * kGiB);
  room.device = share(5 * kGiB, 5 * kGiB);
  const Status refused = may_back_up(room);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::limit);
  EXPECT_EQ(refused.error().object, "this device");
  EXPECT_FALSE(refused.error().advice.empty());
}

TEST(Room, a_soft_limit_warns_while_it_is_tolerated_and_refuses_afterwards) {
  Room room;
  room.account = share(90 * kGiB, 0);
  room.account.soft = 80 * kGiB;
  room.account.until_ns = 1'800'000'000'000'000'000;
  EXPECT_TRUE(may_back_up(room));
  ASSERT_EQ(room_warnings(room).size(), 1U);
  EXPECT_NE(room_warnings(room)[0].find("2027-01-15"), std::string::npos);
  room.account.is_over = true;
  const Status refused = may_back_up(room);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::limit);
  EXPECT_NE(refused.error().cause.find("soft limit"), std::string::npos);
}

TEST(Room, a_store_that_is_low_takes_no_backup) {
  Room room;
  room.is_low = true;
  ASSERT_FALSE(may_back_up(room));
  EXPECT_EQ(may_back_up(room).error().code, Code::no_space);
}

}  // namespace
}  // namespace cb::client
