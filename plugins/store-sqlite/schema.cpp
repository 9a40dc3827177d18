// SPDX-License-Identifier: Apache-2.0
//
// See schema.h.
#include "schema.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "cyberbackup/cpp/failure.hpp"

namespace store_sqlite {

namespace sdk = cyberbackup::sdk;

namespace {

constexpr int64_t kApplication = 0x43427374;  // "CBst"
constexpr int64_t kFormat = 1;

// Big pages suit big blobs. Free pages are given back to the system in steps (see purger.h).
constexpr const char* kBeforeTables = "PRAGMA page_size = 16384; PRAGMA auto_vacuum = INCREMENTAL;";

constexpr const char* kTables = R"sql(
CREATE TABLE object (
  name TEXT NOT NULL PRIMARY KEY,
  content INTEGER NOT NULL,
  length INTEGER NOT NULL,
  modified_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE content (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  state INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  segment_size INTEGER NOT NULL
);
CREATE INDEX content_to_clean ON content (state, owner) WHERE state <> 1;
CREATE TABLE segment (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
PRAGMA application_id = 1128428404;
PRAGMA user_version = 1;
)sql";
static_assert(kApplication == 1128428404 && kFormat == 1);

bool is_new(Connection& file) {
  return file.number("PRAGMA application_id") == 0 && file.number("PRAGMA user_version") == 0 &&
         file.number("SELECT count(*) FROM sqlite_schema") == 0;
}

void make_tables(Connection& file) {
  file.run(kBeforeTables);
  file.run("BEGIN EXCLUSIVE");
  try {
    // Another process may have been first.
    if (is_new(file)) file.run(kTables);
    file.run("COMMIT");
  } catch (...) {
    if (::sqlite3_get_autocommit(file.get()) == 0)
      ::sqlite3_exec(file.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

void check_format(Connection& file) {
  const int64_t application = file.number("PRAGMA application_id");
  const int64_t format = file.number("PRAGMA user_version");
  if (application != kApplication)
    throw sdk::Failure(CB_E_INVALID, file.path() + " is a database of another program", 0,
                       CB_ERROR_PERMANENT);
  if (format > kFormat)
    throw sdk::Failure(CB_E_UNSUPPORTED,
                       file.path() + " was made by a newer store-sqlite: format " +
                           std::to_string(format) + ", this one knows " + std::to_string(kFormat),
                       0, CB_ERROR_PERMANENT);
  if (format < kFormat)
    throw sdk::Failure(CB_E_CORRUPT,
                       file.path() + " has the unknown format " + std::to_string(format), 0,
                       CB_ERROR_PERMANENT);
}

// Switching to the log needs the file alone for a moment, and SQLite does not wait for that.
void switch_to_log(Connection& file, std::chrono::milliseconds patience) {
  constexpr int kStep = 10;
  for (int64_t waited = 0;; waited += kStep) {
    try {
      Query query(file, "PRAGMA journal_mode = WAL");
      if (query.row() && query.text(0) == "wal") return;
      throw sdk::Failure(CB_E_UNSUPPORTED,
                         file.path() + " lies on a file system without shared memory for SQLite", 0,
                         CB_ERROR_PERMANENT);
    } catch (const sdk::Failure& failure) {
      if (failure.status() != CB_E_BUSY || waited >= patience.count()) throw;
    }
    ::sqlite3_sleep(kStep);
  }
}

// Makes an empty file that only its owner may read; SQLite itself would let everybody read it. Only
// a file that is new may be closed here: closing another would drop SQLite's locks on it.
void make_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0)
    ::close(fd);
  else if (errno != EEXIST)
    throw sdk::os_failure(errno, "cannot make " + path);
}

void sync_folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == 0 ? "/" : path.substr(0, slash);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int result = fd < 0 ? -1 : ::fsync(fd);
  const int os_errno = errno;
  if (fd >= 0) ::close(fd);
  if (result != 0) throw sdk::os_failure(os_errno, "cannot make durable " + folder);
}

}  // namespace

void prepare_file(const Opening& opening) {
  if (opening.create) make_file(opening.path);
  Connection file(opening.path, opening.create, opening.patience);
  const bool fresh = is_new(file);
  if (fresh && !opening.create)
    throw sdk::Failure(CB_E_NOT_FOUND, opening.path + " is empty", 0, CB_ERROR_PERMANENT);
  if (fresh) make_tables(file);
  check_format(file);
  switch_to_log(file, opening.patience);
  if (fresh) sync_folder_of(opening.path);
}

std::unique_ptr<Connection> open_connection(const Opening& opening, int64_t cache) {
  auto made = std::make_unique<Connection>(opening.path, false, opening.patience);
  made->run(
      "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = OFF;"
      "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
      "PRAGMA max_page_count = 4294967294;");
  made->run(("PRAGMA cache_size = -" + std::to_string(cache / 1024)).c_str());
  return made;
}

}  // namespace store_sqlite
