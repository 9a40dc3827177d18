// SPDX-License-Identifier: Apache-2.0
//
// Schema steps: old files come forward with what they held, newer ones are refused, and a step that
// fails leaves the file as it was.
#include "core/catalog/migrations.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "core/catalog/catalog.h"
#include "tests/folders.h"

namespace cb::catalog {
namespace {

namespace fs = std::filesystem;

class Migrations : public testing::Test {
 protected:
  Migrations() {
    std::string name = (fs::temp_directory_path() / "cb-migrations-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    file_ = (folder_ / "catalog.db").string();
    std::ofstream(file_).close();
  }
  ~Migrations() override { fs::remove_all(folder_); }

  std::unique_ptr<Connection> connect() {
    auto connection = Connection::open(file_, 5'000);
    EXPECT_TRUE(connection);
    return std::move(*connection);
  }

  fs::path folder_;
  std::string file_;
};

constexpr std::array<const char*, 3> kSteps = {
    "CREATE TABLE t (a); INSERT INTO t VALUES (1)",
    "ALTER TABLE t ADD COLUMN b DEFAULT 20",
    "UPDATE t SET a = a + b",
};

TEST_F(Migrations, every_old_version_comes_forward_with_its_content) {
  for (size_t from = 0; from <= kSteps.size(); ++from) {
    fs::remove(file_);
    std::ofstream(file_).close();
    auto connection = connect();
    ASSERT_TRUE(migrate(*connection, std::span(kSteps).first(from)));
    ASSERT_TRUE(migrate(*connection, kSteps)) << from;
    EXPECT_EQ(connection->integer("PRAGMA user_version").value_or(0), 3);
    EXPECT_EQ(connection->integer("PRAGMA application_id").value_or(0), kApplicationId);
    EXPECT_EQ(connection->integer("SELECT a FROM t").value_or(0), 21);
  }
}

TEST_F(Migrations, a_newer_file_is_refused_with_both_versions_named) {
  auto connection = connect();
  ASSERT_TRUE(migrate(*connection, kSteps));
  const auto refused = migrate(*connection, std::span(kSteps).first(2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unsupported);
  EXPECT_NE(refused.error().cause.find("3"), std::string::npos);
  EXPECT_NE(refused.error().cause.find("2"), std::string::npos);
  EXPECT_EQ(connection->integer("PRAGMA user_version").value_or(0), 3);
}

TEST_F(Migrations, a_newer_catalog_is_refused_at_open) {
  ASSERT_TRUE(open_sqlite_catalog(file_, true));
  ASSERT_TRUE(connect()->execute("PRAGMA user_version = 1000"));
  const auto refused = open_sqlite_catalog(file_, true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unsupported);
}

TEST_F(Migrations, a_step_that_fails_half_way_leaves_the_version_before_it) {
  auto connection = connect();
  const std::array<const char*, 2> broken = {kSteps[0], "INSERT INTO t VALUES (2); RUBBISH"};
  ASSERT_FALSE(migrate(*connection, broken));
  EXPECT_EQ(connection->integer("PRAGMA user_version").value_or(0), 1);
  EXPECT_EQ(connection->integer("SELECT count(*) FROM t").value_or(0), 1);
  EXPECT_TRUE(migrate(*connection, kSteps));
}

TEST_F(Migrations, many_who_open_a_new_file_at_once_all_get_a_catalog) {
  fs::remove(file_);
  std::vector<std::thread> threads;
  std::array<Status, 6> results;
  for (Status& result : results)
    threads.emplace_back([&] {
      auto opened = open_sqlite_catalog(file_, true);
      if (!opened) result = failed(opened.error());
    });
  for (auto& thread : threads) thread.join();
  for (const Status& result : results) EXPECT_TRUE(result) << result.error().text();
}

std::string recording(size_t version) {
  return test::data("catalog/version-") + std::to_string(version) + ".sql";
}

class Recorded : public Migrations {
 protected:
  void load(size_t version) {
    fs::remove(file_);
    std::ofstream(file_).close();
    std::ifstream dump(recording(version));
    std::stringstream sql;
    sql << dump.rdbuf();
    EXPECT_TRUE(connect()->execute(sql.str().c_str()));
  }

  // Everything that makes the schema, in one text.
  std::string schema() {
    const auto connection = connect();
    auto select = connection->prepare(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name <> 'sqlite_sequence'"
        " ORDER BY type, name");
    EXPECT_TRUE(select);
    std::string all;
    while (select->step().value_or(false)) all += std::string(select->text(0)) + "\n";
    return all;
  }
};

TEST_F(Recorded, every_version_has_a_recording_whose_schema_the_steps_still_make) {
  for (size_t version = 1; version <= migrations().size(); ++version) {
    SCOPED_TRACE(recording(version));
    ASSERT_TRUE(fs::exists(recording(version)));
    load(version);
    EXPECT_EQ(connect()->integer("PRAGMA user_version").value_or(0), static_cast<int64_t>(version));
    const std::string recorded = schema();
    fs::remove(file_);
    std::ofstream(file_).close();
    ASSERT_TRUE(migrate(*connect(), migrations().first(version)));
    EXPECT_EQ(schema(), recorded);
  }
}

TEST_F(Recorded, every_version_comes_forward_with_what_protocol_v4_had) {
  for (size_t version = 2; version <= migrations().size(); ++version) {
    SCOPED_TRACE(recording(version));
    load(version);
    auto opened = open_sqlite_catalog(file_, false);
    ASSERT_TRUE(opened) << opened.error().text();
    Catalog& catalog = **opened;
    EXPECT_EQ(connect()->integer("PRAGMA user_version").value_or(0),
              static_cast<int64_t>(migrations().size()));
    const auto alice = *catalog.accounts().account_by_name("alice");
    ASSERT_TRUE(alice);
    EXPECT_EQ(catalog.accounts().devices(alice->number)->size(), 1u);
    const auto repository = catalog.index().repositories()->front();
    EXPECT_EQ(repository.account, alice->number);
    EXPECT_EQ(catalog.index().slots(repository.number)->size(), 2u);
    const auto packs = *catalog.index().packs(repository.number, 0, 100);
    EXPECT_EQ(packs.size(), 5u);
    const IndexCounts counts = *catalog.index().counts(repository.number);
    EXPECT_EQ(counts.blobs, 11u);
    EXPECT_EQ(counts.stored_bytes, 575u + 1044 + 1056 + 580 + 1079);
    EXPECT_EQ(catalog.index().commits(repository.number, 1, 100)->size(), 4u);
    const auto snapshots = *catalog.index().snapshots(repository.number, true);
    ASSERT_EQ(snapshots.size(), 3u);
    EXPECT_TRUE(snapshots[1].in_trash);
    EXPECT_EQ(catalog.index().snapshots(repository.number, false)->size(), 2u);
    for (const PackRow& pack : packs)
      EXPECT_EQ(catalog.index().blobs_of_pack(pack.number)->size(), pack.blobs);
    ASSERT_EQ(catalog.clients()->size(), 1u);
    EXPECT_EQ(catalog.clients()->front().name, "old-friend");
  }
}

TEST_F(Recorded, version_3_has_its_uploads) {
  load(3);
  auto catalog = open_sqlite_catalog(file_, false);
  ASSERT_TRUE(catalog) << catalog.error().text();
  const ClientId client = (*catalog)->clients()->front().id;
  const auto versions = *(*catalog)->versions(client);
  ASSERT_EQ(versions.size(), 1u);
  EXPECT_EQ(versions[0].file_name, "stream");
  EXPECT_EQ(versions[0].size, 4u);
  EXPECT_TRUE(*(*catalog)->legacy_repository(client));
}

TEST_F(Recorded, version_4_has_passwords_invites_and_domains) {
  load(4);
  auto opened = open_sqlite_catalog(file_, false);
  ASSERT_TRUE(opened) << opened.error().text();
  Accounts& accounts = (*opened)->accounts();
  Index& index = (*opened)->index();
  const auto alice = *accounts.account_by_name("alice");
  EXPECT_EQ(alice->password_hash.substr(0, 10), "$argon2id$");
  const auto invites = *accounts.invites(alice->number);
  ASSERT_EQ(invites.size(), 1u);
  EXPECT_FALSE(invites[0].used_by);
  Bytes16 device;
  device.fill(std::byte{0x30});
  EXPECT_EQ(*index.domain_of(2, device), -2);
  const auto copies = *index.copies(2, 0, 9);
  ASSERT_EQ(copies.size(), 1u);
  EXPECT_EQ(copies[0].domain, -2);
  EXPECT_EQ(*index.have(2, {}, std::array<Bytes32, 1>{copies[0].id}), std::vector<bool>{false});
}

TEST_F(Recorded, since_version_5_the_repository_of_an_account_is_found_by_an_index) {
  for (const size_t version : {4U, 5U}) {
    load(version);
    ASSERT_TRUE(open_sqlite_catalog(file_, false));
    const auto connection = connect();
    auto plan = connection->prepare(
        "EXPLAIN QUERY PLAN SELECT id FROM repository WHERE account = 1 ORDER BY number LIMIT 1");
    ASSERT_TRUE(plan);
    ASSERT_TRUE(plan->step().value_or(false));
    EXPECT_NE(plan->text(3).find("USING INDEX repository_account"), std::string_view::npos)
        << plan->text(3);
  }
}

TEST_F(Recorded, what_is_from_before_version_6_is_of_clients_about_which_nothing_was_decided) {
  load(5);
  auto catalog = open_sqlite_catalog(file_, false);
  ASSERT_TRUE(catalog) << catalog.error().text();
  const ClientId client = (*catalog)->clients()->front().id;
  EXPECT_EQ(*(*catalog)->legacy_policy(client), LegacyPolicy{});
  EXPECT_TRUE((*catalog)->legacy_uses(client)->empty());
  EXPECT_FALSE((*catalog)->versions(client)->front().taken_over);
  EXPECT_TRUE(*(*catalog)->newest_version(client));
  EXPECT_TRUE(*(*catalog)->legacy_repository(client));
}

TEST_F(Recorded, version_6_has_what_was_decided_about_its_client_and_what_it_did) {
  load(6);
  auto catalog = open_sqlite_catalog(file_, false);
  ASSERT_TRUE(catalog) << catalog.error().text();
  const ClientId client = (*catalog)->clients()->front().id;
  constexpr int64_t kThen = 1'795'486'896'000'000'000;
  const LegacyPolicy policy{4, true, kThen + 1, kThen + 2, kThen + 3, true, kThen + 4, kThen + 5};
  EXPECT_EQ(*(*catalog)->legacy_policy(client), policy);
  const auto uses = *(*catalog)->legacy_uses(client);
  ASSERT_EQ(uses.size(), 2u);
  EXPECT_EQ(uses[0].logins, 3u);
  EXPECT_EQ(uses[1].address, "127.0.0.1");
  EXPECT_EQ(uses[1].bytes, 4u);
  EXPECT_TRUE((*catalog)->versions(client)->front().taken_over);
  EXPECT_FALSE(*(*catalog)->newest_version(client));
  EXPECT_FALSE(*(*catalog)->legacy_repository(client));
}

TEST_F(Recorded, version_7_has_what_the_server_does_by_itself) {
  load(7);
  auto catalog = open_sqlite_catalog(file_, false);
  ASSERT_TRUE(catalog) << catalog.error().text();
  constexpr int64_t kThen = 1'795'486'896'000'000'000;
  const auto rules = *(*catalog)->retention().rules(1);
  ASSERT_EQ(rules.size(), 1u);
  EXPECT_EQ(rules[0],
            (RetentionRow{{}, "keep-daily 7, keep-within 30d", kThen + 1, "uid 0 (root)"}));
  const auto pins = *(*catalog)->retention().pins(1);
  ASSERT_EQ(pins.size(), 1u);
  EXPECT_EQ(pins[0].reason, "before the move");
  EXPECT_EQ((*(*catalog)->retention().approval(1))->detail, "trash-stay 1d");
  const auto runs = *(*catalog)->jobs().history("collect", 0, 9);
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].outcome, JobOutcome::done);
  EXPECT_EQ(runs[0].summary, "nothing to collect");
}

TEST_F(Recorded, version_8_has_what_the_server_limits_watches_and_copies) {
  load(8);
  auto catalog = open_sqlite_catalog(file_, false);
  ASSERT_TRUE(catalog) << catalog.error().text();
  constexpr int64_t kThen = 1'795'486'896'000'000'000;
  const auto limits = *(*catalog)->limits().limits(1);
  ASSERT_EQ(limits.size(), 2u);
  EXPECT_EQ(limits[0].name, "stored");
  EXPECT_EQ(limits[0].value, uint64_t{500} << 30);
  EXPECT_EQ((*catalog)->limits().over_soft(1)->front().since_ns, kThen + 3);
  EXPECT_EQ((*catalog)->limits().usage(1)->front().pack_bytes, 575u + 1044 + 1056 + 580 + 1079);
  const auto states = *(*catalog)->sources().states(1);
  ASSERT_EQ(states.size(), 1u);
  EXPECT_EQ(states[0].reason, "much was replaced");
  const auto backups = *(*catalog)->sources().backups(1, states[0].source, 9);
  ASSERT_EQ(backups.size(), 1u);
  EXPECT_EQ(backups[0].figures.gone_bytes, 11u);
  EXPECT_EQ(backups[0].claim->stored_bytes, 27u);
  EXPECT_TRUE(*(*catalog)->sources().clear("store.full"));
  EXPECT_EQ((*catalog)->drills().drills(1)->front().passed_ns, kThen + 13);
  EXPECT_EQ((*catalog)->drills().missing_since(1)->value_or(0), kThen + 14);
}

TEST_F(Recorded, since_version_9_signatures_are_found_by_an_index) {
  for (const size_t version : {8U, 9U}) {
    load(version);
    ASSERT_TRUE(open_sqlite_catalog(file_, false));
    EXPECT_EQ(connect()->integer("SELECT count(*) FROM sqlite_schema WHERE name = 'blob_weak'"), 1);
  }
}

TEST_F(Recorded, accounts_and_blobs_from_before_version_4_have_no_password_and_are_open) {
  load(3);
  auto opened = open_sqlite_catalog(file_, false);
  ASSERT_TRUE(opened) << opened.error().text();
  EXPECT_EQ((*(*opened)->accounts().account_by_name("alice"))->password_hash, "");
  EXPECT_TRUE((*opened)->index().copies(1, 0, 9)->empty());
}

// From before a release: what version 1 says of clients is read, and its uploads, which this
// program cannot read, are not passed over in silence.
class RecordedVersion1 : public Recorded {
 protected:
  RecordedVersion1() { load(1); }
};

TEST_F(RecordedVersion1, is_refused_for_the_uploads_in_it) {
  const auto catalog = open_sqlite_catalog(file_, false);
  ASSERT_FALSE(catalog);
  EXPECT_EQ(catalog.error().code, Code::unsupported);
  EXPECT_NE(catalog.error().cause.find("2 uploads"), std::string::npos);
  EXPECT_EQ(connect()->integer("PRAGMA user_version").value_or(0), 1);
}

TEST_F(RecordedVersion1, comes_forward_with_its_clients_when_it_has_no_uploads) {
  ASSERT_TRUE(connect()->execute("DELETE FROM legacy_version"));
  auto catalog = open_sqlite_catalog(file_, false);
  ASSERT_TRUE(catalog) << catalog.error().text();
  const auto clients = (*catalog)->clients();
  ASSERT_TRUE(clients);
  ASSERT_EQ(clients->size(), 2u);
  EXPECT_EQ(clients->front().name, "alice");
  EXPECT_EQ(clients->front().oaep, OaepHash::sha1);
  EXPECT_EQ(clients->back().name, "\xff\xfe");
  EXPECT_TRUE((*catalog)->versions(clients->front().id)->empty());
}

}  // namespace
}  // namespace cb::catalog
