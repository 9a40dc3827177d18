// SPDX-License-Identifier: Apache-2.0
//
// What a Catalog promises about copies on other servers, and of them.
#include "core/catalog/catalog_suite.h"

namespace cb::catalog {
namespace {

Bytes32 hash_of(uint8_t number) {
  Bytes32 hash{};
  hash.fill(std::byte{number});
  return hash;
}

ReplicaToken token_of(uint8_t number) {
  ReplicaToken token;
  token.id.fill(std::byte{number});
  token.secret_hash = hash_of(number);
  token.name = "off-site";
  token.created_ns = 5;
  return token;
}

CommitRow commit_of(uint64_t sequence, uint8_t type, const Bytes32& snapshot) {
  CommitRow row;
  row.sequence = sequence;
  row.type = type;
  row.snapshot = snapshot;
  row.commit_id.fill(static_cast<std::byte>(sequence));
  row.hash = hash_of(static_cast<uint8_t>(sequence));
  row.record = Bytes(3, static_cast<std::byte>(sequence));
  return row;
}

// The commit records of the snapshots that are here.
std::vector<Bytes> here(Index& index, int64_t repository) {
  std::vector<Bytes> records;
  const auto rows = index.snapshots(repository, true);
  for (const SnapshotRow& row : rows.value_or(std::vector<SnapshotRow>()))
    records.push_back(row.record);
  return records;
}

TEST_P(ReplicationSuite, a_token_sees_the_accounts_that_it_was_made_for) {
  const int64_t alice = *catalog_->accounts().add_account({0, "alice-2", AccountKind::v4});
  const int64_t bob = *catalog_->accounts().add_account({0, "bob-2", AccountKind::v4});
  ReplicaToken some = token_of(1);
  some.accounts = {alice, bob};
  ASSERT_TRUE(replication().add_token(some));
  ReplicaToken all = token_of(2);
  all.all_accounts = true;
  ASSERT_TRUE(replication().add_token(all));
  EXPECT_EQ(replication().add_token(some).error().code, Code::exists);
  reopen();
  const auto found = replication().token_by_id(some.id);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->secret_hash, some.secret_hash);
  EXPECT_EQ((*found)->name, "off-site");
  EXPECT_EQ((*found)->accounts, some.accounts);
  EXPECT_FALSE((*found)->all_accounts);
  const auto tokens = replication().tokens();
  ASSERT_TRUE(tokens);
  ASSERT_EQ(tokens->size(), 2U);
  EXPECT_TRUE(tokens->at(1).all_accounts);
  EXPECT_TRUE(tokens->at(1).accounts.empty());
  EXPECT_FALSE(*replication().token_by_id(token_of(3).id));
}

TEST_P(ReplicationSuite, a_token_of_an_account_that_there_is_not_is_refused_whole) {
  ReplicaToken token = token_of(1);
  token.accounts = {4711};
  EXPECT_EQ(replication().add_token(token).error().code, Code::not_found);
  EXPECT_TRUE(replication().tokens()->empty());
}

TEST_P(ReplicationSuite, a_token_tells_when_it_was_seen_and_goes) {
  ReplicaToken token = token_of(1);
  token.all_accounts = true;
  ASSERT_TRUE(replication().add_token(token));
  ASSERT_TRUE(replication().touch_token(token.id, 77, "10.0.0.9:4711"));
  EXPECT_EQ((*replication().token_by_id(token.id))->last_seen_ns, 77);
  EXPECT_EQ((*replication().token_by_id(token.id))->last_address, "10.0.0.9:4711");
  ASSERT_TRUE(replication().remove_token(token.id));
  EXPECT_EQ(replication().remove_token(token.id).error().code, Code::not_found);
  EXPECT_EQ(replication().touch_token(token.id, 78, "").error().code, Code::not_found);
}

TEST_P(ReplicationSuite, a_source_comes_back_as_it_was_noted_and_takes_its_pulls_along) {
  ReplicaSource source;
  source.name = "home";
  source.servers = {"home.example:1257", "[::1]:1258"};
  source.pin = hash_of(9);
  source.accounts = {"alice", "bob"};
  source.removes_vanished = true;
  source.heals_only = true;
  source.added_ns = 11;
  ASSERT_TRUE(replication().add_source(source));
  EXPECT_EQ(replication().add_source(source).error().code, Code::exists);
  ASSERT_TRUE(replication().note_pull({"home", "alice", 1, 1, 1, 1, 1, 0, ""}));
  reopen();
  const auto sources = replication().sources();
  ASSERT_TRUE(sources);
  ASSERT_EQ(sources->size(), 1U);
  EXPECT_EQ(sources->at(0).servers, source.servers);
  EXPECT_EQ(sources->at(0).pin, source.pin);
  EXPECT_EQ(sources->at(0).accounts, source.accounts);
  EXPECT_TRUE(sources->at(0).removes_vanished);
  EXPECT_TRUE(sources->at(0).heals_only);
  EXPECT_EQ(sources->at(0).added_ns, 11);
  ASSERT_TRUE(replication().remove_source("home"));
  EXPECT_TRUE(replication().pulls()->empty());
  EXPECT_EQ(replication().remove_source("home").error().code, Code::not_found);
}

TEST_P(ReplicationSuite, pulls_add_up_and_keep_the_last_good_one) {
  ASSERT_TRUE(replication().note_pull({"home", "alice", 10, 10, 3, 5, 500, 1, ""}));
  ASSERT_TRUE(replication().note_pull({"home", "alice", 20, 0, 4, 2, 100, 0, "is not there"}));
  const auto pulls = replication().pulls();
  ASSERT_TRUE(pulls);
  ASSERT_EQ(pulls->size(), 1U);
  const ReplicaPull& pull = pulls->front();
  EXPECT_EQ(pull.tried_ns, 20);
  EXPECT_EQ(pull.good_ns, 10);
  EXPECT_EQ(pull.head, 4U);
  EXPECT_EQ(pull.blobs, 7U);
  EXPECT_EQ(pull.bytes, 600U);
  EXPECT_EQ(pull.healed, 1U);
  EXPECT_EQ(pull.trouble, "is not there");
}

TEST_P(ReplicationSuite, a_repository_is_a_copy_from_its_beginning_or_never) {
  ASSERT_TRUE(catalog_->accounts().add_account({0, "copied", AccountKind::v4}));
  Bytes16 id{};
  id.fill(std::byte{7});
  ReplicaRow row;
  row.source = "home";
  row.server_key = hash_of(3);
  row.keeps_removed = true;
  const auto number = replication().add_replica(id, "copied", Bytes(4), row);
  ASSERT_TRUE(number);
  EXPECT_EQ(replication().add_replica(id, "copied", Bytes(4), row).error().code, Code::exists);
  id.fill(std::byte{8});
  EXPECT_EQ(replication().add_replica(id, "nobody", Bytes(4), row).error().code, Code::not_found);
  const auto found = replication().replica(*number);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->source, "home");
  EXPECT_EQ((*found)->server_key, row.server_key);
  EXPECT_TRUE((*found)->keeps_removed);
  row.repository = *number;
  row.keeps_removed = false;
  ASSERT_TRUE(replication().set_replica(row));
  EXPECT_FALSE((*replication().replica(*number))->keeps_removed);
  EXPECT_FALSE(*replication().replica(repository_));
}

TEST_P(ReplicationSuite, an_absent_snapshot_comes_where_the_chain_says_it_lies) {
  const Bytes32 snapshot = hash_of(0x51);
  ASSERT_TRUE(replication().set_absent(repository_, {snapshot, false, false}));
  CommitEffect none;
  none.changes_snapshot = false;
  ASSERT_TRUE(index().add_commit(repository_, commit_of(1, 1, snapshot), none));
  ASSERT_TRUE(replication().set_absent(repository_, {snapshot, false, true}));
  EXPECT_TRUE(here(index(), repository_).empty());
  EXPECT_TRUE((*replication().absent(repository_, snapshot))->in_trash);
  ASSERT_TRUE(replication().bring_snapshot(repository_, snapshot, {}));
  EXPECT_EQ(here(index(), repository_), std::vector<Bytes>{Bytes(3, std::byte{1})});
  EXPECT_TRUE((*index().snapshot(repository_, snapshot))->in_trash);
  EXPECT_FALSE(*replication().absent(repository_, snapshot));
  EXPECT_EQ(replication().bring_snapshot(repository_, snapshot, {}).error().code, Code::not_found);
}

TEST_P(ReplicationSuite, a_dropped_snapshot_is_absent_and_known_to_be_dropped) {
  const Bytes32 snapshot = hash_of(0x52);
  ASSERT_TRUE(index().add_commit(repository_, commit_of(1, 1, snapshot), {}));
  ASSERT_TRUE(replication().drop_snapshot(repository_, snapshot));
  EXPECT_TRUE(here(index(), repository_).empty());
  const auto absent = replication().absent(repository_);
  ASSERT_TRUE(absent);
  ASSERT_EQ(absent->size(), 1U);
  EXPECT_TRUE(absent->at(0).dropped);
  EXPECT_FALSE(absent->at(0).in_trash);
  EXPECT_EQ(replication().drop_snapshot(repository_, snapshot).error().code, Code::not_found);
  EXPECT_EQ(replication().absent(repository_)->size(), 1U);
  ASSERT_TRUE(replication().clear_absent(repository_, snapshot));
  ASSERT_TRUE(replication().clear_absent(repository_, snapshot));
  EXPECT_TRUE(replication().absent(repository_)->empty());
}

}  // namespace
}  // namespace cb::catalog
