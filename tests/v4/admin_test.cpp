// SPDX-License-Identifier: Apache-2.0
//
// What the operator of a v4 server does: accounts, tokens, check, status, through the daemon's
// socket and through the program without a daemon.
#include <gmock/gmock.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "core/catalog/statement.h"
#include "core/os/account_names.h"
#include "core/repository/pairing_token.h"
#include "core/server/admin_server.h"
#include "tests/folders.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using report::Json;
using testing::HasSubstr;
using v4::Request;
using v4::Response;

class V4Admin : public V4Server {
 protected:
  struct Ran {
    int code = -1;
    std::string out;  // both streams
  };
  // Runs cyberbackupd on this folder.
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
  void back_up(const V4Owner& owner, V4Peer& peer) {
    const V4Blobs blobs(50'000, 2);
    uint32_t id = 10;
    for (const auto& blob : blobs.all) peer.put(id++, blob.head, blob.stored);
    peer.request(Request::commit, id, blobs.commit(owner));
    ASSERT_EQ(peer.answer()->code, Response::commit);
  }
  // Spoils the commit records that the catalog has of an account, and starts the daemon again.
  void damage_commits(const std::string& account) {
    stop();
    const auto catalog =
        catalog::Connection::open((folder_ / "catalog.sqlite").string(), 1000).value();
    const std::string of_account =
        " WHERE repository IN (SELECT number FROM repository WHERE account ="
        " (SELECT number FROM account WHERE name = CAST('" +
        account + "' AS BLOB)))";
    ASSERT_TRUE(catalog->execute(("UPDATE commit_record SET record = x'00'" + of_account).c_str()));
    ASSERT_EQ(catalog->changes(), 1);
    start();
  }
  // Spoils one byte in the middle of the largest file of the store.
  void damage() const {
    os::Path largest;
    uintmax_t size = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "store"))
      if (entry.is_regular_file() && entry.file_size() > size) {
        size = entry.file_size();
        largest = entry.path();
      }
    std::fstream file(largest, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(size / 2));
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(size / 2));
    file.put(byte);
  }
};

TEST_F(V4Admin, accounts_are_added_listed_and_shown) {
  start();
  ASSERT_TRUE(admin({{"command", "account.add"}, {"account", "alice"}}));
  const auto twice = admin({{"command", "account.add"}, {"account", "alice"}});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, Code::exists);
  for (const char* wrong : {"", "a b", "-x", "a/b", "\xff"})
    EXPECT_EQ(admin({{"command", "account.add"}, {"account", wrong}}).error().code, Code::invalid);
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("bob", owner);
  back_up(owner, *peer);
  const auto all = admin({{"command", "account.list"}});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[1]["name"], "bob");
  EXPECT_EQ((*all)[1]["counts"]["snapshots"], 1);
  const auto bob = admin({{"command", "account.show"}, {"account", "bob"}});
  ASSERT_TRUE(bob);
  EXPECT_EQ((*bob)["devices"][0]["device"], owner.device.hex());
  EXPECT_EQ((*bob)["devices"][0]["role"], "owner");
  EXPECT_EQ((*bob)["repository"], owner.record.id.hex());
  EXPECT_EQ(admin({{"command", "account.show"}, {"account", "eve"}}).error().code, Code::not_found);
}

TEST_F(V4Admin, requests_that_make_no_sense_are_refused) {
  start();
  EXPECT_EQ(admin({{"command", "dance"}}).error().code, Code::unsupported);
  EXPECT_FALSE(admin({{"command", 7}}));
  EXPECT_FALSE(admin(Json::array({1, 2})));
  EXPECT_FALSE(admin({{"command", "token.create"}, {"account", 7}, {"expires_ns", "x"}}));
  EXPECT_TRUE(admin({{"command", "status"}}));
}

TEST_F(V4Admin, who_asks_is_what_the_kernel_says_and_not_what_the_request_says) {
  start();
  ASSERT_TRUE(
      admin({{"command", "account.add"}, {"account", "alice"}, {"asked_by", "uid 7 (eve)"}}));
  EXPECT_TRUE(log_.contains("by=\"" + operator_text(os::effective_uid())));
  EXPECT_FALSE(log_.contains("(eve)"));
  EXPECT_EQ(operator_text(0), "uid 0 (root)");
  EXPECT_EQ(operator_text(4'000'000'000), "uid 4000000000");
  stop();
  const Ran added = run("account add bob");
  EXPECT_EQ(added.code, 0) << added.out;
}

TEST_F(V4Admin, a_token_names_the_server_and_its_key) {
  start();
  const auto token = repository::parse_pairing_token(this->token("alice"));
  ASSERT_TRUE(token);
  EXPECT_EQ(token->servers, std::vector{"127.0.0.1:" + std::to_string(port())});
  EXPECT_EQ(to_hex(token->pin), pin_);
  EXPECT_TRUE(log_.contains("admin.token.create"));
  EXPECT_EQ(log_.count(to_hex(token->secret.view())), 0U);
  stop();
  start({"server.advertise=backup.example.org:8443,[2001:db8::1]:8443"});
  const auto other = repository::parse_pairing_token(this->token("bob"));
  ASSERT_TRUE(other);
  EXPECT_THAT(other->servers,
              testing::ElementsAre("backup.example.org:8443", "[2001:db8::1]:8443"));
}

TEST_F(V4Admin, an_account_with_an_owner_gets_no_further_token) {
  start();
  V4Owner owner = V4Owner::make();
  enrolled("alice", owner);
  const auto refused = admin({{"command", "token.create"}, {"account", "alice"}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("has an owner already"));
  EXPECT_EQ(admin({{"command", "token.create"}, {"account", "eve"}}).error().code, Code::not_found);
}

TEST_F(V4Admin, status_counts_what_there_is) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  back_up(owner, *peer);
  const auto status = admin({{"command", "status"}});
  ASSERT_TRUE(status);
  EXPECT_EQ((*status)["v4"]["logged_in"], 1);
  EXPECT_EQ((*status)["v4"]["commits"], 1);
  EXPECT_EQ((*status)["repositories"]["accounts"], 1);
  EXPECT_EQ((*status)["repositories"]["repositories"], 1);
  EXPECT_EQ((*status)["repositories"]["snapshots"], 1);
  EXPECT_EQ((*status)["repositories"]["blobs"], 5);
  EXPECT_GT((*status)["repositories"]["stored_bytes"], 100'000);
  peer.reset();
  wait_until_idle();
  EXPECT_EQ((*admin({{"command", "status"}}))["v4"]["logged_in"], 0);
}

TEST_F(V4Admin, check_finds_a_damaged_byte) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  back_up(owner, *peer);
  const auto good = admin({{"command", "check"}, {"read_data", true}});
  ASSERT_TRUE(good);
  EXPECT_EQ((*good)["repositories"], 1);
  EXPECT_EQ((*good)["snapshots"], 1);
  EXPECT_TRUE((*good)["findings"].empty());
  damage();
  const auto bad = admin({{"command", "check"}, {"read_data", true}});
  ASSERT_TRUE(bad);
  EXPECT_FALSE((*bad)["findings"].empty());
  EXPECT_TRUE(log_.contains("check.damage"));
}

TEST_F(V4Admin, a_damaged_chain_of_one_account_hides_no_other) {
  start();
  for (const char* name : {"alice", "bob"}) {
    V4Owner owner = V4Owner::make();
    auto peer = enrolled(name, owner);
    back_up(owner, *peer);
  }
  damage_commits("alice");
  const Json all = admin({{"command", "account.list"}}).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_NE(report::text_of(all[0], "error"), "");
  EXPECT_FALSE(all[0].contains("counts"));
  EXPECT_EQ(all[1]["counts"]["snapshots"], 1);
  const Json alice = admin({{"command", "account.show"}, {"account", "alice"}}).value();
  EXPECT_EQ(alice["error"], all[0]["error"]);
  EXPECT_EQ(alice["devices"].size(), 1U);
  const Json held = admin({{"command", "status"}}).value()["repositories"];
  EXPECT_EQ(held["repositories"], 2);
  EXPECT_EQ(held["snapshots"], 1);
  ASSERT_EQ(held["unread"].size(), 1U);
  EXPECT_EQ(held["unread"][0]["account"], "alice");
  const Json checked = admin({{"command", "check"}}).value();
  EXPECT_EQ(checked["snapshots"], 1);
  ASSERT_EQ(checked["findings"].size(), 1U);
  EXPECT_EQ(checked["findings"][0]["account"], "alice");
  for (const char* command : {"account list", "status"}) {
    const Ran told = run(command);
    EXPECT_EQ(told.code, 0);
    EXPECT_THAT(told.out, HasSubstr("account alice cannot be used: ")) << command;
  }
  EXPECT_THAT(run("account show alice").out, HasSubstr("damage "));
  const Ran check = run("check");
  EXPECT_EQ(check.code, 1);
  EXPECT_THAT(check.out, HasSubstr("damage in alice: "));
}

TEST_F(V4Admin, an_account_whose_chain_is_damaged_can_still_be_disabled) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  back_up(owner, *peer);
  peer.reset();
  damage_commits("alice");
  const auto disabled = admin({{"command", "account.disable"}, {"account", "alice"}});
  ASSERT_TRUE(disabled) << disabled.error().text();
  EXPECT_EQ((*disabled)["disabled"], true);
}

TEST_F(V4Admin, the_program_does_the_same_with_and_without_a_daemon) {
  for (const bool running : {false, true}) {
    const std::string name = running ? "with" : "without";
    if (running) start({"server.advertise=localhost:1"});
    if (!running) change_config("data = \".\"\n", "data = \".\"\nadvertise = [\"localhost:1\"]\n");
    const Ran added = run("account add " + name);
    EXPECT_EQ(added.code, 0) << added.out;
    EXPECT_EQ(run("account add " + name).code, 1);
    const Ran token = run("token create --account " + name + " --expires 2h");
    EXPECT_EQ(token.code, 0) << token.out;
    EXPECT_TRUE(repository::parse_pairing_token(token.out)) << token.out;
    EXPECT_EQ(std::count(token.out.begin(), token.out.end(), '\n'), 1);
    EXPECT_THAT(run("account list").out, HasSubstr(name));
    EXPECT_THAT(run("account disable " + name).out, HasSubstr("is disabled"));
    EXPECT_EQ(run("token create --account " + name).code, 12);
    EXPECT_THAT(run("account enable " + name).out, HasSubstr("is enabled"));
    EXPECT_THAT(run("account show " + name).out, HasSubstr("none yet"));
    EXPECT_EQ(run("account show nobody").code, 10);
    const Ran check = run("check --read-data");
    EXPECT_EQ(check.code, 0) << check.out;
    EXPECT_THAT(check.out, HasSubstr("no damage found"));
  }
  EXPECT_THAT(run("status").out, HasSubstr("2 accounts"));
}

TEST_F(V4Admin, the_program_sets_passwords_and_switches_devices_with_and_without_a_daemon) {
  start();
  V4Owner owner = V4Owner::make();
  enrolled("alice", owner);
  const std::string file = (folder_ / "password").string();
  const std::string id = owner.device.hex();
  for (const bool running : {true, false}) {
    if (!running) stop();
    std::ofstream(file) << "correct horse\n";
    EXPECT_THAT(run("account password alice --password-file " + file).out,
                HasSubstr("has a new password"));
    std::ofstream(file) << "short\n";
    EXPECT_NE(run("account password alice --password-file " + file).code, 0);
    std::ofstream(file) << "two lines\nof it\n";
    EXPECT_THAT(run("account password alice --password-file " + file).out,
                HasSubstr("more than one line"));
    EXPECT_THAT(run("account password alice --remove").out, HasSubstr("no password any more"));
    EXPECT_EQ(run("account password nobody --remove").code, 10);
    EXPECT_THAT(run("device list --account alice").out, HasSubstr(id));
    EXPECT_THAT(run("device disable " + id).out, HasSubstr("is disabled"));
    EXPECT_THAT(run("device enable " + id).out, HasSubstr("is active"));
    EXPECT_EQ(run("device revoke " + std::string(32, '0')).code, 10);
  }
  std::ofstream(file) << "\n";
  EXPECT_THAT(run("account password alice --password-file " + file).out,
              HasSubstr("holds no password"));
  EXPECT_THAT(run("device revoke " + id).out, HasSubstr("is revoked"));
  EXPECT_EQ(run("device enable " + id).code, 12);
}

TEST_F(V4Admin, the_program_tells_of_ended_sessions_and_of_a_password) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  EXPECT_THAT(run("account show alice").out, HasSubstr("password    none\n"));
  set_password("alice", "correct horse");
  EXPECT_THAT(run("account show alice").out, HasSubstr("password    set\n"));
  EXPECT_EQ(run("account disable alice").out, "account alice is disabled, 1 session ended\n");
  EXPECT_TRUE(peer->ended());
  EXPECT_EQ(run("account enable alice").out, "account alice is enabled\n");
}

TEST_F(V4Admin, a_device_that_was_never_seen_is_shown_so) {
  start();
  V4Owner owner = V4Owner::make();
  enrolled("alice", owner);
  stop();
  {
    const auto catalog = catalog::open_sqlite_catalog((folder_ / "catalog.sqlite").string(), false);
    ASSERT_TRUE(catalog) << catalog.error().text();
    const catalog::DeviceSeen never{owner.device.bytes, 0};
    ASSERT_TRUE((*catalog)->accounts().touch_devices(std::span(&never, 1)));
  }
  for (const std::string command : {"device list --account alice", "account show alice"}) {
    const Ran shown = run(command);
    EXPECT_EQ(shown.code, 0) << shown.out;
    EXPECT_THAT(shown.out, HasSubstr("never"));
    EXPECT_THAT(shown.out, testing::Not(HasSubstr("1970"))) << command;
  }
}

TEST_F(V4Admin, the_program_ends_with_1_on_damage) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  back_up(owner, *peer);
  damage();
  const Ran online = run("check --read-data");
  EXPECT_EQ(online.code, 1) << online.out;
  EXPECT_THAT(online.out, HasSubstr("damage in alice"));
  peer.reset();
  stop();
  EXPECT_EQ(run("check --read-data").code, 1);
}

}  // namespace
}  // namespace cb::server
