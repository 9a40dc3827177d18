// SPDX-License-Identifier: Apache-2.0
//
// The catalog: what the server knows about accounts and their backups. Abstract, so that another
// data base can stand behind it; thread-safe; functions block and belong on a worker. Every change
// is durable when the function returns, unless said otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/id.h"
#include "core/catalog/accounts.h"
#include "core/catalog/audit.h"
#include "core/catalog/collection.h"
#include "core/catalog/drills.h"
#include "core/catalog/index.h"
#include "core/catalog/jobs.h"
#include "core/catalog/legacy.h"
#include "core/catalog/limits.h"
#include "core/catalog/replication.h"
#include "core/catalog/retention.h"
#include "core/catalog/sources.h"
#include "core/catalog/verification.h"

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
  Bytes32 snapshot{};     // of the client's repository, with all its files as they were then
  uint64_t sequence = 0;  // of the commit
  uint64_t stored_size = 0;
  int64_t created_ns = 0;
  bool taken_over = false;  // lies in a repository that has an owner; not looked at by add_version
};

// A v3 client's repository: both as records of the repository format.
struct LegacyRepository {
  Bytes record;
  Bytes slot;  // its keys, sealed to the server's key
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

  // The parts beside protocol v3; they live as long as the catalog.
  virtual Accounts& accounts() = 0;
  virtual Index& index() = 0;
  virtual Audit& audit() = 0;
  virtual Retention& retention() = 0;
  virtual Collection& collection() = 0;
  virtual Jobs& jobs() = 0;
  virtual Sources& sources() = 0;
  virtual Drills& drills() = 0;
  virtual Verification& verification() = 0;
  virtual Limits& limits() = 0;
  virtual Replication& replication() = 0;

  // What is wrong with the file itself, a sentence each; nothing when it is sound. Reads all of it
  // beside everything else that goes on; `thorough` compares tables with their indexes, too.
  virtual Result<std::vector<std::string>> damage(bool thorough) = 0;

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
  // The one that was committed last, of any file, of those that were not taken over; nothing when
  // there is none.
  virtual Result<std::optional<LegacyVersion>> newest_version(const ClientId& client) = 0;

  // Code::exists when the client has one, Code::not_found when the client is unknown.
  virtual Status add_legacy_repository(const ClientId& client,
                                       const LegacyRepository& repository) = 0;
  virtual Result<std::optional<LegacyRepository>> legacy_repository(const ClientId& client) = 0;
  // The client's repository has an owner now: the keys that are kept here go, what was uploaded
  // counts as taken over, and the policy says since when. All of it or nothing. Once done it is
  // never done again, since what is here then belongs to a later repository. Code::not_found when
  // the client is unknown.
  virtual Status take_over_legacy(const ClientId& client, int64_t now_ns) = 0;

  // Code::not_found when the client is unknown.
  virtual Result<LegacyPolicy> legacy_policy(const ClientId& client) = 0;
  // Changes it as `change` does, in one transaction; `change` uses nothing of the catalog.
  // Code::not_found when the client is unknown.
  virtual Status change_legacy_policy(const ClientId& client,
                                      const std::function<void(LegacyPolicy&)>& change) = 0;
  // Adds the counts to those of this listener and address, and widens the times. Only the newest
  // kLegacyAddresses addresses of a listener are kept; what is dropped is added to the one with no
  // address. Becomes durable with the next change. Code::not_found when the client is unknown.
  virtual Status note_legacy_use(const ClientId& client, const LegacyUse& more) = 0;
  // By listener, then address; none for an unknown client.
  virtual Result<std::vector<LegacyUse>> legacy_uses(const ClientId& client) = 0;

  virtual Result<Totals> totals() = 0;
};

// Opens the SQLite catalog, makes it if `create`, and migrates older schemas forward. Refuses one
// made by a newer program (Code::unsupported), a data base of another program (Code::invalid) and a
// damaged file (Code::corrupt); without `create` a missing file is Code::not_found. Several
// processes may have it open.
Result<std::unique_ptr<Catalog>> open_sqlite_catalog(const std::string& file, bool create);

}  // namespace cb::catalog
