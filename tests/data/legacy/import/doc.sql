-- SPDX-License-Identifier: Apache-2.0
-- The schema of a description that no server used: ids as hex.
CREATE TABLE clients (ID VARCHAR(32) PRIMARY KEY, Name TEXT, PublicKey BLOB, LastSeen TEXT);
CREATE TABLE files (ID INTEGER PRIMARY KEY, ClientID VARCHAR(32), FileName TEXT, PathName TEXT,
  Verified BOOLEAN);
INSERT INTO clients VALUES ('0D00000000000000000000000000000F', 'dora', NULL, '2024-01-02 03:04:05');
INSERT INTO clients VALUES ('not-an-id', 'nobody', NULL, '');
INSERT INTO files VALUES (1, '0d00000000000000000000000000000f', 'd.txt',
  'received_files/d.txt', 'True');
INSERT INTO files VALUES (2, 'neither', 'e.txt', 'received_files/e.txt', 0);
