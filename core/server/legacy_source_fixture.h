// SPDX-License-Identifier: Apache-2.0
//
// For tests: the folder of an old server of protocol v3, written file by file, and its database out
// of statements or of tests/data. One thread.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "core/catalog/statement.h"
#include "core/protocol/v3/cksum.h"
#include "tests/folders.h"

namespace cb::server {

class OldServer {
 public:
  explicit OldServer(os::Path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }

  // A file, of the day 2024-06-01 UTC plus `day`.
  void file(const std::string& path, const std::string& content, int day = 0) const {
    std::filesystem::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path, std::ios::binary) << content;
    const std::chrono::sys_seconds when =
        std::chrono::sys_days(std::chrono::year(2024) / 6 / 1) + std::chrono::days(day);
    std::filesystem::last_write_time(folder_ / path, std::chrono::file_clock::from_sys(when));
  }
  void statements(const std::string& sql) const {
    std::ofstream(database(), std::ios::app);
    auto made = catalog::Connection::open(database().string(), 0);
    ASSERT_TRUE(made);
    const Status done = (*made)->execute(sql.c_str());
    ASSERT_TRUE(done) << done.error().text();
  }
  // Statements of tests/data/legacy/import.
  void data(const std::string& name) const {
    std::ostringstream sql;
    sql << std::ifstream(test::data("legacy/import/" + name)).rdbuf();
    statements(sql.str());
  }
  // A real one of tests/data/legacy/samples.
  void sample(const std::string& name) const {
    std::filesystem::copy(test::data("legacy/samples/" + name), folder_,
                          std::filesystem::copy_options::recursive);
  }

  // A row of the kind that a server with checksums adds at each event; `content` is what it got.
  void event(const std::string& client, const std::string& name, const std::string& content,
             bool verified, const std::string& date) const {
    const std::string id = "randomblob(16)";
    const std::string common =
        "INSERT INTO files VALUES (" + id + ", '" + name + "', 'received_files/" + name + "', ";
    const std::string size = ", " + std::to_string(content.size()) + ", '" + date + "', ";
    statements(common + "0" + size + std::to_string(v3::cksum_of(as_bytes(content))) + ", x'" +
               client + "')");
    if (verified) statements(common + "1" + size + "NULL, x'" + client + "')");
  }

  [[nodiscard]] os::Path database() const { return folder_ / "defensive.db"; }
  [[nodiscard]] const os::Path& folder() const { return folder_; }

 private:
  os::Path folder_;
};

constexpr const char* kTablesWithChecksums =
    "CREATE TABLE clients (ID BLOB(16) PRIMARY KEY, Name VARCHAR(255) UNIQUE NOT NULL,"
    " PublicKey BLOB(160), LastSeen TEXT NOT NULL, AESKey BLOB(32));"
    "CREATE TABLE files (ID BLOB(16) PRIMARY KEY, FileName VARCHAR(255), PathName VARCHAR(255),"
    " Verified BOOLEAN, FileSize INTEGER, ModificationDate TEXT, CRC INTEGER, ClientID BLOB(16));";

}  // namespace cb::server
