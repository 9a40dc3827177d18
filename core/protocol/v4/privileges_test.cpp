// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v4/privileges.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/protocol/v4/frame.h"

namespace cb::v4 {
namespace {

// Who may make a request, one letter each: fresh, greeted, other server (s), person, reader,
// writer, owner.
std::string who_may(Request request) {
  const auto privilege = privilege_of(request);
  if (!privilege) return "nobody";
  std::string who;
  constexpr std::string_view kLetters = "fgsprwo";
  for (uint8_t i = 0; i < kLetters.size(); ++i)
    if (has_privilege(static_cast<Standing>(i), *privilege)) who += kLetters[i];
  return who;
}

TEST(Privileges, every_request_that_there_is_declares_one_and_no_other_does) {
  std::set<Request> declared;
  for (const RequestPrivilege& entry : kPrivileges) {
    EXPECT_TRUE(declared.insert(entry.request).second)
        << "declared twice: " << static_cast<int>(entry.request);
    EXPECT_TRUE(request_of(static_cast<uint16_t>(entry.request)));
  }
  for (uint32_t code = 0; code <= UINT16_MAX; ++code) {
    const auto request = request_of(static_cast<uint16_t>(code));
    if (!request) continue;
    EXPECT_TRUE(privilege_of(*request)) << code << " declares no privilege";
  }
}

TEST(Privileges, are_those_of_the_table_in_trust_md) {
  EXPECT_EQ(who_may(Request::hello), "f");
  for (const Request request : {Request::enroll, Request::login, Request::password_login,
                                Request::open_invite, Request::join, Request::migrate,
                                Request::prove_key, Request::adopt, Request::replica_login})
    EXPECT_EQ(who_may(request), "g") << static_cast<int>(request);
  EXPECT_EQ(who_may(Request::heartbeat), "sprwo");
  EXPECT_EQ(who_may(Request::slots), "pro");
  for (const Request request : {Request::have, Request::get, Request::snapshots, Request::counts,
                                Request::devices, Request::chain})
    EXPECT_EQ(who_may(request), "rwo") << static_cast<int>(request);
  for (const Request request : {Request::put, Request::put_more, Request::flush, Request::commit,
                                Request::forget, Request::undelete})
    EXPECT_EQ(who_may(request), "wo") << static_cast<int>(request);
  for (const Request request :
       {Request::add_slot, Request::remove_slot, Request::add_invite, Request::remove_invite,
        Request::set_device, Request::put_record, Request::sessions, Request::put_sessions,
        Request::copies, Request::verified, Request::retention, Request::set_retention})
    EXPECT_EQ(who_may(request), "o") << static_cast<int>(request);
  EXPECT_EQ(who_may(Request::add_device), "po");
  EXPECT_EQ(who_may(Request::wanted), "wo");
  EXPECT_EQ(who_may(Request::signatures), "wo");
  EXPECT_EQ(who_may(Request::drill_result), "ro");
  for (const Request request :
       {Request::replica_accounts, Request::replica_records, Request::replica_devices,
        Request::replica_chain, Request::replica_get})
    EXPECT_EQ(who_may(request), "s") << static_cast<int>(request);
}

TEST(Privileges, whatever_only_who_backs_up_or_owns_may_do_changes_a_copy_or_only_reads) {
  const std::set<Request> reads = {Request::flush,  Request::sessions,   Request::copies,
                                   Request::wanted, Request::signatures, Request::retention};
  for (const RequestPrivilege& entry : kPrivileges) {
    const bool may_change =
        entry.privilege == Privilege::bringer || entry.privilege == Privilege::owner;
    EXPECT_EQ(changes_copy(entry.request), may_change && !reads.contains(entry.request))
        << static_cast<int>(entry.request);
  }
}

TEST(Privileges, a_request_that_is_not_there_is_nobodys) {
  EXPECT_EQ(who_may(static_cast<Request>(2099)), "nobody");
}

}  // namespace
}  // namespace cb::v4
