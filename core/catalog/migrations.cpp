// SPDX-License-Identifier: Apache-2.0
//
// Schema steps and how they are applied.
#include "core/catalog/migrations.h"

#include <array>

#include "core/base/trial.h"
#include "core/catalog/past_schemas.h"

namespace cb::catalog {
namespace {

// What the server limits, watches and copies.
constexpr const char* kVersion8 = R"sql(
-- limits: what an account or a device may store, and what it does store. A device of zeros is the
-- account, or, of stored bytes, the server itself and whatever was there before. A pack that is
-- retired counts for nobody. Sums never go below zero: damage must not keep packs from going.
CREATE TABLE limit_value (
  account      INTEGER NOT NULL REFERENCES account (number),
  device       BLOB NOT NULL CHECK (length(device) = 16),
  name         TEXT NOT NULL,
  value        INTEGER NOT NULL CHECK (value >= 0),
  set_ns       INTEGER NOT NULL,
  set_by       BLOB NOT NULL,
  PRIMARY KEY (account, device, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE over_soft (
  account      INTEGER NOT NULL REFERENCES account (number),
  device       BLOB NOT NULL CHECK (length(device) = 16),
  since_ns     INTEGER NOT NULL,
  PRIMARY KEY (account, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE pack_share (
  pack         INTEGER NOT NULL REFERENCES pack (number) ON DELETE CASCADE,
  device       BLOB NOT NULL CHECK (length(device) = 16),
  repository   INTEGER NOT NULL,
  bytes        INTEGER NOT NULL,
  PRIMARY KEY (pack, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE stored_usage (
  repository   INTEGER NOT NULL,
  device       BLOB NOT NULL CHECK (length(device) = 16),
  pack_bytes   INTEGER NOT NULL,
  record_bytes INTEGER NOT NULL,
  growth       INTEGER NOT NULL,
  PRIMARY KEY (repository, device)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER pack_share_added AFTER INSERT ON pack_share BEGIN
  INSERT INTO stored_usage (repository, device, pack_bytes, record_bytes, growth)
    VALUES (new.repository, new.device, new.bytes, 0, 0)
    ON CONFLICT DO UPDATE SET pack_bytes = pack_bytes + excluded.pack_bytes;
END;
CREATE TRIGGER pack_share_changed AFTER UPDATE OF bytes ON pack_share BEGIN
  UPDATE stored_usage SET pack_bytes = max(0, pack_bytes + new.bytes - old.bytes)
    WHERE repository = new.repository AND device = new.device;
END;
CREATE TRIGGER pack_share_gone AFTER DELETE ON pack_share BEGIN
  UPDATE stored_usage SET pack_bytes = max(0, pack_bytes - old.bytes)
    WHERE repository = old.repository AND device = old.device;
END;
CREATE TRIGGER pack_retired AFTER UPDATE OF retired_ns ON pack WHEN new.retired_ns > 0 BEGIN
  DELETE FROM pack_share WHERE pack = new.number;
END;
INSERT INTO pack_share SELECT number, zeroblob(16), repository, size FROM pack
  WHERE retired_ns = 0;
INSERT INTO stored_usage
  SELECT repository, zeroblob(16), 0, sum(length(record)), 0 FROM commit_record
    WHERE true GROUP BY repository
  ON CONFLICT DO UPDATE SET record_bytes = excluded.record_bytes;

-- sources: when a source is expected, and what its backups are like (figures and claim: numbers of
-- 64 bits, little-endian, in the order of core/catalog/sources.h)
CREATE TABLE source_wish (
  repository   INTEGER NOT NULL REFERENCES repository (number),
  source       BLOB NOT NULL CHECK (length(source) IN (0, 48)),
  never        INTEGER NOT NULL CHECK (never IN (0, 1)),
  every_ns     INTEGER NOT NULL,
  tolerance_ns INTEGER NOT NULL,
  set_ns       INTEGER NOT NULL,
  set_by       BLOB NOT NULL,
  PRIMARY KEY (repository, source)
) STRICT, WITHOUT ROWID;
CREATE TABLE source_state (
  repository   INTEGER NOT NULL REFERENCES repository (number),
  source       BLOB NOT NULL CHECK (length(source) = 48),
  expected_ns  INTEGER NOT NULL,
  late_ns      INTEGER NOT NULL,
  basis        BLOB NOT NULL,
  overdue_ns   INTEGER NOT NULL,
  frozen_ns    INTEGER NOT NULL,
  froze_ns     INTEGER NOT NULL,
  normal       BLOB NOT NULL CHECK (length(normal) IN (0, 32)),
  reason       BLOB NOT NULL,
  PRIMARY KEY (repository, source)
) STRICT, WITHOUT ROWID;
CREATE TABLE source_backup (
  repository   INTEGER NOT NULL REFERENCES repository (number),
  source       BLOB NOT NULL CHECK (length(source) = 48),
  sequence     INTEGER NOT NULL,
  snapshot     BLOB NOT NULL CHECK (length(snapshot) = 32),
  time_ns      INTEGER NOT NULL,
  is_compared  INTEGER NOT NULL CHECK (is_compared IN (0, 1)),
  figures      BLOB NOT NULL CHECK (length(figures) = 88),
  claim        BLOB NOT NULL CHECK (length(claim) IN (0, 56)),
  score        INTEGER NOT NULL CHECK (score BETWEEN 0 AND 100),
  is_odd       INTEGER NOT NULL CHECK (is_odd IN (0, 1)),
  reasons      BLOB NOT NULL,
  PRIMARY KEY (repository, source, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE source_claim (repository INTEGER NOT NULL REFERENCES repository (number),
  snapshot     BLOB NOT NULL CHECK (length(snapshot) = 32),
  claim        BLOB NOT NULL CHECK (length(claim) = 56),
  PRIMARY KEY (repository, snapshot)
) STRICT, WITHOUT ROWID;
CREATE TABLE source_look (repository INTEGER PRIMARY KEY REFERENCES repository (number),
  sequence     INTEGER NOT NULL) STRICT;
CREATE TABLE alarm (name BLOB PRIMARY KEY, since_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;


-- drills: what devices said of restores that they tried
CREATE TABLE drill (
  repository   INTEGER NOT NULL REFERENCES repository (number),
  device       BLOB NOT NULL CHECK (length(device) = 16),
  time_ns      INTEGER NOT NULL,
  received_ns  INTEGER NOT NULL,
  failed       INTEGER NOT NULL CHECK (failed IN (0, 1)),
  passed_ns    INTEGER NOT NULL,
  record       BLOB NOT NULL,
  PRIMARY KEY (repository, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE drill_missing (
  repository   INTEGER PRIMARY KEY REFERENCES repository (number),
  since_ns     INTEGER NOT NULL
) STRICT;

-- replication: what comes from, or goes to, another server
CREATE TABLE replica_token (
  number       INTEGER PRIMARY KEY,
  id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  secret_hash  BLOB NOT NULL CHECK (length(secret_hash) = 32),
  name         BLOB NOT NULL,
  all_accounts INTEGER NOT NULL CHECK (all_accounts IN (0, 1)),
  created_ns   INTEGER NOT NULL,
  last_seen_ns INTEGER NOT NULL,
  last_address BLOB NOT NULL
) STRICT;
CREATE TABLE replica_grant (
  token        INTEGER NOT NULL REFERENCES replica_token (number),
  account      INTEGER NOT NULL REFERENCES account (number),
  PRIMARY KEY (token, account)
) STRICT, WITHOUT ROWID;
CREATE TABLE replica_source (
  name             BLOB NOT NULL PRIMARY KEY,
  servers          BLOB NOT NULL, accounts BLOB NOT NULL,
  pin              BLOB NOT NULL CHECK (length(pin) = 32),
  removes_vanished INTEGER NOT NULL CHECK (removes_vanished IN (0, 1)),
  heals_only       INTEGER NOT NULL CHECK (heals_only IN (0, 1)),
  added_ns         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE replica (
  repository    INTEGER PRIMARY KEY REFERENCES repository (number),
  source        BLOB NOT NULL,
  server_key    BLOB NOT NULL CHECK (length(server_key) = 32),
  keeps_removed INTEGER NOT NULL CHECK (keeps_removed IN (0, 1))
) STRICT;
CREATE TABLE replica_absent (
  repository   INTEGER NOT NULL REFERENCES repository (number),
  snapshot     BLOB NOT NULL CHECK (length(snapshot) = 32),
  dropped      INTEGER NOT NULL CHECK (dropped IN (0, 1)),
  in_trash     INTEGER NOT NULL CHECK (in_trash IN (0, 1)),
  PRIMARY KEY (repository, snapshot)
) STRICT, WITHOUT ROWID;
CREATE TABLE replica_pull (
  source       BLOB NOT NULL,
  account      BLOB NOT NULL,
  tried_ns     INTEGER NOT NULL, good_ns INTEGER NOT NULL,
  head         INTEGER NOT NULL CHECK (head >= 0),
  blobs        INTEGER NOT NULL CHECK (blobs >= 0),
  bytes        INTEGER NOT NULL CHECK (bytes >= 0),
  healed       INTEGER NOT NULL CHECK (healed >= 0),
  trouble      BLOB NOT NULL,
  PRIMARY KEY (source, account)
) STRICT, WITHOUT ROWID;
)sql";

// Signatures and recipes of a domain, the newest first.
constexpr const char* kVersion9 = R"sql(
CREATE INDEX blob_weak ON blob (repository, owner) WHERE kind IN (2, 3) AND condemned = 0;
)sql";

constexpr std::array<const char*, 9> kSteps = {kVersion1, kVersion2, kVersion3,
                                               kVersion4, kVersion5, kVersion6,
                                               kVersion7, kVersion8, kVersion9};

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
  trial::passed("catalog.stepped");
  return true;
}

}  // namespace

std::span<const char* const> migrations() { return kSteps; }

Status migrate(Connection& connection, std::span<const char* const> steps) {
  // Read without the write lock first: opening a catalog that is up to date must not wait for one.
  // Any other may be in the hands of somebody who brings it forward, and is judged under the lock.
  CB_ASSIGN(const int64_t version, connection.integer("PRAGMA user_version"));
  if (version >= static_cast<int64_t>(steps.size()))
    return check_identity(connection, version, steps.size());
  for (;;) {
    CB_ASSIGN(const bool done_one, step_once(connection, steps));
    if (!done_one) return {};
  }
}

}  // namespace cb::catalog
