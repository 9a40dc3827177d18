// SPDX-License-Identifier: Apache-2.0
//
// A v3 client that comes with protocol 4 ends protocol 3 for itself, and what a listener's mode
// means where the transport is TLS.
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

// A v3 client whose account may be enrolled.
class V4Ratchet : public V4Server {
 protected:
  void add_client() {
    catalog_ = catalog::open_sqlite_catalog((folder_ / "catalog.sqlite").string(), false).value();
    client_.id.bytes.fill(std::byte{0x5a});
    client_.name = "old friend";
    ASSERT_TRUE(catalog_->add_client(client_));
    catalog::Account account;
    account.name = V3Keys::account_of(client_.id);
    ASSERT_TRUE(catalog_->accounts().add_account(account));
  }
  [[nodiscard]] std::string account() const { return V3Keys::account_of(client_.id); }
  int64_t ended() { return catalog_->legacy_policy(client_.id)->ended_ns; }
  report::Json versions() { return daemon_->status()["listeners"][0]["versions"]; }

  std::unique_ptr<catalog::Catalog> catalog_;
  catalog::LegacyClient client_;
};

TEST_F(V4Ratchet, closes_when_a_device_of_the_clients_account_comes_in) {
  start();
  add_client();
  V4Owner owner = V4Owner::make();
  auto first = enrolled(account(), owner);
  const int64_t then = ended();
  EXPECT_NE(then, 0);
  EXPECT_TRUE(log_.contains("event=v3.ratchet.closed client=" + client_.id.hex() + " peer="))
      << log_.text();
  auto again = member(owner);
  EXPECT_EQ(ended(), then);
  EXPECT_EQ(log_.count("v3.ratchet.closed"), 1U);
}

TEST_F(V4Ratchet, closes_at_a_login_when_nothing_closed_it_before) {
  start({"legacy.ratchet=false"});
  add_client();
  V4Owner owner = V4Owner::make();
  enrolled(account(), owner);
  EXPECT_EQ(ended(), 0);
  ASSERT_TRUE(catalog_->change_legacy_policy(
      client_.id, [](catalog::LegacyPolicy& policy) { policy.ratchet = true; }));
  auto login = member(owner);
  EXPECT_NE(ended(), 0);
}

TEST_F(V4Ratchet, stays_open_for_whoever_is_refused_and_for_other_accounts) {
  start();
  add_client();
  V4Owner owner = V4Owner::make();
  V4Owner other = V4Owner::make();
  enrolled("alice", other);
  auto refused = peer();
  const auto answer = refused->login(owner);
  EXPECT_TRUE(!answer || answer->code == v4::Response::failure);
  auto greeted = peer();
  EXPECT_TRUE(greeted->hello());
  EXPECT_EQ(ended(), 0);
}

TEST_F(V4Ratchet, mode_compat_over_tls_is_both_versions_and_secure_is_protocol_4_alone) {
  change_config("versions = [4]", "mode = \"compat\"");
  start();
  EXPECT_EQ(versions(), report::Json({3, 4}));
  V4Owner owner = V4Owner::make();
  enrolled("alice", owner);
  stop();
  change_config("mode = \"compat\"", "mode = \"secure\"");
  start();
  EXPECT_EQ(versions(), report::Json({4}));
  EXPECT_TRUE(member(owner));
}

}  // namespace
}  // namespace cb::server
