// SPDX-License-Identifier: Apache-2.0
//
// Databases of old servers: each of them is read, and none is touched.
#include "core/catalog/legacy_source.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/catalog/statement.h"
#include "tests/folders.h"

namespace cb::catalog {
namespace {

class Source : public ::testing::Test {
 protected:
  Source()
      : folder_("/tmp/source-" + std::to_string(::getpid()) + "-" +
                ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ / "old");
  }
  ~Source() override { std::filesystem::remove_all(folder_); }

  static std::string content(const os::Path& file) {
    std::ostringstream all;
    all << std::ifstream(file, std::ios::binary).rdbuf();
    return all.str();
  }

  // An open database that the statements made.
  std::unique_ptr<Connection> open(const std::string& sql) {
    std::ofstream{database_};
    auto made = Connection::open(database_.string(), 0);
    EXPECT_TRUE(made);
    const Status done = (*made)->execute(sql.c_str());
    EXPECT_TRUE(done) << done.error().text();
    return std::move(*made);
  }
  void make(const std::string& name) { open(content(test::data("legacy/import/" + name))); }

  Result<LegacySource> read(const os::Path& file) {
    return read_legacy_source(file, folder_ / "scratch", os::real_file_system());
  }
  LegacySource must_read() {
    auto source = read(database_);
    EXPECT_TRUE(source) << source.error().text();
    return source ? std::move(*source) : LegacySource();
  }

  os::Path folder_;
  os::Path database_ = folder_ / "old/defensive.db";
};

TEST_F(Source, a_real_database_with_a_row_for_every_event_is_read) {
  const os::Path file = test::data("legacy/samples/o2-clean/defensive.db");
  const std::string before = content(file);
  const auto source = read(file);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_TRUE(source->doubts.empty());
  ASSERT_EQ(source->clients.size(), 2U);
  EXPECT_EQ(source->clients[1].name, "Alice Legacy");
  EXPECT_EQ(source->clients[1].id.hex(), "80cb957d3d194b679faf81d9767cc899");
  EXPECT_EQ(source->clients[1].public_key.size(), 160U);
  EXPECT_EQ(source->clients[1].last_seen, "2026-11-23T16:46:10+00:00Z");
  ASSERT_EQ(source->rows.size(), 41U);
  const SourceRow& sent = source->rows[0];
  EXPECT_EQ(sent.client, source->clients[0].id);
  EXPECT_EQ(sent.file_name, "note.txt");
  EXPECT_EQ(sent.path, "received_files/note.txt");
  EXPECT_FALSE(sent.verified);
  EXPECT_EQ(sent.size, 17U);
  EXPECT_EQ(sent.crc, 2109592624U);
  EXPECT_EQ(sent.date, "2026-11-23T16:45:17.764391");
  EXPECT_TRUE(source->rows[1].verified);
  EXPECT_FALSE(source->rows[1].crc);
  EXPECT_EQ(content(file), before);
}

TEST_F(Source, a_real_database_with_padded_names_is_read) {
  const auto source = read(test::data("legacy/samples/reefjo/db.defensive"));
  ASSERT_TRUE(source) << source.error().text();
  ASSERT_EQ(source->clients.size(), 22U);
  EXPECT_EQ(source->clients[0].name, "bob");
  EXPECT_EQ(source->clients[2].name, "carol cross");
  EXPECT_EQ(source->clients[12].name, "");
  EXPECT_TRUE(source->clients[3].public_key.empty());
  ASSERT_EQ(source->rows.size(), 5U);
  EXPECT_EQ(source->rows[4].path, "client_folders/7c9d0176b4194efb8c6cfb5e621e3755/note.txt");
  EXPECT_FALSE(source->rows[3].verified);
  EXPECT_FALSE(source->rows[3].size);
}

TEST_F(Source, the_client_is_the_key_of_files_where_no_other_column_tells_it) {
  make("o1.sql");
  const LegacySource source = must_read();
  ASSERT_EQ(source.clients.size(), 2U);
  EXPECT_TRUE(source.clients[1].public_key.empty());
  ASSERT_EQ(source.rows.size(), 4U);
  EXPECT_EQ(source.rows[3].client, source.clients[1].id);
  EXPECT_EQ(source.rows[1].path, "received_files\\both.txt");
}

TEST_F(Source, ids_in_hex_are_read_and_others_are_told) {
  make("doc.sql");
  const LegacySource source = must_read();
  ASSERT_EQ(source.clients.size(), 1U);
  EXPECT_EQ(source.clients[0].id.hex(), "0d00000000000000000000000000000f");
  ASSERT_EQ(source.rows.size(), 1U);
  EXPECT_EQ(source.rows[0].client, source.clients[0].id);
  EXPECT_TRUE(source.rows[0].verified);
  ASSERT_EQ(source.doubts.size(), 2U);
  EXPECT_EQ(source.doubts[0], "row 2 of clients has an id that is none");
}

TEST_F(Source, dashed_ids_lower_case_columns_and_a_table_without_row_numbers_are_read) {
  make("b.sql");
  const LegacySource source = must_read();
  ASSERT_EQ(source.clients.size(), 1U);
  EXPECT_EQ(source.clients[0].last_seen, "");
  ASSERT_EQ(source.rows.size(), 2U);
  EXPECT_EQ(source.rows[0].client, source.clients[0].id);
  EXPECT_EQ(source.rows[0].file_name, "b.txt");
}

TEST_F(Source, padded_names_and_windows_paths_are_read) {
  make("n.sql");
  const LegacySource source = must_read();
  EXPECT_EQ(source.clients.at(0).name, "nora");
  EXPECT_EQ(source.rows.at(0).file_name, "n.txt");
  EXPECT_EQ(source.rows.at(0).path, "C:\\Users\\nora\\backups\\n.txt");
}

TEST_F(Source, what_stands_in_the_write_ahead_log_alone_is_read_from_a_read_only_folder) {
  const auto writer = open(
      "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
      "CREATE TABLE clients (ID BLOB, Name TEXT);"
      "CREATE TABLE files (ID BLOB, FileName TEXT, PathName TEXT, Verified INTEGER);"
      "INSERT INTO clients VALUES (x'00000000000000000000000000000007', 'willi')");
  ASSERT_TRUE(std::filesystem::exists(database_.string() + "-wal"));
  const std::string before = content(database_);
  ASSERT_EQ(::chmod((folder_ / "old").c_str(), 0500), 0);
  const LegacySource source = must_read();
  ASSERT_EQ(::chmod((folder_ / "old").c_str(), 0700), 0);
  EXPECT_EQ(source.clients.at(0).name, "willi");
  EXPECT_EQ(content(database_), before);
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "scratch"));
}

// A server that was killed within a transaction: what it had not committed is not there.
TEST_F(Source, a_broken_off_transaction_is_rolled_back_in_the_copy_alone) {
  {
    const auto writer = open(
        "CREATE TABLE clients (ID BLOB, Name TEXT);"
        "CREATE TABLE files (ID BLOB, FileName TEXT, PathName TEXT, Verified INTEGER);"
        "INSERT INTO clients VALUES (x'00000000000000000000000000000007', 'one');"
        "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN; UPDATE clients SET Name = 'two'");
    std::string rows = "INSERT INTO files VALUES (zeroblob(16), 'x', '" + std::string(3000, 'y');
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(writer->execute((rows + "', 0)").c_str()));
    ASSERT_TRUE(std::filesystem::exists(database_.string() + "-journal"));
    std::filesystem::create_directory(folder_ / "copy");
    for (const char* part : {"", "-journal"})
      std::filesystem::copy_file(database_.string() + part,
                                 (folder_ / "copy/defensive.db").string() + part);
  }
  const std::string before = content(folder_ / "copy/defensive.db");
  const auto source = read(folder_ / "copy/defensive.db");
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ(source->clients.at(0).name, "one");
  EXPECT_TRUE(source->rows.empty());
  EXPECT_EQ(content(folder_ / "copy/defensive.db"), before);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "copy/defensive.db-journal"));
}

TEST_F(Source, what_a_killed_reading_left_is_removed) {
  make("n.sql");
  const os::Path left = folder_ / "scratch/legacy-source-999999999";
  std::filesystem::create_directories(left);
  std::ofstream(left / "source.db") << "secret";
  must_read();
  EXPECT_FALSE(std::filesystem::exists(left));
}

TEST_F(Source, another_programs_database_is_refused) {
  open("CREATE TABLE clients (name TEXT); CREATE TABLE invoices (id INTEGER)");
  const auto source = read(database_);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, Code::invalid);
  EXPECT_EQ(source.error().object, database_.string());
  EXPECT_NE(source.error().cause.find("no tables clients and files"), std::string::npos);
}

TEST_F(Source, a_damaged_database_is_refused_by_its_own_name) {
  make("o1.sql");
  std::fstream file(database_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(4096, '\xee');
  file.close();
  const auto source = read(database_);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, Code::corrupt);
  EXPECT_EQ(source.error().object, database_.string());
  EXPECT_NE(source.error().advice.find(".recover"), std::string::npos);
}

TEST_F(Source, what_is_no_database_or_not_there_is_refused) {
  std::ofstream(database_) << "hello, this is a text and no database at all; it goes on and on";
  EXPECT_EQ(read(database_).error().code, Code::corrupt);
  EXPECT_EQ(read(folder_ / "none.db").error().code, Code::not_found);
}

TEST(SourceId, is_raw_hex_or_dashed_and_nothing_else) {
  const std::string hex = "00112233445566778899aAbBcCdDeEfF";
  const auto id = parse_source_id(hex);
  ASSERT_TRUE(id);
  EXPECT_EQ(parse_source_id("00112233-4455-6677-8899-aabbccddeeff"), id);
  EXPECT_EQ(parse_source_id(as_text(id->view())), id);
  for (const std::string text :
       {"", "00112233", "00112233x4455-6677-8899-aabbccddeeff", "zz112233445566778899aabbccddeeff"})
    EXPECT_FALSE(parse_source_id(text)) << text;
}

}  // namespace
}  // namespace cb::catalog
