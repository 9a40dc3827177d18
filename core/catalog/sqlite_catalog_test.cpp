// SPDX-License-Identifier: Apache-2.0
//
// The suite run on SQLite, and what only a file can do: be damaged, be foreign, be left by a killed
// process.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "core/catalog/guarded.h"
#include "core/catalog/index_suite.h"
#include "core/catalog/migrations.h"

namespace cb::catalog {
namespace {

namespace fs = std::filesystem;

// A folder that goes when the test does.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "cb-catalog-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file() const { return (path_ / "catalog.db").string(); }

 private:
  fs::path path_;
};

class SqliteSubject final : public Subject {
 public:
  Result<std::unique_ptr<Catalog>> open() override {
    return open_sqlite_catalog(folder_.file(), true);
  }

 private:
  Folder folder_;
};

const Implementation kSqlite{"sqlite", [] { return std::make_unique<SqliteSubject>(); }};
std::string name_of_made(const testing::TestParamInfo<Implementation>& made) {
  return made.param.name;
}

INSTANTIATE_TEST_SUITE_P(Sqlite, CatalogSuite, testing::Values(kSqlite), name_of_made);
INSTANTIATE_TEST_SUITE_P(Sqlite, AccountsSuite, testing::Values(kSqlite), name_of_made);
INSTANTIATE_TEST_SUITE_P(Sqlite, IndexSuite, testing::Values(kSqlite), name_of_made);
INSTANTIATE_TEST_SUITE_P(Sqlite, RetentionSuite, testing::Values(kSqlite), name_of_made);
INSTANTIATE_TEST_SUITE_P(Sqlite, SourcesSuite, testing::Values(kSqlite), name_of_made);
INSTANTIATE_TEST_SUITE_P(Sqlite, ReplicationSuite, testing::Values(kSqlite), name_of_made);
INSTANTIATE_TEST_SUITE_P(Sqlite, DomainsSuite, testing::Values(kSqlite), name_of_made);
INSTANTIATE_TEST_SUITE_P(Sqlite, CollectionSuite, testing::Values(kSqlite), name_of_made);
INSTANTIATE_TEST_SUITE_P(Sqlite, WeakSuite, testing::Values(kSqlite), name_of_made);
INSTANTIATE_TEST_SUITE_P(Sqlite, VerificationSuite, testing::Values(kSqlite), name_of_made);
INSTANTIATE_TEST_SUITE_P(Sqlite, LimitsSuite, testing::Values(kSqlite), name_of_made);

TEST(SqliteCatalog, a_missing_file_is_not_found_with_advice_unless_it_may_be_made) {
  const Folder folder;
  const auto missing = open_sqlite_catalog(folder.file(), false);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_NE(missing.error().advice.find("init"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder.file()));
  EXPECT_TRUE(open_sqlite_catalog(folder.file(), true));
  EXPECT_TRUE(open_sqlite_catalog(folder.file(), false));
}

TEST(SqliteCatalog, only_the_owner_may_read_the_file) {
  const Folder folder;
  const auto catalog = open_sqlite_catalog(folder.file(), true);
  ASSERT_TRUE(catalog);
  ASSERT_TRUE((*catalog)->add_client(make_client("alice", 1)));
  for (const char* suffix : {"", "-wal"}) {
    const std::string name = folder.file() + suffix;
    struct stat st {};
    ASSERT_EQ(::stat(name.c_str(), &st), 0) << name;
    EXPECT_EQ(st.st_mode & 0777, 0600u) << name;
  }
}

TEST(SqliteCatalog, an_emptied_file_is_corrupt_and_not_a_new_catalog) {
  const Folder folder;
  std::ofstream(folder.file()).close();
  const auto opened = open_sqlite_catalog(folder.file(), false);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::corrupt);
  EXPECT_EQ(fs::file_size(folder.file()), 0u);
}

TEST(SqliteCatalog, a_file_of_rubbish_is_corrupt_and_left_alone) {
  const Folder folder;
  std::ofstream(folder.file()) << std::string(8192, 'r');
  const auto opened = open_sqlite_catalog(folder.file(), true);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::corrupt);
  EXPECT_EQ(opened.error().object, folder.file());
  EXPECT_FALSE(opened.error().advice.empty());
  EXPECT_EQ(fs::file_size(folder.file()), 8192u);
}

TEST(SqliteCatalog, damaged_pages_are_corrupt_when_they_are_read) {
  const Folder folder;
  {
    const auto catalog = open_sqlite_catalog(folder.file(), true);
    ASSERT_TRUE(catalog);
    for (uint8_t i = 0; i < 200; ++i)
      ASSERT_TRUE((*catalog)->add_client(make_client(std::string(200, 'n') + char(i), i)));
  }
  const auto size = fs::file_size(folder.file());
  // Behind the schema, where the clients' pages are.
  const auto from = size / 4 * 3 / 4096 * 4096;
  std::fstream file(folder.file(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(from));
  file << std::string(size - from, '\xee');
  file.close();
  const auto catalog = open_sqlite_catalog(folder.file(), false);
  ASSERT_TRUE(catalog);
  const auto clients = (*catalog)->clients();
  ASSERT_FALSE(clients);
  EXPECT_EQ(clients.error().code, Code::corrupt);
  EXPECT_EQ(clients.error().object, folder.file());
  EXPECT_FALSE((*catalog)->add_client(make_client("new", 201)));
}

TEST(SqliteCatalog, another_program_s_data_base_is_refused_and_left_alone) {
  const Folder folder;
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(folder.file().c_str(), &handle), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(handle, "CREATE TABLE theirs (a)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(handle);
  const auto before = fs::file_size(folder.file());
  const auto opened = open_sqlite_catalog(folder.file(), true);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::invalid);
  EXPECT_EQ(fs::file_size(folder.file()), before);
}

TEST(SqliteCatalog, the_journal_is_a_write_ahead_log) {
  const Folder folder;
  const auto catalog = open_sqlite_catalog(folder.file(), true);
  ASSERT_TRUE(catalog);
  auto connection = Connection::open(folder.file(), 1'000);
  ASSERT_TRUE(connection);
  EXPECT_EQ(
      (*connection)->integer("SELECT journal_mode = 'wal' FROM pragma_journal_mode").value_or(0),
      1);
}

TEST(SqliteCatalog, an_unhurried_change_leaves_the_next_one_waiting_for_the_disk) {
  const Folder folder;
  ASSERT_TRUE(open_sqlite_catalog(folder.file(), true));
  auto connection = Connection::open(folder.file(), 1'000);
  ASSERT_TRUE(connection);
  Connection& db = **connection;
  const auto level = [&] { return db.integer("SELECT synchronous FROM pragma_synchronous"); };
  ASSERT_TRUE(db.execute("PRAGMA synchronous = FULL"));
  EXPECT_EQ(make_unhurried(db, level).value_or(0), 1) << "NORMAL: the log is not synced";
  EXPECT_EQ(level().value_or(0), 2) << "FULL";
  const Status bad = make_unhurried(db, [&]() -> Status {
    CB_ASSIGN(Transaction transaction, Transaction::begin(db));
    return db.execute("INSERT INTO nowhere VALUES (1)");
  });
  EXPECT_FALSE(bad);
  EXPECT_EQ(level().value_or(0), 2) << "FULL after a change that failed, too";
}

TEST(SqliteCatalog, a_lock_that_is_never_freed_is_busy_and_worth_a_retry) {
  const Folder folder;
  ASSERT_TRUE(open_sqlite_catalog(folder.file(), true));
  auto holder = Connection::open(folder.file(), 0);
  auto waiter = Connection::open(folder.file(), 1);
  ASSERT_TRUE(holder && waiter);
  auto held = Transaction::begin(**holder);
  ASSERT_TRUE(held);
  const auto refused = Transaction::begin(**waiter);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::busy);
  EXPECT_EQ(refused.error().retry, Retry::yes);
}

TEST(SqliteCatalog, a_full_disk_is_no_space) {
  const Folder folder;
  ASSERT_TRUE(open_sqlite_catalog(folder.file(), true));
  auto connection = Connection::open(folder.file(), 0);
  ASSERT_TRUE(connection);
  ASSERT_TRUE((*connection)->execute("CREATE TABLE filler (b)"));
  ASSERT_TRUE((*connection)->integer("PRAGMA max_page_count = 1"));
  const auto full = (*connection)->execute("INSERT INTO filler VALUES (zeroblob(1000000))");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::no_space);
}

// The child of the next test: writes versions for ever and tells each acknowledged one.
[[noreturn]] void write_until_killed(const std::string& file, int out) {
  const LegacyClient alice = make_client("alice", 1);
  auto catalog = open_sqlite_catalog(file, true);
  if (!catalog) ::_exit(1);
  auto before = (*catalog)->versions(alice.id);
  if (!before) ::_exit(2);
  for (uint64_t i = before->size();; ++i) {
    auto number = (*catalog)->add_version(make_version(alice, "f", i + 1));
    if (!number) ::_exit(3);
    if (::write(out, &*number, sizeof *number) != sizeof *number) ::_exit(4);
  }
}

TEST(SqliteCatalog, what_was_acknowledged_survives_kill_9) {
  const Folder folder;
  const LegacyClient alice = make_client("alice", 1);
  {
    auto catalog = open_sqlite_catalog(folder.file(), true);
    ASSERT_TRUE(catalog);
    ASSERT_TRUE((*catalog)->add_client(alice));
  }
  for (int round = 0; round < 5; ++round) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe[0]);
      write_until_killed(folder.file(), pipe[1]);
    }
    ::close(pipe[1]);
    uint64_t acknowledged = 0;
    for (int i = 0; i < 20 + round; ++i)
      ASSERT_EQ(::read(pipe[0], &acknowledged, sizeof acknowledged),
                static_cast<ssize_t>(sizeof acknowledged));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int how = 0;
    ASSERT_EQ(::waitpid(child, &how, 0), child);
    ASSERT_TRUE(WIFSIGNALED(how));
    uint64_t late = 0;  // acknowledged between the last look and the kill
    while (::read(pipe[0], &late, sizeof late) == static_cast<ssize_t>(sizeof late))
      acknowledged = late;
    ::close(pipe[0]);
    auto catalog = open_sqlite_catalog(folder.file(), false);
    ASSERT_TRUE(catalog) << catalog.error().text();
    const auto versions = (*catalog)->versions(alice.id);
    ASSERT_TRUE(versions);
    EXPECT_GE(versions->size(), acknowledged);
    EXPECT_LE(versions->size(), acknowledged + 1);
    for (size_t i = 0; i < versions->size(); ++i) EXPECT_EQ((*versions)[i].version, i + 1);
  }
}

}  // namespace
}  // namespace cb::catalog
