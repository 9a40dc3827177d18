// SPDX-License-Identifier: Apache-2.0
//
// What lies in the repositories of protocol v4: packs, blobs, sessions, commits and snapshots.
// Abstract; thread-safe; functions block and belong on a worker. Every change is durable when the
// function returns, except what an intake alone sees: that becomes durable with mark_intake, or any
// later change of something else. Each function is one transaction. `repository` is a repository's
// number; `owner` 0 or an intake whose private rows are seen too.
#pragma once

#include <functional>
#include <span>
#include <utility>

#include "core/catalog/accounts.h"

namespace cb::catalog {

struct RepositoryRow {
  int64_t number = 0;
  Bytes16 id{};
  int64_t account = 0;
  Bytes record;
};

// Rows of blobs lie in domains, so that a copy that nobody vouches for stays with whom it came
// from: 0 is what owners put or verified, kSharedDomain what the devices share that chose to, below
// that each other device has its own; numbers above 0 are intakes. What is in domain 0 has all its
// children there; what is in another has them there or in 0.
constexpr int64_t kOpenDomain = 0;
constexpr int64_t kSharedDomain = -1;

// Which copies count: domain 0 first, then these.
struct View {
  int64_t domain = kOpenDomain;  // of a device, or an intake
  bool any = false;  // for reading: rather a foreign copy than none, and rather a condemned one
};

struct PackRow {
  int64_t number = 0;  // set by add_pack
  int64_t owner = 0;   // the intake that alone sees the pack; 0: everybody
  int64_t domain = 0;  // of its blobs: `owner`, or a device's; not kept
  Bytes16 device{};    // who put it, for whom it counts (limits.h); zero: the server; not kept
  Bytes16 name{};
  uint8_t pack_class = 0;
  uint64_t size = 0;  // bytes of the object
  Bytes16 digest{};
  int64_t created_ns = 0;
  uint64_t blobs = 0;    // that the index finds here
  uint64_t garbage = 0;  // stored bytes of blobs that it finds elsewhere
};

struct BlobRow {
  Bytes32 id{};
  uint8_t kind = 0;
  Bytes16 session{};
  uint64_t offset = 0;  // of the record in its pack
  uint32_t size = 0;    // stored bytes
  Bytes children;       // ids, one behind the other
};

struct SessionRow {
  Bytes16 id{};
  Bytes record;
};

// Where a blob lies.
struct BlobPlace {
  Bytes32 id{};
  int64_t domain = 0;
  uint8_t kind = 0;
  uint32_t child_count = 0;
  Bytes16 session{};
  uint32_t size = 0;
  Bytes16 pack{};
  uint64_t offset = 0;
  bool is_dead = false;  // a collection condemned it; told by blobs_of_pack alone
};

// A blob as the walk over a snapshot sees it.
struct BlobLink {
  int64_t number = 0;
  int64_t domain = 0;
  uint8_t kind = 0;
  bool closed = false;  // everything below it is known to be there, as its domain sees it
  Bytes children;
};

struct CommitRow {
  uint64_t sequence = 0;
  uint8_t type = 0;  // 1 commit, 2 forget, 3 undelete, 4 removal
  Bytes32 snapshot{};
  Bytes16 commit_id{};
  Bytes32 hash{};  // SHA-256 of `record`
  Bytes record;
  Bytes16 device{};  // whom the record counts for (limits.h); not kept
};

// What a commit does beside its row.
struct CommitEffect {
  bool changes_snapshot = true;     // false: a wish that is only recorded
  std::span<const int64_t> walked;  // blobs that are closed now
  // False: durable with the next change that is, for a caller that makes one.
  bool waits = true;
  uint64_t growth = 0;  // what the session had stored (UsageRow); 0: not told
};

struct SnapshotRow {
  Bytes record;  // of the commit
  bool in_trash = false;
};

struct IndexCounts {
  uint64_t blobs = 0, packs = 0, stored_bytes = 0, snapshots = 0;
};

class Index {
 public:
  virtual ~Index() = default;

  // Returns the number. Code::exists when the id is taken, Code::not_found without the account.
  virtual Result<int64_t> add_repository(const Bytes16& id, const std::string& account,
                                         ByteView record) = 0;
  virtual Result<std::optional<RepositoryRow>> repository(const Bytes16& id) = 0;
  // An account's; the first, should there be several.
  virtual Result<std::optional<RepositoryRow>> repository_of(int64_t account) = 0;
  // By number.
  virtual Result<std::vector<RepositoryRow>> repositories() = 0;

  // Another record and, unless `slots` is null, other slots, all of them, in one step.
  virtual Status set_record(int64_t repository, ByteView record,
                            const std::vector<std::pair<Bytes16, Bytes>>* slots) = 0;

  // The domain of a device's own copies, drawn when it is first asked for.
  virtual Result<int64_t> domain_of(int64_t repository, const Bytes16& device) = 0;
  // The device of such a domain; nothing when it is no device's own.
  virtual Result<std::optional<Bytes16>> device_of(int64_t domain) = 0;

  // Adds or replaces.
  virtual Status set_slot(int64_t repository, const Bytes16& id, ByteView record) = 0;
  // By id.
  virtual Result<std::vector<Bytes>> slots(int64_t repository) = 0;
  // Code::not_found, and Code::denied for the last one.
  virtual Status remove_slot(int64_t repository, const Bytes16& id) = 0;

  // A number for rows that one intake alone sees.
  virtual Result<int64_t> new_intake(int64_t repository) = 0;
  // Says with which commit an intake's rows will become everybody's: before its record is written.
  virtual Status mark_intake(int64_t owner, const Bytes16& commit_id) = 0;
  // Those that neither committed nor were dropped.
  virtual Result<std::vector<int64_t>> open_intakes(int64_t repository) = 0;
  // Forgets an intake's rows and returns the names of the packs that nothing refers to any more.
  virtual Result<std::vector<Bytes16>> drop_intake(int64_t owner) = 0;

  // A pack that is durable in the store, and its blobs. A blob that is there already stays where it
  // is and counts as garbage here; one that was condemned lives on here. A weak one never stands in
  // the way of another kind, condemned or not.
  virtual Status add_pack(int64_t repository, const PackRow& pack, std::span<const BlobRow> blobs,
                          std::span<const SessionRow> sessions) = 0;

  // One answer for each id; unless `with_weak` they are of other kinds alone.
  virtual Result<std::vector<bool>> have(int64_t repository, const View& view,
                                         std::span<const Bytes32> ids, bool with_weak = true) = 0;
  // Those that are there, in any order.
  virtual Result<std::vector<BlobPlace>> places(int64_t repository, const View& view,
                                                std::span<const Bytes32> ids) = 0;
  // The same of one domain alone.
  virtual Result<std::vector<BlobPlace>> places_in(int64_t repository, int64_t domain,
                                                   std::span<const Bytes32> ids) = 0;
  // One for each id; nothing for what is not there, or weak: no snapshot hangs on that.
  virtual Result<std::vector<std::optional<BlobLink>>> links(int64_t repository, const View& view,
                                                             std::span<const Bytes32> ids) = 0;
  virtual Result<std::optional<Bytes>> session(int64_t repository, int64_t owner,
                                               const Bytes16& id) = 0;
  // At most `most` sessions of everybody, past the id `after`, by id.
  virtual Result<std::vector<SessionRow>> sessions(int64_t repository, const Bytes16& after,
                                                   size_t most) = 0;
  // Other records for sessions that are there (Code::not_found).
  virtual Status set_sessions(int64_t repository, std::span<const SessionRow> sessions) = 0;
  // Makes blobs of a domain missing for who sees it until they are sent again. What was closed
  // there (with domain 0: anywhere) is so no more.
  virtual Status condemn(int64_t repository, int64_t domain, std::span<const Bytes32> ids) = 0;

  // Copies of domains below 0, condemned and weak ones left out: at most `most` whose row number is
  // past `after`, by number.
  struct Copy {
    int64_t number = 0;
    Bytes32 id{};
    uint8_t kind = 0;
    int64_t domain = 0;
    Bytes16 session{};
  };
  virtual Result<std::vector<Copy>> copies(int64_t repository, int64_t after, size_t most) = 0;
  // Weak blobs (of kinds 2 and 3) of a view, condemned ones left out: at most `most` whose row
  // number is below `before` (0: all), the highest first.
  struct WeakBlob {
    int64_t number = 0;
    Bytes32 id{};
  };
  virtual Result<std::vector<WeakBlob>> weak_blobs(int64_t repository, const View& view,
                                                   int64_t before, size_t most) = 0;
  // Moves blobs of a domain to domain 0, where everybody may lean on them; what is there already
  // becomes garbage. The record of a blob's session moves with it. One whose children are not all
  // in domain 0 stays (so give children first, or together), one that is not in `domain`, or weak,
  // is passed over. Unless it `closes`, nothing with children counts as closed by it. Returns how
  // many of `ids` came.
  virtual Result<uint64_t> open_up(int64_t repository, int64_t domain, std::span<const Bytes32> ids,
                                   bool closes) = 0;

  // The next row of the chain. Rows of the intake that is marked with its commit id become
  // everybody's. Code::exists when the sequence or the commit id is taken.
  virtual Status add_commit(int64_t repository, const CommitRow& commit,
                            const CommitEffect& effect) = 0;
  virtual Result<std::optional<CommitRow>> last_commit(int64_t repository) = 0;
  virtual Result<std::optional<CommitRow>> commit_by_id(int64_t repository,
                                                        const Bytes16& commit_id) = 0;
  // The newest of this type for a snapshot.
  virtual Result<std::optional<CommitRow>> commit_of(int64_t repository, const Bytes32& snapshot,
                                                     uint8_t type) = 0;
  // At most `most`, from `sequence` on.
  virtual Result<std::vector<CommitRow>> commits(int64_t repository, uint64_t sequence,
                                                 size_t most) = 0;
  // In the order of their commits.
  virtual Result<std::vector<SnapshotRow>> snapshots(int64_t repository, bool with_trash) = 0;
  virtual Result<std::optional<SnapshotRow>> snapshot(int64_t repository, const Bytes32& id) = 0;

  virtual Result<IndexCounts> counts(int64_t repository) = 0;
  // At most `most` packs whose number is past `after`, private ones too, by number.
  virtual Result<std::vector<PackRow>> packs(int64_t repository, int64_t after, size_t most) = 0;
  virtual Result<bool> knows_pack(int64_t repository, const Bytes16& name) = 0;
  // Condemned ones too, by offset; without their children.
  virtual Result<std::vector<BlobPlace>> blobs_of_pack(int64_t pack) = 0;
};

}  // namespace cb::catalog
