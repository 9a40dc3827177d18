// SPDX-License-Identifier: Apache-2.0
//
// The server's half of a repository: blobs into packs, packs into the store, rows into the catalog,
// and back. Holds no key. Functions block; an Engine may be used by several threads, an Intake by
// one at a time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/os/clock.h"
#include "core/os/random.h"
#include "core/plugin/store.h"
#include "core/repository/owner_remote.h"
#include "core/repository/quota.h"
#include "core/repository/remote.h"
#include "core/repository/snapshot_change.h"
#include "core/repository/verification.h"

namespace cb::repository {

struct EngineLimits {
  uint64_t data_pack = 64 * 1024 * 1024;  // bytes after which a pack is closed
  uint64_t node_pack = 16 * 1024 * 1024;
  std::chrono::nanoseconds pack_age = std::chrono::seconds(30);
  uint64_t reserve = 64 * 1024 * 1024;  // space that only deletion and commits may use
  uint64_t low_water = 0;  // free space of the store below which no intake begins to store
};

// What one client session (or v3 upload) brings in. Blobs lie in memory only in the pieces that are
// given; nothing of it is indexed before its pack is durable. Destroying it makes durable what
// came whole, unless drop() was called; what is private and was not committed is dropped then.
// After an error other than Code::invalid, Code::no_space and Code::limit only its end helps.
class Intake {
 public:
  virtual ~Intake() = default;

  // Announces a blob; then `content` until head.stored_size bytes came, then `end`. Code::invalid
  // for an impossible head (kind, sizes, unknown session), Code::no_space when the reserve is
  // touched, or when this would be the first and the store is low; Code::limit when the device or
  // its account may not store so much more. A blob that is there already is taken and not stored;
  // nor is one that another intake of the repository is just bringing: this one leans on that (not
  // when either is private).
  virtual Status begin(const BlobHead& head) = 0;
  virtual Status content(ByteView stored) = 0;
  virtual Status end() = 0;
  // The connection broke inside a blob: leaves a void record.
  virtual void cut() = 0;

  // One answer for each id: durable for everybody, on its way in this intake, or in one that this
  // may lean on.
  virtual Result<std::vector<bool>> have(std::span<const BlobId> ids) = 0;

  // Closes the open packs; then every blob ended so far is durable, but for those that it leans on
  // others for: settle() waits for them.
  virtual Status flush() = 0;
  // Closes packs that are older than pack_age, or that others wait for. Call every second or so,
  // and at once when is_wanted().
  virtual Status close_old() = 0;
  // Does another intake wait for one of the open packs?
  [[nodiscard]] virtual bool is_wanted() const = 0;
  // Asks the intakes that this one leans on to close their packs, and waits for that, `patience` at
  // most (0: just looks). False when there is more to wait for. Call it before commit: what is not
  // durable then is missing, and nobody leans on it any more.
  virtual bool settle(std::chrono::nanoseconds patience) = 0;
  // How many blobs, in the order of `end`, are durable. One that it leaned on another for counts
  // when it is durable there; if it is lost there, the count stands still. May be asked from any
  // thread.
  [[nodiscard]] virtual uint64_t durable() const = 0;

  // Verifies that everything below the root is there, then commits; flushes first. Code::limit when
  // there is no room for the record.
  virtual Result<CommitAnswer> commit(const CommitRequest& request) = 0;

  // Leaves nothing behind: what this intake stored and nobody committed is removed. For v3.
  virtual Status drop() = 0;
};

// Whose copies an intake or a reader means.
struct Viewer {
  DeviceId device;  // zero: the server itself
  Role role = Role::owner;
  bool shares_dedup = false;  // kDeviceSharesDedup of its certificate
};

class Replicas;  // core/repository/replicas.h

// The note of an account in the store, as the catalog says, with all its devices active.
AccountRecord note_of(const catalog::Account& account);

class Engine {
 public:
  struct Parts {
    plugin::Store* store = nullptr;
    catalog::Catalog* catalog = nullptr;
    const os::Clock* clock = nullptr;
    os::Random* random = nullptr;  // for pack names
    // Signs commit records with the server's key.
    std::function<Result<Signature>(ByteView)> sign;
    // That key. Without it a commit record that has no row yet is believed unseen.
    std::optional<SigningPublic> server_key = std::nullopt;
    // Completes nothing that a crash broke off, for who only looks.
    bool is_read_only = false;
    EngineLimits limits = {};
    Quota* quota = nullptr;  // asked before something is stored; null: nobody is limited
  };
  static Result<std::unique_ptr<Engine>> open(Parts parts);
  virtual ~Engine() = default;

  // Takes another reserve and low-water mark, in bytes; at once, the mark for intakes that have
  // stored nothing yet.
  virtual void set_room_limits(uint64_t reserve, uint64_t low_water) = 0;
  // Is the store below it? The answer may be a second old.
  virtual bool is_low() = 0;

  // A new repository: record into store, then catalog, then put_account's note. Code::exists.
  virtual Status create(const RepositoryRecord& record, const std::string& account) = 0;
  virtual Result<RepositoryRecord> record(const RepositoryId& repository) = 0;
  // The repository of an account; nothing when it has none yet.
  virtual Result<std::optional<RepositoryId>> of_account(const std::string& account) = 0;
  // The newest commit record of any type.
  struct Head {
    uint64_t sequence = 0;  // 0: none yet
    CommitHash hash;        // SHA-256 of the record
  };
  virtual Result<Head> head(const RepositoryId& repository) = 0;
  virtual Result<std::vector<KeySlot>> slots(const RepositoryId& repository) = 0;
  virtual Status add_slot(const RepositoryId& repository, const KeySlot& slot) = 0;  // or exists
  virtual Status remove_slot(const RepositoryId& repository, const SlotId& slot) = 0;
  virtual Status add_certificate(const RepositoryId& repository,
                                 const Certificate& certificate) = 0;
  // The next revision, whose signature the caller has verified. `slots`, when given, replace all
  // that there are. Code::state unless the revision follows the one that is there (or is the same
  // record again). After a crash both are old or both new.
  virtual Status put_record(const RepositoryRecord& record,
                            const std::optional<std::vector<KeySlot>>& slots) = 0;
  // What a rebuilt catalog is to know of the account; into the store alone.
  virtual Status put_account(const RepositoryId& repository, const AccountRecord& account) = 0;

  // Which snapshots a rebuilt catalog is to keep; into the store alone.
  virtual Status put_retention(const RepositoryId& repository, const RetentionRecord& rules) = 0;

  // Records of sessions of an epoch below this, past the id `after`; at most `most`.
  virtual Result<std::vector<SessionEntry>> sessions(const RepositoryId& repository, uint32_t epoch,
                                                     const SessionId& after, size_t most) = 0;
  // Records of a higher epoch for sessions that are there, whose signatures the caller has
  // verified: into the store, then the catalog. Code::state for one whose epoch is not higher.
  virtual Status put_sessions(const RepositoryId& repository,
                              std::span<const SessionEntry> sessions) = 0;

  // At most `most` commit records from `sequence` on.
  virtual Result<std::vector<Bytes>> commits(const RepositoryId& repository, uint64_t sequence,
                                             size_t most) = 0;

  // What the catalog knows of a device; of one that it does not know, the server itself.
  virtual Result<Viewer> viewer(const DeviceId& device) = 0;

  // Copies that no owner put and none has verified, and what an owner found in them: bad ones are
  // missing in their device's domain from then on, others may be leaned on by all, a blob after its
  // children.
  virtual Result<CopyPage> copies(const RepositoryId& repository, uint64_t after, size_t most) = 0;
  virtual Status verified(const RepositoryId& repository, const Viewer& whose,
                          std::span<const BlobId> ids, bool bad) = 0;

  // `private_until_commit`: what comes is seen by nobody else before commit (v3); then it is for
  // all to lean on, so Code::invalid for a viewer that is no owner.
  virtual Result<std::unique_ptr<Intake>> begin(const RepositoryId& repository,
                                                const Viewer& viewer,
                                                bool private_until_commit) = 0;
  // What this viewer may lean on.
  virtual Result<std::vector<bool>> have(const RepositoryId& repository, const Viewer& viewer,
                                         std::span<const BlobId> ids) = 0;

  // Streams blobs, sorted by place, reads that lie close together in one. For each: `head` once,
  // then `content` in pieces; the stored bytes are checked against their checksum (Code::corrupt
  // names pack and blob). Missing ids are left out.
  struct Reader {
    std::function<Status(const BlobHead&)> head;
    std::function<Status(ByteView)> content;
    // Where it is set, nothing of a blob is given before all of it is known to be right; heads have
    // checksums then, and what is damaged is named here and left out.
    std::function<Status(const BlobId&)> damaged = {};
  };
  // `whose` is of the snapshot that is read: where there are several copies, those that it could
  // lean on go first; with `exact` only what it put itself is there.
  virtual Status read(const RepositoryId& repository, const Viewer& whose, bool exact,
                      std::span<const BlobId> ids, const Reader& reader) = 0;

  virtual Result<std::vector<SnapshotInfo>> snapshots(const RepositoryId& repository,
                                                      bool with_trash) = 0;
  virtual Result<CommitRecord> forget(const RepositoryId& repository, const BlobId& snapshot,
                                      const DeviceId& device) = 0;
  virtual Result<CommitRecord> undelete(const RepositoryId& repository, const BlobId& snapshot,
                                        const DeviceId& device) = 0;
  // Out of the trash and gone for good, by the server itself; what only it needs a collection
  // takes. Code::state when it is not in the trash, Code::not_found when it is not there.
  virtual Result<CommitRecord> remove(const RepositoryId& repository, const BlobId& snapshot) = 0;
  // What lies in the trash, and since when by the server's clock.
  struct Trashed {
    BlobId snapshot;
    int64_t since_ns = 0;
  };
  virtual Result<std::vector<Trashed>> trash(const RepositoryId& repository) = 0;
  virtual Result<RemoteCounts> counts(const RepositoryId& repository) = 0;

  // Looks whether index, packs and commits fit together; with `read_data` reads every pack and
  // verifies every checksum, digest and list of children. Each finding is one sentence that names
  // its object; notes are of what is odd and harms no snapshot.
  struct Checked {
    uint64_t packs = 0, blobs = 0, bytes = 0, snapshots = 0;
    std::vector<std::string> findings;
    std::vector<std::string> notes;
  };
  // Returns false to stop it (Code::cancelled).
  using CheckProgress = std::function<bool(uint64_t done, uint64_t total)>;
  virtual Result<Checked> check(const RepositoryId& repository, bool read_data,
                                const CheckProgress& progress) = 0;

  // Repositories that the store has and the catalog does not: it is another server's, or an old
  // one. Without what a crash left of one that was being made.
  virtual Result<std::vector<RepositoryId>> unlisted() = 0;

  // Finds what no snapshot needs any more, in the trash or not, and removes it
  // (docs/collection.md): first it is condemned, then, `wait` later, a run deletes it, and packs in
  // which nothing is left. Works while backups run, and on a full disk. Code::cancelled when
  // `progress` stops it; what was done stays done, as after a crash. Code::state when a snapshot of
  // an owner needs what the catalog does not have: then nothing is done.
  struct CollectOptions {
    std::chrono::nanoseconds wait = std::chrono::hours(1);
    // What came later is left alone, committed or not; at least what came since the oldest open
    // intake began.
    std::chrono::nanoseconds keep_uncommitted = std::chrono::hours(24);
    bool dry_run = false;  // only looks
  };
  struct Collected {
    uint64_t blobs = 0, bytes = 0;  // that were looked at: of packs that are old enough
    uint64_t dead = 0, dead_bytes = 0;
    uint64_t condemned = 0;
    uint64_t deleted = 0, deleted_bytes = 0;
    uint64_t packs_removed = 0, bytes_freed = 0;
    // Packs in which all is dead, with those that are removed now: what collection frees in the
    // end. The rest of what is dead is a compaction's.
    uint64_t freeable_bytes = 0;
    bool waits = false;  // uploads of protocol 3 are under way: what is dead was not condemned
    // Snapshots of other devices that need what the catalog does not have, a sentence each: what
    // their devices put stays.
    std::vector<std::string> lacking;
  };
  virtual Result<Collected> collect(const RepositoryId& repository, const CollectOptions& options,
                                    const CheckProgress& progress) = 0;

  // Writes packs anew that are mostly dead, or were found bad, and joins small ones. Blobs that do
  // not read right stay where they are. Collection removes the old packs. It takes room for the new
  // ones: where there is none, it ends early and says so.
  struct CompactOptions {
    unsigned least_live = 80;  // of a pack, in percent; what has less is written anew
    uint64_t most_bytes = 0;   // to be written, about; 0: as many as it takes
    bool dry_run = false;      // only looks
  };
  struct Compacted {
    uint64_t sources = 0, source_bytes = 0;  // packs that are replaced, or would be
    uint64_t packs = 0, bytes = 0;           // new ones; of a dry run, bytes alone
    uint64_t blobs = 0;                      // that moved
    bool has_no_room = false;
    bool is_short = false;             // most_bytes ended it: there is more to do
    std::vector<std::string> damaged;  // one sentence for each pack that stays because of it
  };
  virtual Result<Compacted> compact(const RepositoryId& repository, const CompactOptions& options,
                                    const CheckProgress& progress) = 0;

  // Reads packs that were not found whole lately, the oldest first, and those again that were found
  // bad (docs/verification.md). A damaged blob is condemned and wanted: missing for all who see it
  // until it is sent again. `progress` counts bytes. What was read stays noted when it is stopped
  // or fails.
  virtual Result<Verified> verify(const RepositoryId& repository, const VerifyOptions& options,
                                  const CheckProgress& progress) = 0;
  // Blobs that were found damaged and that this viewer lacks, past the id `after`.
  virtual Result<WantedPage> wanted(const RepositoryId& repository, const Viewer& viewer,
                                    const BlobId& after, size_t most) = 0;
  // How many they are.
  virtual Result<uint64_t> count_wanted(const RepositoryId& repository, const Viewer& viewer) = 0;

  // Signatures and recipes that this viewer may use, `most` at a time, the newest first; `before`
  // is 0 or a page's `next`.
  virtual Result<SignaturePage> signatures(const RepositoryId& repository, const Viewer& viewer,
                                           uint64_t before, size_t most) = 0;

  // How big the tree below a root is that a device committed, and how it differs from an earlier
  // one's. `goes_on` false: Code::cancelled. Code::not_found when some of it is gone.
  virtual Result<TreeSize> measure(const RepositoryId& repository, const DeviceId& device,
                                   const BlobId& root, const std::function<bool()>& goes_on) = 0;
  virtual Result<TreeChange> compare(const RepositoryId& repository, const DeviceId& device,
                                     const BlobId& before, const BlobId& after,
                                     const std::function<bool()>& goes_on) = 0;

  // Forgets private uploads that nobody brings any more, with their packs; waits for no other that
  // is under way, but leaves all to a later call then. How many.
  virtual Result<uint64_t> drop_stale_uploads(const RepositoryId& repository) = 0;

  // Removes objects of the store that the catalog does not know (a crash left them). Before the
  // first session.
  virtual Result<uint64_t> remove_leftovers() = 0;

  // Repositories that are copies of another server's; lives as long as the engine.
  virtual Replicas& replicas() = 0;
};

}  // namespace cb::repository
