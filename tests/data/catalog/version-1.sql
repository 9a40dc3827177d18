-- SPDX-License-Identifier: Apache-2.0
-- A catalog of schema version 1, as sqlite3's .dump writes it. Never edited.
BEGIN TRANSACTION;
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
INSERT INTO legacy_client VALUES(1,X'000102030405060708090a0b0c0d0e0f',X'616c696365',X'3081',2,1,1700000000000000000,1700000000000000001,X'3132372e302e302e31');
INSERT INTO legacy_client VALUES(2,X'f00102030405060708090a0b0c0d0e0f',X'fffe',X'',0,0,1700000000000000002,1700000000000000003,X'');
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
INSERT INTO legacy_version VALUES(1,X'66',1,10,4294967295,X'76332f616c6963652f31',8,1700000000000000004);
INSERT INTO legacy_version VALUES(1,X'66',2,20,1,X'76332f616c6963652f32',9,1700000000000000005);
COMMIT;
PRAGMA application_id = 1128424308;
PRAGMA user_version = 1;
