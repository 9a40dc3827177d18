// SPDX-License-Identifier: Apache-2.0
//
// Clients of an old server after its import: they go on as if nothing had happened.
#include <gtest/gtest.h>

#include "core/protocol/v3/names.h"
#include "core/server/legacy_import.h"
#include "core/server/legacy_source_fixture.h"
#include "tests/v3/v3_client.h"
#include "tests/v3/v3_server.h"

namespace cb::server {
namespace {

const std::string kAnna = "0a000000000000000000000000000001";
const std::string kBert = "0a000000000000000000000000000002";

class V3Import : public ::testing::Test {
 protected:
  V3Import() : old_(server_.folder() / "old") {
    const V3Client any(server_.port(), "any");
    old_.statements(std::string(kTablesWithChecksums) + "INSERT INTO clients VALUES (x'" + kAnna +
                    "', 'anna', x'" + to_hex(any.key.public_der) +
                    "', '2024-07-01T00:00:00+00:00Z', zeroblob(32)), (x'" + kBert +
                    "', 'bert', NULL, '2024-07-01T00:00:00+00:00Z', NULL)");
    old_.event(kAnna, "x", "old", true, "2024-06-01T00:00:00");
    old_.file("received_files/x", "old");
    old_.file("received_files/orphan", "whose");
    server_.while_ended([&](Backend& backend, plugin::Registry& registry) {
      ImportParts parts;
      parts.backend = &backend;
      parts.registry = &registry;
      parts.log = &server_.log();
      parts.scratch = server_.folder() / "spool";
      const auto done = import_legacy({old_.database(), old_.folder(), false}, parts);
      ASSERT_TRUE(done) << done.error().text();
      ASSERT_FALSE(done->stopped) << done->stopped->text();
    });
  }

  // As its program knows it.
  V3Client client(const std::string& name, const std::string& id) {
    V3Client made(server_.port(), name);
    made.id = ClientId::from_hex_text(id).value();
    return made;
  }

  V3Server server_;
  OldServer old_;
};

TEST_F(V3Import, an_imported_client_reconnects_with_its_old_key_and_uploads) {
  V3Client anna = client("anna", kAnna);
  EXPECT_EQ(as_text(server_.stored(anna.id, "x").value()), "old");
  ASSERT_TRUE(anna.reconnect());
  ASSERT_TRUE(anna.back_up("x", as_bytes("new")));
  EXPECT_EQ(as_text(server_.stored(anna.id, "x").value()), "new");
  EXPECT_EQ(server_.catalog().versions(anna.id)->size(), 2U);
  EXPECT_FALSE(server_.catalog().legacy_policy(anna.id)->key_replaced);
}

TEST_F(V3Import, a_client_that_never_sent_its_key_finishes_its_registration) {
  V3Client bert = client("bert", kBert);
  EXPECT_FALSE(bert.reconnect());
  V3Client again(server_.port(), "bert");
  ASSERT_TRUE(again.sign_up());
  EXPECT_EQ(again.id.hex(), kBert);
  EXPECT_TRUE(again.back_up("y", as_bytes("y")));
}

TEST_F(V3Import, the_first_key_of_a_client_that_came_without_one_migrates_by_token_alone) {
  V3Client anybody(server_.port(), "bert");
  ASSERT_TRUE(anybody.sign_up());
  EXPECT_TRUE(server_.catalog().legacy_policy(anybody.id)->key_replaced);
}

TEST_F(V3Import, nobody_logs_in_as_the_client_without_owner) {
  const std::string name(v3::kOwnerlessName);
  EXPECT_EQ(as_text(server_.stored(ownerless_id(), "orphan").value()), "whose");
  V3Client thief(server_.port(), name);
  EXPECT_FALSE(thief.sign_up());
  V3Client again = client(name, ownerless_id().hex());
  EXPECT_FALSE(again.reconnect());
  V3Peer peer(server_.port());
  peer.request(ownerless_id(), v3::Request::send_key,
               {v3::text_field(name).value(), again.key.public_der});
  const auto answer = peer.response();
  EXPECT_TRUE(!answer || v3::reply_of(answer->header.code) != v3::Reply::key);
  EXPECT_TRUE(server_.catalog().client_by_id(ownerless_id()).value()->public_key.empty());
}

}  // namespace
}  // namespace cb::server
