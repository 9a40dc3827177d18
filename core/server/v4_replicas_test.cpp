// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_replicas.h"

#include "core/log/capture.h"
#include "core/repository/engine_chain.h"
#include "core/repository/replica_fixture.h"

namespace cb::server {
namespace {

using repository::must;

// Accounts alice and bob, and a server that may copy both.
class CopyableAccounts : public repository::ReplicaFixture {
 protected:
  CopyableAccounts() {
    catalog::Account account;
    account.name = "bob";
    must(source_.catalog().accounts().add_account(account));
    repository::RepositoryRecord record = record_;
    record.id.bytes.fill(std::byte{0x22});
    must(sign_record(record, root_));
    must(source_.engine().create(record, "bob"));
    catalog::ReplicaToken token;
    token.id = guest_.token;
    token.name = guest_.name;
    token.all_accounts = true;
    must(source_.catalog().replication().add_token(token));
  }

  // "alice bob": whom the other server may copy.
  std::string listed() {
    V4Replicas::Parts parts;
    parts.accounts = &source_.catalog().accounts();
    parts.replication = &source_.catalog().replication();
    parts.engine = &source_.engine();
    parts.clock = &source_.clock();
    parts.log = &log_;
    std::string names;
    for (const V4Copyable& one : must(V4Replicas(parts).accounts(guest_, "", 10)))
      names += (names.empty() ? "" : " ") + one.account.name;
    return names;
  }

  const V4Guest guest_{{std::byte{7}}, "off-site"};
  log::Capture log_;
};

TEST_F(CopyableAccounts, are_listed_without_one_whose_record_is_damaged_and_it_is_told) {
  EXPECT_EQ(listed(), "alice bob");
  EXPECT_EQ(log_.count("replica.skipped"), 0U);
  catalog::Index& index = source_.catalog().index();
  const int64_t number = must(index.repository(record_.id.bytes))->number;
  must(index.set_record(number, as_bytes("garbage"), nullptr));
  EXPECT_EQ(listed(), "bob");
  EXPECT_EQ(log_.count("replica.skipped"), 1U);
  EXPECT_TRUE(log_.contains("account=alice"));
}

TEST_F(CopyableAccounts, are_listed_without_one_whose_chain_is_damaged_and_it_is_told) {
  source_.put_object(repository::commit_object(record_.id, 1), as_bytes("garbage"));
  source_.reopen();
  EXPECT_EQ(listed(), "bob");
  EXPECT_TRUE(log_.contains("replica.skipped"));
}

}  // namespace
}  // namespace cb::server
