-- SPDX-License-Identifier: Apache-2.0
-- A server on Windows: names padded with zeros, files found by their path.
CREATE TABLE clients (id BLOB PRIMARY KEY, name BLOB, public_key BLOB, last_seen TEXT);
CREATE TABLE files (client_id BLOB, name BLOB, path TEXT PRIMARY KEY, verified BOOLEAN);
INSERT INTO clients VALUES (x'0e000000000000000000000000000001',
  CAST('nora' AS BLOB) || zeroblob(251), NULL, '2022-12-24 18:00:00.5');
INSERT INTO files VALUES (x'0e000000000000000000000000000001', CAST('n.txt' AS BLOB) || zeroblob(250),
  'C:\Users\nora\backups\n.txt', 1);
