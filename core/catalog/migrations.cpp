// SPDX-License-Identifier: Apache-2.0
//
// Schema steps and how they are applied.
#include "core/catalog/migrations.h"

#include <array>

namespace cb::catalog {
namespace {

// Names are blobs: v3 clients send any bytes. Times are nanoseconds since 1970 UTC.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE legacy_client (
  number       INTEGER PRIMARY KEY,
  id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  name         BLOB NOT NULL UNIQUE,
  public_key   BLOB NOT NULL,
  oaep         INTEGER NOT NULL CHECK (oaep IN (0, 1, 2)),
  oaep_proven  INTEGER NOT NULL CHECK (oaep_proven IN (0, 1)),
  created_ns   INTEGER NOT NULL,
  last_seen_ns INTEGER NOT NULL,
  last_address BLOB NOT NULL
) STRICT;
CREATE TABLE legacy_version (
  client       INTEGER NOT NULL REFERENCES legacy_client (number),
  file_name    BLOB NOT NULL,
  version      INTEGER NOT NULL CHECK (version > 0),
  size         INTEGER NOT NULL CHECK (size >= 0),
  cksum        INTEGER NOT NULL,
  object       BLOB NOT NULL UNIQUE,
  stored_size  INTEGER NOT NULL CHECK (stored_size >= 0),
  created_ns   INTEGER NOT NULL,
  PRIMARY KEY (client, file_name, version)
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::array<const char*, 1> kSteps = {kVersion1};

Status check_identity(Connection& connection, int64_t version, size_t known) {
  CB_ASSIGN(const int64_t application, connection.integer("PRAGMA application_id"));
  CB_ASSIGN(const int64_t tables, connection.integer("SELECT count(*) FROM sqlite_schema"));
  const bool empty = application == 0 && version == 0 && tables == 0;
  if (!empty && application != kApplicationId)
    return failed(Code::invalid, connection.file(), "is a data base of another program",
                  "name the catalog's own file");
  if (version > static_cast<int64_t>(known))
    return failed(Code::unsupported, connection.file(),
                  "has schema version " + std::to_string(version) + ", this program knows up to " +
                      std::to_string(known),
                  "use the newer program that wrote it; catalogs are never taken back");
  return {};
}

// Does the next missing step, if any; true when one was done.
Result<bool> step_once(Connection& connection, std::span<const char* const> steps) {
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  CB_ASSIGN(const int64_t version, connection.integer("PRAGMA user_version"));
  CB_TRY(check_identity(connection, version, steps.size()));
  if (version == static_cast<int64_t>(steps.size())) return false;
  CB_TRY(connection.execute(steps[static_cast<size_t>(version)]));
  const std::string mark = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                           "; PRAGMA user_version = " + std::to_string(version + 1);
  CB_TRY(connection.execute(mark.c_str()));
  CB_TRY(transaction.commit());
  return true;
}

}  // namespace

std::span<const char* const> migrations() { return kSteps; }

Status migrate(Connection& connection, std::span<const char* const> steps) {
  // Read without the write lock first: opening a catalog that is up to date must not wait for one.
  CB_ASSIGN(const int64_t version, connection.integer("PRAGMA user_version"));
  CB_TRY(check_identity(connection, version, steps.size()));
  if (version == static_cast<int64_t>(steps.size())) return {};
  for (;;) {
    CB_ASSIGN(const bool done_one, step_once(connection, steps));
    if (!done_one) return {};
  }
}

}  // namespace cb::catalog
