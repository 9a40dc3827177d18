// SPDX-License-Identifier: Apache-2.0
//
// The steps of the schema that catalogs have made: they never change. Used by migrations.cpp alone.
#pragma once

namespace cb::catalog {

// Names are blobs: v3 clients send any bytes. Times are nanoseconds since 1970 UTC.
inline constexpr const char* kVersion1 = R"sql(
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

// Protocol v4. owner: 0 what everybody sees, else the intake that alone sees it until it commits.
inline constexpr const char* kVersion2 = R"sql(
CREATE TABLE account (
  number       INTEGER PRIMARY KEY,
  name         BLOB NOT NULL UNIQUE,
  kind         INTEGER NOT NULL CHECK (kind IN (3, 4)),
  disabled     INTEGER NOT NULL CHECK (disabled IN (0, 1)),
  created_ns   INTEGER NOT NULL
) STRICT;
CREATE TABLE token (
  id           BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  secret_hash  BLOB NOT NULL CHECK (length(secret_hash) = 32),
  account      INTEGER NOT NULL REFERENCES account (number),
  expires_ns   INTEGER NOT NULL,
  used_by      BLOB CHECK (length(used_by) = 16)
) STRICT, WITHOUT ROWID;
CREATE TABLE device (
  id           BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  account      INTEGER NOT NULL REFERENCES account (number),
  public_key   BLOB NOT NULL CHECK (length(public_key) = 32),
  certificate  BLOB NOT NULL,
  role         INTEGER NOT NULL,
  state        INTEGER NOT NULL CHECK (state IN (0, 1, 2)),
  created_ns   INTEGER NOT NULL,
  last_seen_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX device_account ON device (account);
CREATE TABLE repository (
  number       INTEGER PRIMARY KEY,
  id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  account      INTEGER NOT NULL REFERENCES account (number),
  record       BLOB NOT NULL
) STRICT;
CREATE TABLE slot (
  repository   INTEGER NOT NULL REFERENCES repository (number),
  id           BLOB NOT NULL CHECK (length(id) = 16),
  record       BLOB NOT NULL,
  PRIMARY KEY (repository, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE intake (
  number       INTEGER PRIMARY KEY AUTOINCREMENT,
  repository   INTEGER NOT NULL REFERENCES repository (number),
  commit_id    BLOB CHECK (length(commit_id) = 16)
) STRICT;
CREATE TABLE session (
  repository   INTEGER NOT NULL REFERENCES repository (number),
  id           BLOB NOT NULL CHECK (length(id) = 16),
  owner        INTEGER NOT NULL,
  record       BLOB NOT NULL,
  PRIMARY KEY (repository, id, owner)
) STRICT, WITHOUT ROWID;
CREATE TABLE pack (
  number       INTEGER PRIMARY KEY,
  repository   INTEGER NOT NULL REFERENCES repository (number),
  owner        INTEGER NOT NULL,
  name         BLOB NOT NULL CHECK (length(name) = 16),
  class        INTEGER NOT NULL CHECK (class IN (1, 2)),
  size         INTEGER NOT NULL CHECK (size > 0),
  digest       BLOB NOT NULL CHECK (length(digest) = 16),
  created_ns   INTEGER NOT NULL,
  blobs        INTEGER NOT NULL CHECK (blobs >= 0),
  garbage      INTEGER NOT NULL CHECK (garbage >= 0),
  UNIQUE (repository, name)
) STRICT;
CREATE INDEX pack_owner ON pack (owner) WHERE owner <> 0;
CREATE TABLE blob (
  number       INTEGER PRIMARY KEY,
  repository   INTEGER NOT NULL REFERENCES repository (number),
  id           BLOB NOT NULL CHECK (length(id) = 32),
  owner        INTEGER NOT NULL,
  kind         INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 6),
  condemned    INTEGER NOT NULL CHECK (condemned IN (0, 1)),
  closed       INTEGER NOT NULL CHECK (closed IN (0, 1)),
  session      BLOB NOT NULL CHECK (length(session) = 16),
  pack         INTEGER NOT NULL REFERENCES pack (number),
  offset       INTEGER NOT NULL CHECK (offset > 0),
  size         INTEGER NOT NULL CHECK (size >= 0),
  children     BLOB NOT NULL CHECK (length(children) % 32 = 0),
  UNIQUE (repository, id, owner)
) STRICT;
CREATE INDEX blob_pack ON blob (pack, offset);
CREATE INDEX blob_owner ON blob (owner) WHERE owner <> 0;
CREATE TABLE snapshot (
  repository   INTEGER NOT NULL REFERENCES repository (number),
  id           BLOB NOT NULL CHECK (length(id) = 32),
  sequence     INTEGER NOT NULL,
  in_trash     INTEGER NOT NULL CHECK (in_trash IN (0, 1)),
  PRIMARY KEY (repository, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE commit_record (
  repository   INTEGER NOT NULL REFERENCES repository (number),
  sequence     INTEGER NOT NULL CHECK (sequence > 0),
  type         INTEGER NOT NULL CHECK (type BETWEEN 1 AND 4),
  snapshot     BLOB NOT NULL CHECK (length(snapshot) = 32),
  commit_id    BLOB NOT NULL CHECK (length(commit_id) = 16),
  hash         BLOB NOT NULL CHECK (length(hash) = 32),
  record       BLOB NOT NULL,
  PRIMARY KEY (repository, sequence)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX commit_id ON commit_record (repository, commit_id);
CREATE INDEX commit_snapshot ON commit_record (repository, snapshot);
)sql";

// v3 uploads lie in repositories. The old table is empty: a catalog where it is not is refused.
inline constexpr const char* kVersion3 = R"sql(
DROP TABLE legacy_version;
CREATE TABLE legacy_version (
  client       INTEGER NOT NULL REFERENCES legacy_client (number),
  file_name    BLOB NOT NULL,
  version      INTEGER NOT NULL CHECK (version > 0),
  size         INTEGER NOT NULL CHECK (size >= 0),
  cksum        INTEGER NOT NULL,
  snapshot     BLOB NOT NULL CHECK (length(snapshot) = 32),
  sequence     INTEGER NOT NULL CHECK (sequence > 0),
  stored_size  INTEGER NOT NULL CHECK (stored_size >= 0),
  created_ns   INTEGER NOT NULL,
  PRIMARY KEY (client, file_name, version)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX legacy_version_sequence ON legacy_version (client, sequence);
CREATE TABLE legacy_repository (
  client       INTEGER PRIMARY KEY REFERENCES legacy_client (number),
  record       BLOB NOT NULL,
  slot         BLOB NOT NULL
) STRICT;
)sql";

// Several devices in one repository: invites, passwords, and blobs that stay with whom they came
// from. blob.owner below 0 is a domain (index.h); two partial indexes serve what an owner checks
// and what a condemned blob opens again, and have no row in the common case or few.
inline constexpr const char* kVersion4 = R"sql(
ALTER TABLE account ADD COLUMN password_hash BLOB NOT NULL DEFAULT x'';
CREATE TABLE invite (
  number       INTEGER PRIMARY KEY,
  id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  account      INTEGER NOT NULL REFERENCES account (number),
  record       BLOB NOT NULL,
  proof_hash   BLOB NOT NULL CHECK (length(proof_hash) = 32),
  sealed_keys  BLOB NOT NULL,
  expires_ns   INTEGER NOT NULL,
  used_by      BLOB CHECK (length(used_by) = 16)
) STRICT;
CREATE INDEX invite_account ON invite (account);
CREATE TABLE domain (
  number       INTEGER PRIMARY KEY CHECK (number < -1),
  repository   INTEGER NOT NULL REFERENCES repository (number),
  device       BLOB NOT NULL CHECK (length(device) = 16),
  UNIQUE (repository, device)
) STRICT;
CREATE INDEX blob_foreign ON blob (repository) WHERE owner < 0 AND condemned = 0;
CREATE INDEX blob_closed ON blob (repository, owner) WHERE closed = 1 AND children <> x'';
)sql";

// A login looks for the repository of its account.
inline constexpr const char* kVersion5 = R"sql(
CREATE INDEX repository_account ON repository (account);
)sql";

// The way out of protocol 3. What was taken over lies in another repository than what comes after
// it, whose commits count from 1 again. legacy_policy.ratchet: -1 as the settings say.
inline constexpr const char* kVersion6 = R"sql(
ALTER TABLE legacy_version ADD COLUMN taken_over INTEGER NOT NULL DEFAULT 0
  CHECK (taken_over IN (0, 1));
DROP INDEX legacy_version_sequence;
CREATE UNIQUE INDEX legacy_version_sequence ON legacy_version (client, sequence)
  WHERE taken_over = 0;
CREATE TABLE legacy_policy (
  client           INTEGER PRIMARY KEY REFERENCES legacy_client (number),
  min_version      INTEGER NOT NULL CHECK (min_version IN (3, 4)),
  ratchet          INTEGER NOT NULL CHECK (ratchet IN (-1, 0, 1)),
  ended_ns         INTEGER NOT NULL,
  lifted_until_ns  INTEGER NOT NULL,
  allowed_until_ns INTEGER NOT NULL,
  key_replaced     INTEGER NOT NULL CHECK (key_replaced IN (0, 1)),
  imported_ns      INTEGER NOT NULL,
  migrated_ns      INTEGER NOT NULL
) STRICT;
CREATE TABLE legacy_use (
  client       INTEGER NOT NULL REFERENCES legacy_client (number),
  listener     BLOB NOT NULL,
  address      BLOB NOT NULL,
  first_ns     INTEGER NOT NULL,
  last_ns      INTEGER NOT NULL,
  logins       INTEGER NOT NULL CHECK (logins >= 0),
  uploads      INTEGER NOT NULL CHECK (uploads >= 0),
  bytes        INTEGER NOT NULL CHECK (bytes >= 0),
  PRIMARY KEY (client, listener, address)
) STRICT, WITHOUT ROWID;
)sql";

// The server keeps house. pack.verified_ns: when it was last read whole and good; retired_ns: since
// when no row of a blob is left in it. retention.source: empty for what counts for the whole
// repository, else device and source. job_run.ended_ns: 0 while it runs. What is in `wanted` was
// found damaged and is to be sent again.
inline constexpr const char* kVersion7 = R"sql(
ALTER TABLE pack ADD COLUMN verified_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pack ADD COLUMN is_bad INTEGER NOT NULL DEFAULT 0 CHECK (is_bad IN (0, 1));
ALTER TABLE pack ADD COLUMN retired_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE blob ADD COLUMN condemned_ns INTEGER NOT NULL DEFAULT 0;
CREATE INDEX pack_verified ON pack (repository, verified_ns);
CREATE INDEX blob_condemned ON blob (repository, pack) WHERE condemned = 1;
CREATE TABLE retention (
  repository   INTEGER NOT NULL REFERENCES repository (number),
  source       BLOB NOT NULL CHECK (length(source) IN (0, 48)),
  rules        TEXT NOT NULL,
  set_ns       INTEGER NOT NULL,
  set_by       BLOB NOT NULL,
  PRIMARY KEY (repository, source)
) STRICT, WITHOUT ROWID;
CREATE TABLE pin (
  repository   INTEGER NOT NULL REFERENCES repository (number),
  snapshot     BLOB NOT NULL CHECK (length(snapshot) = 32),
  until_ns     INTEGER NOT NULL,
  reason       BLOB NOT NULL,
  set_ns       INTEGER NOT NULL,
  set_by       BLOB NOT NULL,
  PRIMARY KEY (repository, snapshot)
) STRICT, WITHOUT ROWID;
CREATE TABLE approval (
  number       INTEGER PRIMARY KEY AUTOINCREMENT,
  what         TEXT NOT NULL,
  repository   INTEGER NOT NULL,
  detail       TEXT NOT NULL,
  asked_by     BLOB NOT NULL,
  asked_ns     INTEGER NOT NULL,
  approved_by  BLOB NOT NULL,
  approved_ns  INTEGER NOT NULL,
  used_ns      INTEGER NOT NULL
) STRICT;
CREATE TABLE job_run (
  number       INTEGER PRIMARY KEY AUTOINCREMENT,
  job          TEXT NOT NULL,
  asked_by     BLOB NOT NULL,
  due_ns       INTEGER NOT NULL,
  begun_ns     INTEGER NOT NULL,
  ended_ns     INTEGER NOT NULL,
  outcome      INTEGER NOT NULL CHECK (outcome BETWEEN 0 AND 5),
  summary      BLOB NOT NULL,
  detail       TEXT NOT NULL
) STRICT;
CREATE INDEX job_run_job ON job_run (job, number);
CREATE TABLE wanted (
  repository   INTEGER NOT NULL REFERENCES repository (number),
  id           BLOB NOT NULL CHECK (length(id) = 32),
  domain       INTEGER NOT NULL,
  kind         INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 6),
  since_ns     INTEGER NOT NULL,
  PRIMARY KEY (repository, id, domain)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
  sequence     INTEGER PRIMARY KEY CHECK (sequence > 0),
  record       BLOB NOT NULL,
  hash         BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
)sql";

}  // namespace cb::catalog
