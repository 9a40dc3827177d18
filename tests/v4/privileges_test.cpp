// SPDX-License-Identifier: Apache-2.0
//
// Every request by everybody: who has not the privilege gets nothing, in the real daemon.
#include <gmock/gmock.h>

#include "core/protocol/v4/privileges.h"
#include "core/repository/pairing_token.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using repository::Role;
using v4::Request;
using v4::Response;
using v4::Standing;

class V4Privileges : public V4Server {
 protected:
  V4Privileges() : owner_(V4Owner::make()) {
    start({"v4.login_tries=1000"});
    auto peer = enrolled("alice", owner_);
    set_password("alice", "correct horse");
    for (const Role role : {Role::writer, Role::reader})
      devices_.emplace(role, joined(*peer, owner_, role));
    const auto made = admin({{"command", "token.create"}, {"replica", true}, {"name", "off-site"}});
    token_ = report::text_of(made.value(), "token");
  }
  std::unique_ptr<V4Peer> of(Standing standing) {
    switch (standing) {
      case Standing::fresh:
        return peer();
      case Standing::owner:
        return member(owner_);
      case Standing::writer:
        return member(devices_.at(Role::writer).member(owner_));
      case Standing::reader:
        return member(devices_.at(Role::reader).member(owner_));
      default:
        break;
    }
    auto made = peer();
    EXPECT_TRUE(made->hello());
    if (standing == Standing::greeted) return made;
    if (standing == Standing::replica) return let_replica_in(std::move(made));
    v4::pb::PasswordLogin message;
    message.set_account("alice");
    message.set_password("correct horse");
    EXPECT_EQ(ask(*made, Request::password_login, message).code, Response::password_login);
    return made;
  }
  std::unique_ptr<V4Peer> let_replica_in(std::unique_ptr<V4Peer> made) {
    const auto token = repository::parse_replica_token(token_).value();
    v4::pb::ReplicaLogin message;
    message.set_token_id(v4::field_of(token.id.view()));
    message.set_token_secret(v4::field_of(token.secret.view()));
    EXPECT_EQ(ask(*made, Request::replica_login, message).code, Response::replica_login);
    return made;
  }
  // Was it refused for want of a privilege? An empty message is wrong for many requests otherwise.
  bool is_refused(Standing standing, Request request) {
    auto made = of(standing);
    made->request(request, 99);
    const bool is_person = standing == Standing::person;
    if (v4::has_bulk(request) || request == Request::heartbeat)
      made->request(is_person ? Request::slots : Request::counts, 100);
    const auto answer = made->answer();
    if (!answer || answer->code != Response::failure) return false;
    const std::string why = answer->failure();
    for (const char* text : {"may not do this in its role", "a password alone", "may only copy",
                             "second hello", "before the login", "not due now"})
      if (why.find(text) != std::string::npos) return true;
    return false;
  }

  V4Owner owner_;
  std::map<Role, V4Invited> devices_;
  std::string token_;  // of another server
};

TEST_F(V4Privileges, the_daemon_refuses_exactly_what_the_table_does_not_grant) {
  for (const v4::RequestPrivilege& entry : v4::kPrivileges)
    for (const Standing standing :
         {Standing::fresh, Standing::greeted, Standing::replica, Standing::person, Standing::reader,
          Standing::writer, Standing::owner})
      EXPECT_NE(is_refused(standing, entry.request), v4::has_privilege(standing, entry.privilege))
          << static_cast<int>(entry.request) << " by " << static_cast<int>(standing);
}

TEST_F(V4Privileges, a_refusal_costs_a_device_nothing_but_this_request) {
  auto reader = of(Standing::reader);
  const V4Answer refused = ask(*reader, Request::copies, v4::pb::Copies());
  EXPECT_EQ(refused.code, Response::failure);
  EXPECT_FALSE(refused.as<v4::pb::Failure>().fatal());
  EXPECT_EQ(refused.as<v4::pb::Failure>().code(), static_cast<int>(Code::denied));
  EXPECT_EQ(ask(*reader, Request::counts, v4::pb::Counts()).code, Response::counts);
}

TEST_F(V4Privileges, another_server_is_out_as_soon_as_its_token_is_taken_back) {
  auto replica = of(Standing::replica);
  EXPECT_EQ(ask(*replica, Request::replica_accounts, v4::pb::ReplicaAccounts()).code,
            Response::replica_accounts);
  ASSERT_TRUE(admin({{"command", "replica.remove"}, {"name", "off-site"}}));
  EXPECT_EQ(ask(*replica, Request::replica_accounts, v4::pb::ReplicaAccounts()).code,
            Response::failure);
}

TEST_F(V4Privileges, another_server_sees_no_repository_that_its_token_does_not_name) {
  ASSERT_TRUE(admin({{"command", "account.add"}, {"account", "bob"}}));
  const auto made = admin({{"command", "token.create"},
                           {"replica", true},
                           {"name", "bobs"},
                           {"accounts", report::Json::array({"bob"})}});
  token_ = report::text_of(made.value(), "token");
  auto replica = of(Standing::replica);
  EXPECT_EQ(ask(*replica, Request::replica_accounts, v4::pb::ReplicaAccounts())
                .as<v4::pb::ReplicaAccountsReply>()
                .accounts_size(),
            0);
  const std::string id = v4::field_of(owner_.record.id.view());
  v4::pb::ReplicaRecords records;
  records.set_repository(id);
  EXPECT_EQ(ask(*replica, Request::replica_records, records).code, Response::failure);
  v4::pb::ReplicaDevices devices;
  devices.set_repository(id);
  EXPECT_EQ(ask(*replica, Request::replica_devices, devices).code, Response::failure);
  v4::pb::ReplicaChain chain;
  chain.set_repository(id);
  EXPECT_EQ(ask(*replica, Request::replica_chain, chain).code, Response::failure);
  v4::pb::ReplicaGet get;
  get.set_repository(id);
  EXPECT_EQ(ask(*replica, Request::replica_get, get).code, Response::failure);
}

TEST_F(V4Privileges, a_reader_that_sends_a_blob_is_out_and_nothing_is_stored) {
  const V4Blobs blobs(3000);
  auto reader = of(Standing::reader);
  reader->put(5, blobs.all[0].head, blobs.all[0].stored);
  const auto answer = reader->answer();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->as<v4::pb::Failure>().fatal());
  EXPECT_TRUE(reader->ended());
  auto owner = of(Standing::owner);
  EXPECT_EQ(ask(*owner, Request::counts, v4::pb::Counts()).as<v4::pb::CountsReply>().blobs(), 0U);
}

TEST_F(V4Privileges, a_writers_forget_is_a_wish_and_the_snapshot_stays) {
  const V4Blobs blobs(3000);
  const V4Owner writer = devices_.at(Role::writer).member(owner_);
  auto writers_peer = member(writer);
  for (const auto& blob : blobs.all)
    writers_peer->put(writers_peer->next_id++, blob.head, blob.stored);
  ASSERT_EQ(ask(*writers_peer, Request::commit, blobs.commit(writer)).code, Response::commit);
  v4::pb::Forget forget;
  forget.set_snapshot(v4::field_of(blobs.snapshot.view()));
  EXPECT_EQ(ask(*writers_peer, Request::forget, forget).code, Response::forget);
  const auto list = ask(*writers_peer, Request::snapshots, v4::pb::Snapshots());
  EXPECT_EQ(list.as<v4::pb::SnapshotsReply>().snapshots_size(), 1);
  auto owner = of(Standing::owner);
  EXPECT_EQ(ask(*owner, Request::forget, forget).code, Response::forget);
  EXPECT_EQ(ask(*owner, Request::snapshots, v4::pb::Snapshots())
                .as<v4::pb::SnapshotsReply>()
                .snapshots_size(),
            0);
}

}  // namespace
}  // namespace cb::server
