// SPDX-License-Identifier: Apache-2.0
#include "core/server/init.h"

#include "core/identity/certificate.h"
#include "core/server/daemon_fixture.h"

namespace cb::server {
namespace {

mode_t mode_of(const os::Path& path) {
  return static_cast<mode_t>(std::filesystem::status(path).permissions());
}

class Init : public DaemonFolder {};

TEST_F(Init, makes_everything_private) {
  const auto made = init("fs", "127.0.0.1:0", "127.0.0.1:0");
  ASSERT_TRUE(made) << made.error().text();
  for (const char* name :
       {"cyberbackupd.toml", "keys/server.key", "keys/tls.key", "keys/tls.crt", "catalog.sqlite"})
    EXPECT_EQ(mode_of(folder_ / name), 0600u) << name;
  EXPECT_EQ(mode_of(folder_ / "keys"), 0700u);
  EXPECT_EQ(*identity::pin_of(content("keys/tls.crt")), made->pin);
  EXPECT_EQ(made->listeners.size(), 2u);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "init-not-finished"));
}

TEST_F(Init, writes_a_tls_listener_of_version_4) {
  ASSERT_TRUE(init("fs", "", "127.0.0.1:4443"));
  const Settings made = settings();
  ASSERT_EQ(made.listen.size(), 1u);
  EXPECT_EQ(made.listen[0].transport[0].id, "transport-tls");
  EXPECT_EQ(made.listen[0].transport[1].id, "transport-tcp");
  EXPECT_EQ(made.listen[0].versions, std::vector<int>{4});
  EXPECT_EQ(made.listen[0].port, 4443);
}

TEST_F(Init, a_folder_that_holds_something_else_is_refused_and_left_alone) {
  std::filesystem::create_directories(folder_);
  std::ofstream(folder_ / "letter.txt") << "dear";
  const auto made = init();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::exists);
  EXPECT_EQ(made.error().object, folder_.string());
  EXPECT_NE(made.error().cause.find("letter.txt"), std::string::npos);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(Init, a_second_init_never_replaces_the_key) {
  ASSERT_TRUE(init());
  const std::string key = content("keys/server.key");
  EXPECT_FALSE(init());
  EXPECT_EQ(content("keys/server.key"), key);
}

TEST_F(Init, what_an_unfinished_one_left_is_completed) {
  std::filesystem::create_directories(folder_ / "keys");
  std::ofstream(folder_ / "init-not-finished") << "";
  std::ofstream(folder_ / "keys" / "server.key") << "half";
  const auto made = init();
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(content("keys/server.key").size(), 32u);
}

TEST_F(Init, wrong_addresses_and_stores_are_refused_before_anything_is_made) {
  EXPECT_FALSE(init("fs", "nowhere"));
  EXPECT_FALSE(init("tape"));
  EXPECT_FALSE(std::filesystem::exists(folder_));
}

}  // namespace
}  // namespace cb::server
