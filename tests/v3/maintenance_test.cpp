// SPDX-License-Identifier: Apache-2.0
//
// A store that is read-only, and traffic rules, as clients of protocol 3 meet them.
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "core/server/admin_server.h"
#include "core/server/stopped_clock.h"
#include "tests/v3/v3_client.h"
#include "tests/v3/v3_server.h"

namespace cb::server {
namespace {

using std::chrono::minutes;

class V3Maintenance : public testing::Test {
 protected:
  V3Maintenance()
      : server_(V3Settings{}, Dialect::usual, {{}, &clock_}), client_(server_.port(), "alice") {
    EXPECT_TRUE(client_.sign_up());
    EXPECT_TRUE(client_.back_up("note", as_bytes("one")));
  }
  report::Json ask(const report::Json& request) {
    return *ask_daemon_if_any(server_.folder() / "admin.sock", request, std::chrono::seconds(30))
                .value();
  }

  StoppedClock clock_;
  V3Server server_;
  V3Client client_;
};

TEST_F(V3Maintenance, new_uploads_are_refused_while_the_store_is_read_only) {
  ASSERT_TRUE(server_.reload({"store.mode=read-only"}));
  client_.send(client_.packets("late", as_bytes("late")).front());
  EXPECT_EQ(client_.code(), 1607);
  EXPECT_TRUE(client_.peer->ended());
  EXPECT_FALSE(client_.reconnect());
  V3Client stranger(server_.port(), "bob");
  EXPECT_FALSE(stranger.sign_up());
  EXPECT_EQ(server_.upload_count(), 1U);
  ASSERT_TRUE(server_.reload({}));
  ASSERT_TRUE(client_.reconnect());
  EXPECT_TRUE(client_.back_up("late", as_bytes("late")));
}

TEST_F(V3Maintenance, an_upload_under_way_may_end) {
  const Bytes file = noise(30'000, 1);
  const auto packets = client_.packets("long", file, PacketStyle{.piece = 10'000});
  ASSERT_TRUE(client_.send(packets[0]));
  while (ask({{"command", "store.show"}})["backups"] != 1) continue;
  ASSERT_TRUE(server_.reload({"store.mode=read-only"}));
  for (size_t i = 1; i < packets.size(); ++i) ASSERT_TRUE(client_.send(packets[i]));
  ASSERT_EQ(client_.code(), 1603);
  client_.verdict(v3::Request::checksum_right, "long");
  ASSERT_EQ(client_.code(), 1604);
  EXPECT_EQ(server_.stored(client_.id, "long"), file);
  client_.send(client_.packets("next", as_bytes("next")).front());
  EXPECT_EQ(client_.code(), 1607);
}

TEST_F(V3Maintenance, an_upload_that_a_traffic_rule_holds_up_is_cut_by_no_deadline) {
  std::ofstream(server_.folder() / "cyberbackupd.toml", std::ios::app)
      << "\n[[traffic]]\nname = \"v3\"\naccounts = [\"v3/*\"]\ndirection = \"in\"\n"
         "rate = \"4KiB\"\n";
  ASSERT_TRUE(server_.reload({}));
  const auto rule = [&] { return ask({{"command", "traffic.show"}})["rules"][0]; };
  const Bytes file = noise(20'000, 2);
  for (const V3Packet& packet : client_.packets("slow", file)) ASSERT_TRUE(client_.send(packet));
  // Forward only while it waits: else that would be the peer's time.
  std::atomic<bool> done = false;
  std::thread pushing([&] {
    while (!done) {
      const report::Json before = rule();
      if (before["waiting"] != 1) continue;
      clock_.forward(minutes(20));  // past all timeouts
      while (!done && rule() == before) std::this_thread::yield();
    }
  });
  const uint16_t code = client_.code();
  done = true;
  pushing.join();
  ASSERT_EQ(code, 1603);
  client_.verdict(v3::Request::checksum_right, "slow");
  ASSERT_EQ(client_.code(), 1604);
  EXPECT_EQ(server_.stored(client_.id, "slow"), file);
}

}  // namespace
}  // namespace cb::server
