// SPDX-License-Identifier: Apache-2.0
//
// The audit log of a real daemon: each act that needs a privilege is in it, and what the program
// says when somebody changed it.
#include <gmock/gmock.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <map>

#include "core/catalog/statement.h"
#include "core/os/account_names.h"
#include "core/server/audit_check.h"
#include "tests/folders.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using report::Json;
using testing::HasSubstr;
using v4::Request;

class V4Audit : public V4Server {
 protected:
  struct Ran {
    int code = -1;
    std::string out;  // both streams
  };
  [[nodiscard]] Ran run(const std::string& command) const {
    const std::string line = test::program("cyberbackupd") + " " + command + " --config " +
                             (folder_ / "cyberbackupd.toml").string() +
                             " --set plugins.dir=" + test::plugins() + " 2>&1";
    Ran ran;
    FILE* pipe = ::popen(line.c_str(), "r");
    std::array<char, 4096> part{};
    while (const size_t got = std::fread(part.data(), 1, part.size(), pipe))
      ran.out.append(part.data(), got);
    ran.code = WEXITSTATUS(::pclose(pipe));
    return ran;
  }
  [[nodiscard]] std::string file(const char* name) const { return (folder_ / name).string(); }
  // The records of the running daemon.
  std::vector<Json> records() {
    const Json answer = admin({{"command", "audit.list"}}).value();
    return {answer["records"].begin(), answer["records"].end()};
  }
  // The newest of an action; null when there is none.
  Json newest(const std::string& action) {
    Json found;
    for (const Json& one : records())
      if (one["action"] == action) found = one;
    return found;
  }
  void spoil(const char* sql) const {
    const auto connection = catalog::Connection::open(file("catalog.sqlite"), 1000).value();
    ASSERT_TRUE(connection->execute(sql));
    ASSERT_GT(connection->changes(), 0);
  }
};

TEST_F(V4Audit, has_every_act_that_needs_a_privilege) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Invited phone = joined(*peer, owner, repository::Role::writer);
  v4::pb::SetDevice disable;
  disable.set_device(v4::field_of(phone.device.view()));
  disable.set_state(1);
  EXPECT_EQ(tell(*peer, Request::set_device, disable), "");
  const std::string me = operator_text(os::effective_uid());
  EXPECT_EQ(newest("admin.account.add")["actor"], me);
  EXPECT_EQ(newest("admin.account.add")["object"], "account alice");
  EXPECT_EQ(newest("admin.token.create")["outcome"], "done");
  EXPECT_EQ(newest("v4.enrolled")["actor"], "alice/" + owner.device.hex());
  EXPECT_THAT(newest("v4.enrolled")["address"].get<std::string>(), HasSubstr("127.0.0.1:"));
  EXPECT_THAT(newest("v4.invite.added")["object"].get<std::string>(), HasSubstr("invite "));
  EXPECT_EQ(newest("v4.joined")["actor"], "alice/" + phone.device.hex());
  EXPECT_EQ(newest("v4.device.disabled")["object"], "device " + phone.device.hex());
  EXPECT_EQ(newest("v4.device.disabled")["actor"], "alice/" + owner.device.hex());
  EXPECT_EQ(newest("daemon.started")["actor"], "server");
  // Refused ones, too; what changes nothing is not there.
  EXPECT_FALSE(admin({{"command", "device.revoke"}, {"device", std::string(32, '7')}}));
  EXPECT_EQ(newest("admin.device.revoke")["outcome"], "not-found");
  EXPECT_TRUE(admin({{"command", "account.list"}}));
  EXPECT_TRUE(admin({{"command", "check"}}));
  EXPECT_TRUE(newest("admin.account.list").is_null());
  EXPECT_TRUE(newest("admin.check").is_null());
}

TEST_F(V4Audit, has_who_was_turned_away) {
  start();
  const V4Owner stranger = V4Owner::make();
  auto unknown = peer();
  (void)unknown->login(stranger);
  EXPECT_TRUE(unknown->ended());
  auto old = peer();
  v4::pb::Hello hello = V4Peer::usual_hello();
  hello.set_version_min(1);
  hello.set_version_max(3);
  EXPECT_FALSE(old->hello(hello));
  const Json login = newest("v4.login.refused");
  EXPECT_EQ(login["actor"], "");
  EXPECT_THAT(login["address"].get<std::string>(), HasSubstr("127.0.0.1:"));
  EXPECT_NE(login["outcome"], "done");
  EXPECT_EQ(newest("v4.downgrade.refused")["outcome"], "unsupported");
}

TEST_F(V4Audit, holds_no_secret) {
  start();
  const std::string token = this->token("alice");
  set_password("alice", "correct horse");
  stop();
  const Ran exported = run("audit export " + file("audit.jsonl"));
  EXPECT_EQ(exported.code, 0) << exported.out;
  std::ostringstream all;
  all << std::ifstream(file("audit.jsonl")).rdbuf();
  EXPECT_THAT(all.str(), HasSubstr("admin.account.password"));
  EXPECT_THAT(all.str(), testing::Not(HasSubstr("argon2")));
  EXPECT_THAT(all.str(), testing::Not(HasSubstr(token.substr(token.size() / 2))));
}

TEST_F(V4Audit, is_listed_verified_and_exported_with_and_without_a_daemon) {
  for (const bool running : {true, false}) {
    if (running) {
      start();
      ASSERT_TRUE(admin({{"command", "account.add"}, {"account", "alice"}}));
    } else {
      stop();
    }
    const Ran listed = run("audit list --since 1h --action admin.account");
    EXPECT_EQ(listed.code, 0);
    EXPECT_THAT(listed.out, HasSubstr("admin.account.add"));
    EXPECT_THAT(listed.out, testing::Not(HasSubstr("daemon.started")));
    EXPECT_THAT(run("audit list --until 2001-01-01 --json").out, HasSubstr("{\"records\":[]}"));
    EXPECT_EQ(run("audit list --since yesterday").code, 1);
    const Ran verified = run("audit verify");
    EXPECT_EQ(verified.code, 0);
    EXPECT_THAT(verified.out, HasSubstr("no change found"));
    EXPECT_EQ(run("audit export " + file("old.jsonl")).code, 0);
    EXPECT_EQ(run("audit verify " + file("old.jsonl")).code, 0);
    EXPECT_EQ(run("audit verify --against " + file("old.jsonl")).code, 0);
  }
  // Without a daemon, too, who asks is recorded.
  EXPECT_EQ(run("account disable alice").code, 0);
  EXPECT_THAT(run("audit list --action admin.account.disable").out,
              HasSubstr(operator_text(os::effective_uid())));
}

TEST_F(V4Audit, of_many_records_comes_in_parts) {
  start();
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(admin({{"command", "account.add"}, {"account", "user" + std::to_string(i)}}));
  stop();
  {
    const auto catalog = catalog::open_sqlite_catalog(file("catalog.sqlite"), false).value();
    Audit audit({&catalog->audit(), &os::system_clock(), &log_});
    for (int i = 0; i < 4000; ++i)
      audit.post({"server", "", "test", std::string(200, 'x'), "done", ""});
    ASSERT_TRUE(audit.flush());
  }
  start();
  const Json first = admin({{"command", "audit.list"}}).value();
  EXPECT_FALSE(first["last"]);
  const Ran verified = run("audit verify --json");
  EXPECT_EQ(verified.code, 0);
  EXPECT_GT(report::parse_json(verified.out).value()["records"], 4000);
}

TEST_F(V4Audit, a_changed_or_missing_record_fails_the_check_by_name) {
  start();
  ASSERT_TRUE(admin({{"command", "account.add"}, {"account", "alice"}}));
  ASSERT_TRUE(admin({{"command", "account.disable"}, {"account", "alice"}}));
  ASSERT_TRUE(admin({{"command", "account.enable"}, {"account", "alice"}}));
  EXPECT_EQ(run("audit export " + file("old.jsonl")).code, 0);
  stop();
  spoil(
      "UPDATE audit SET record = CAST(replace(record, 'alice', 'mallo') AS BLOB)"
      " WHERE sequence = 3");
  const Ran changed = run("audit verify");
  EXPECT_EQ(changed.code, 1);
  EXPECT_THAT(changed.out, HasSubstr("record 3 (admin.account.disable) was changed"));
  spoil("DELETE FROM audit WHERE sequence = 3");
  EXPECT_THAT(run("audit verify").out, HasSubstr("record 3 is missing\n"));
  spoil("DELETE FROM audit WHERE sequence > 3");
  EXPECT_EQ(run("audit verify").code, 0);
  const Ran against = run("audit verify --against " + file("old.jsonl"));
  EXPECT_EQ(against.code, 1);
  EXPECT_THAT(against.out, HasSubstr("record 4 is missing, which was told before"));
}

TEST_F(V4Audit, outlives_the_catalog_that_it_lies_in) {
  start();
  ASSERT_TRUE(admin({{"command", "account.add"}, {"account", "alice"}}));
  const AuditHead told = audit_head_of(run("audit verify --json").out).value();
  std::ofstream(file("head")) << text_of(told) << "\n";
  stop();
  const Ran rebuilt = run("rebuild-catalog");
  EXPECT_EQ(rebuilt.code, 0) << rebuilt.out;
  const Ran verified = run("audit verify --against " + file("head"));
  EXPECT_EQ(verified.code, 0) << verified.out;
  EXPECT_THAT(run("audit list").out, HasSubstr("catalog.rebuilt"));
  // One that cannot be read is told of, and another log begins.
  std::ofstream(file("catalog.sqlite"), std::ios::binary) << std::string(20'000, 'x');
  const Ran again = run("rebuild-catalog");
  EXPECT_THAT(again.out, HasSubstr("note of the server: the old audit log ends early"));
  const Ran shorter = run("audit verify --against " + file("head"));
  EXPECT_EQ(shorter.code, 1);
  EXPECT_THAT(run("audit list").out, HasSubstr("catalog.rebuilt"));
}

}  // namespace
}  // namespace cb::server
