// SPDX-License-Identifier: Apache-2.0
//
// The catalog: what the server knows about accounts and their backups. Abstract, so that another
// data base can stand behind it; thread-safe; functions block and belong on a worker. Every change
// is durable when the function returns.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/id.h"

namespace cb::catalog {

// Which OAEP hash a v3 client can open (legacy-protocol 5).
enum class OaepHash { unknown, sha256, sha1 };

// A client of protocol v3. Its name is unique; the account of the same number belongs to it alone.
struct LegacyClient {
  ClientId id;
  std::string name;  // bytes as sent, without the zero padding
  Bytes public_key;  // DER SubjectPublicKeyInfo; empty before 1026
  OaepHash oaep = OaepHash::unknown;
  bool oaep_proven = false;  // a good upload was opened with it
  int64_t created_ns = 0;    // since 1970 UTC
  int64_t last_seen_ns = 0;
  std::string last_address;
};

// One confirmed upload. Versions of a file count from 1.
struct LegacyVersion {
  ClientId client;
  std::string file_name;  // as stored: the last component of the sent name
  uint64_t version = 0;   // set by add_version
  uint64_t size = 0;      // plain bytes
  uint32_t cksum = 0;     // POSIX cksum of the plain bytes
  std::string object;     // name in the store
  uint64_t stored_size = 0;
  int64_t created_ns = 0;
};

struct Totals {
  uint64_t clients = 0;
  uint64_t versions = 0;
  uint64_t plain_bytes = 0;
  uint64_t stored_bytes = 0;
};

class Catalog {
 public:
  virtual ~Catalog() = default;

  // Code::exists when the name or the id is taken.
  virtual Status add_client(const LegacyClient& client) = 0;
  // Nothing when there is none.
  virtual Result<std::optional<LegacyClient>> client_by_id(const ClientId& id) = 0;
  virtual Result<std::optional<LegacyClient>> client_by_name(const std::string& name) = 0;
  // By name.
  virtual Result<std::vector<LegacyClient>> clients() = 0;
  // Each Code::not_found when the client is unknown.
  virtual Status set_public_key(const ClientId& id, ByteView public_key) = 0;
  virtual Status set_oaep(const ClientId& id, OaepHash hash, bool proven) = 0;
  virtual Status touch(const ClientId& id, int64_t seen_ns, const std::string& address) = 0;

  // Adds the next version of client + file_name and returns its number.
  virtual Result<uint64_t> add_version(const LegacyVersion& version) = 0;
  // By file name, then version.
  virtual Result<std::vector<LegacyVersion>> versions(const ClientId& client) = 0;
  // Every object name that a version refers to (for finding leftovers), in order.
  virtual Result<std::vector<std::string>> objects() = 0;

  virtual Result<Totals> totals() = 0;
};

// Opens the SQLite catalog, makes it if `create`, and migrates older schemas forward. Refuses one
// made by a newer program (Code::unsupported), a data base of another program (Code::invalid) and a
// damaged file (Code::corrupt); without `create` a missing file is Code::not_found. Several
// processes may have it open.
Result<std::unique_ptr<Catalog>> open_sqlite_catalog(const std::string& file, bool create);

}  // namespace cb::catalog
