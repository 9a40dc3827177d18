// SPDX-License-Identifier: Apache-2.0
//
// Copies of repositories on other servers (docs/replication.md): who may copy from here, from whom
// this server copies, and what it knows of each copy. Abstract; thread-safe; functions block and
// belong on a worker. Every change is durable when the function returns, and each function is one
// transaction. Times are nanoseconds since 1970 UTC; `repository` is a repository's number.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/catalog/index.h"

namespace cb::catalog {

// Lets another server copy repositories of this one.
struct ReplicaToken {
  Bytes16 id{};
  Bytes32 secret_hash{};  // SHA-256 of the secret
  std::string name;       // what the operator calls who has it
  bool all_accounts = false;
  std::vector<int64_t> accounts;  // numbers, ascending; empty with all_accounts
  int64_t created_ns = 0;
  int64_t last_seen_ns = 0;  // 0: never
  std::string last_address;
};

// A server that this one copies from, as an operator's command noted it. The secret is elsewhere.
struct ReplicaSource {
  std::string name;                   // unique
  std::vector<std::string> servers;   // "host:port"
  Bytes32 pin{};                      // SHA-256 of its SubjectPublicKeyInfo
  std::vector<std::string> accounts;  // only these; none: all that it lets be seen
  bool removes_vanished = false;      // what the source removes goes here, too
  bool heals_only = false;            // damaged blobs are fetched, and nothing else
  int64_t added_ns = 0;
};

// A repository that is a copy of another server's.
struct ReplicaRow {
  int64_t repository = 0;
  std::string source;          // its name
  Bytes32 server_key{};        // signs the chain of commits
  bool keeps_removed = false;  // what the source removes stays here
};

// A commit whose snapshot is not here.
struct AbsentSnapshot {
  Bytes32 snapshot{};
  bool dropped = false;   // removed here, by a rule of this server; else it did not come yet
  bool in_trash = false;  // of the source, as its chain says
};

// What came of copying an account of a source, the last time and in all.
struct ReplicaPull {
  std::string source;
  std::string account;
  int64_t tried_ns = 0;
  int64_t good_ns = 0;  // when all that the source had was here; 0: never
  uint64_t head = 0;    // the newest commit of the source, when it was asked
  uint64_t blobs = 0;   // that were fetched
  uint64_t bytes = 0;   // of those, stored bytes
  uint64_t healed = 0;  // damaged blobs that were fetched anew
  std::string trouble;  // why it does not go on; empty: it does
};

class Replication {
 public:
  virtual ~Replication() = default;

  // Code::exists when the id is taken, Code::not_found without one of the accounts.
  virtual Status add_token(const ReplicaToken& token) = 0;
  virtual Result<std::optional<ReplicaToken>> token_by_id(const Bytes16& id) = 0;
  // Oldest first.
  virtual Result<std::vector<ReplicaToken>> tokens() = 0;
  // Each Code::not_found.
  virtual Status touch_token(const Bytes16& id, int64_t seen_ns, const std::string& address) = 0;
  virtual Status remove_token(const Bytes16& id) = 0;

  // Code::exists when the name is taken.
  virtual Status add_source(const ReplicaSource& source) = 0;
  // By name.
  virtual Result<std::vector<ReplicaSource>> sources() = 0;
  // What is known of its pulls goes with it. Code::not_found.
  virtual Status remove_source(const std::string& name) = 0;

  // A repository that is a copy from its beginning; `row.repository` is not looked at. Returns its
  // number. Code::exists when the id is taken, Code::not_found without the account.
  virtual Result<int64_t> add_replica(const Bytes16& id, const std::string& account,
                                      ByteView record, const ReplicaRow& row) = 0;
  // Adds or replaces what is known of a repository.
  virtual Status set_replica(const ReplicaRow& row) = 0;
  // Nothing when the repository is this server's own.
  virtual Result<std::optional<ReplicaRow>> replica(int64_t repository) = 0;

  // By snapshot.
  virtual Result<std::vector<AbsentSnapshot>> absent(int64_t repository) = 0;
  virtual Result<std::optional<AbsentSnapshot>> absent(int64_t repository,
                                                       const Bytes32& snapshot) = 0;
  virtual Status set_absent(int64_t repository, const AbsentSnapshot& snapshot) = 0;
  // Not an error when it is not there.
  virtual Status clear_absent(int64_t repository, const Bytes32& snapshot) = 0;
  // The snapshot is no longer here: dropped from now on. Code::not_found when it is not here.
  virtual Status drop_snapshot(int64_t repository, const Bytes32& snapshot) = 0;
  // What is absent is here from now on; `walked` are blobs below it that are closed now.
  // Code::not_found when it is not absent, or no commit made it.
  virtual Status bring_snapshot(int64_t repository, const Bytes32& snapshot,
                                std::span<const int64_t> walked) = 0;

  // Adds `blobs`, `bytes` and `healed` to what was noted before, and replaces the rest; a `good_ns`
  // of 0 leaves that as it is.
  virtual Status note_pull(const ReplicaPull& pull) = 0;
  // By source, then account.
  virtual Result<std::vector<ReplicaPull>> pulls() = 0;
};

}  // namespace cb::catalog
