-- SPDX-License-Identifier: Apache-2.0
-- A server with lower-case columns, a folder for each client, and absolute paths.
CREATE TABLE clients (id BLOB PRIMARY KEY, name VARCHAR(255), public_key BLOB, last_seen DATETIME,
  aes_key BLOB);
CREATE TABLE files (client_id TEXT, file_name VARCHAR(255), path_name VARCHAR(255),
  verified INTEGER, PRIMARY KEY (client_id, file_name)) WITHOUT ROWID;
INSERT INTO clients VALUES (x'0b000000000000000000000000000001', 'beate', NULL, NULL, NULL);
INSERT INTO files VALUES ('0b000000-0000-0000-0000-000000000001', 'b.txt',
  '/srv/old/files/0b000000-0000-0000-0000-000000000001/b.txt', 1);
INSERT INTO files VALUES ('0b000000-0000-0000-0000-000000000001', 'c.txt',
  '/srv/old/files/../../../etc/passwd', 1);
