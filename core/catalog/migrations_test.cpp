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

// A dump of a real catalog of that version, which every later program must still read.
TEST_F(Migrations, a_recorded_catalog_of_version_1_is_read) {
  std::ifstream dump(CB_TEST_DATA "/catalog/version-1.sql");
  std::stringstream sql;
  sql << dump.rdbuf();
  ASSERT_TRUE(connect()->execute(sql.str().c_str()));
  auto catalog = open_sqlite_catalog(file_, false);
  ASSERT_TRUE(catalog) << catalog.error().text();
  const auto clients = (*catalog)->clients();
  ASSERT_TRUE(clients);
  ASSERT_EQ(clients->size(), 2u);
  EXPECT_EQ(clients->front().name, "alice");
  EXPECT_EQ(clients->front().oaep, OaepHash::sha1);
  EXPECT_EQ(clients->back().name, "\xff\xfe");
  const auto versions = (*catalog)->versions(clients->front().id);
  ASSERT_TRUE(versions);
  ASSERT_EQ(versions->size(), 2u);
  EXPECT_EQ(versions->back().version, 2u);
  EXPECT_EQ(versions->back().object, "v3/alice/2");
  EXPECT_EQ((*catalog)->totals()->plain_bytes, 30u);
}

}  // namespace
}  // namespace cb::catalog
