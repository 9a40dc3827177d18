// SPDX-License-Identifier: Apache-2.0
//
// The engine: which repository, which part does it.
#include "core/repository/engine.h"

#include "core/identity/signing.h"
#include "core/repository/catalog_rebuild.h"
#include "core/repository/collection.h"
#include "core/repository/compaction.h"
#include "core/repository/engine_check.h"
#include "core/repository/engine_copies.h"
#include "core/repository/engine_records.h"
#include "core/repository/engine_replica.h"
#include "core/repository/engine_trash.h"
#include "core/repository/engine_verify.h"
#include "core/repository/intake.h"
#include "core/repository/pack.h"

namespace cb::repository {
namespace {

class PackEngine final : public Engine {
 public:
  explicit PackEngine(Parts parts)
      : engine_(std::make_shared<EngineParts>(std::move(parts))),
        replicas_(make_replicas(engine_)) {}

  // Brings commit records that a crash left without a row into the catalog. A chain that is damaged
  // is told when its repository is used: it must not keep the others closed.
  Status load() {
    CB_ASSIGN(const auto rows, index().repositories());
    for (const auto& row : rows) {
      const auto chain = engine_->chain(RepositoryId{row.id});
      if (!chain && !is_damage(chain.error().code)) return failed(chain.error());
    }
    return {};
  }

  void set_room_limits(uint64_t reserve, uint64_t low_water) override {
    engine_->space.set_limits(reserve, low_water);
  }
  bool is_low() override {
    const Status begins = engine_->space.may_begin();
    return !begins && begins.error().code == Code::no_space;
  }
  Status create(const RepositoryRecord& record, const std::string& account) override;
  Result<RepositoryRecord> record(const RepositoryId& repository) override;
  Result<std::optional<RepositoryId>> of_account(const std::string& account) override;
  Result<Head> head(const RepositoryId& repository) override;
  Result<std::vector<KeySlot>> slots(const RepositoryId& repository) override;
  Status add_slot(const RepositoryId& repository, const KeySlot& slot) override;
  Status remove_slot(const RepositoryId& repository, const SlotId& slot) override;
  Status add_certificate(const RepositoryId& repository, const Certificate& certificate) override;
  Status put_record(const RepositoryRecord& record,
                    const std::optional<std::vector<KeySlot>>& slots) override {
    CB_ASSIGN(const auto chain, engine_->chain(record.id));
    return repository::put_record(*engine_, *chain, record, slots);
  }
  Status put_account(const RepositoryId& repository, const AccountRecord& account) override {
    return put_note(repository, "account", encode(account));
  }
  Status put_retention(const RepositoryId& repository, const RetentionRecord& rules) override {
    // Where nothing is to be said, no note says so.
    const auto there = store().stat(repository_prefix(repository) + "retention");
    if (!there && there.error().code != Code::not_found) return failed(there.error());
    if (!there && rules == RetentionRecord{}) return {};
    return put_note(repository, "retention", encode(rules));
  }
  Result<std::vector<SessionEntry>> sessions(const RepositoryId& repository, uint32_t epoch,
                                             const SessionId& after, size_t most) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    return list_sessions(*engine_, *chain, epoch, after, most);
  }
  Status put_sessions(const RepositoryId& repository,
                      std::span<const SessionEntry> sessions) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    return repository::put_sessions(*engine_, *chain, sessions);
  }
  Result<std::vector<Bytes>> commits(const RepositoryId& repository, uint64_t sequence,
                                     size_t most) override;
  Result<Viewer> viewer(const DeviceId& device) override { return engine_->viewer_of(device); }
  Result<CopyPage> copies(const RepositoryId& repository, uint64_t after, size_t most) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    return list_copies(*engine_, *chain, after, most);
  }
  Status verified(const RepositoryId& repository, const Viewer& whose, std::span<const BlobId> ids,
                  bool bad) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    return take_verdict(*engine_, *chain, whose, ids, bad);
  }

  Result<std::unique_ptr<Intake>> begin(const RepositoryId& repository, const Viewer& viewer,
                                        bool private_until_commit) override {
    CB_ASSIGN(auto chain, engine_->chain(repository));
    CB_ASSIGN(const int64_t domain, engine_->domain_of(*chain, viewer));
    if (private_until_commit && domain != catalog::kOpenDomain)
      return failed(Code::invalid, "device " + viewer.device.hex(),
                    "is no owner's, so nothing of it becomes everybody's with a commit");
    return std::make_unique<PackIntake>(engine_, std::move(chain), viewer.device, domain,
                                        private_until_commit, engine_->parts.quota);
  }

  Result<std::vector<bool>> have(const RepositoryId& repository, const Viewer& viewer,
                                 std::span<const BlobId> ids) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    CB_ASSIGN(const int64_t domain, engine_->domain_of(*chain, viewer));
    return index().have(chain->number(), {domain}, bytes_of(ids), false);
  }

  Status read(const RepositoryId& repository, const Viewer& whose, bool exact,
              std::span<const BlobId> ids, const Reader& reader) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    return read_copies(*engine_, *chain, whose, exact, ids, reader);
  }

  Result<std::vector<SnapshotInfo>> snapshots(const RepositoryId& repository,
                                              bool with_trash) override;
  Result<CommitRecord> forget(const RepositoryId& repository, const BlobId& snapshot,
                              const DeviceId& device) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    return engine_->wish(*chain, CommitType::forget, snapshot, device);
  }
  Result<CommitRecord> undelete(const RepositoryId& repository, const BlobId& snapshot,
                                const DeviceId& device) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    return engine_->wish(*chain, CommitType::undelete, snapshot, device);
  }

  Result<CommitRecord> remove(const RepositoryId& repository, const BlobId& snapshot) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    return remove_snapshot(*engine_, *chain, snapshot);
  }
  Result<std::vector<Trashed>> trash(const RepositoryId& repository) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    return list_trash(*engine_, *chain);
  }

  Result<RemoteCounts> counts(const RepositoryId& repository) override {
    CB_ASSIGN(const int64_t number, this->number(repository));
    CB_ASSIGN(const catalog::IndexCounts counts, index().counts(number));
    return RemoteCounts{counts.blobs, counts.packs, counts.stored_bytes, counts.snapshots};
  }

  Result<Checked> check(const RepositoryId& repository, bool read_data,
                        const CheckProgress& progress) override {
    return check_repository(*engine_, repository, read_data, progress);
  }

  Result<Collected> collect(const RepositoryId& repository, const CollectOptions& options,
                            const CheckProgress& progress) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    return repository::collect(*engine_, *chain, options, progress);
  }

  Result<Compacted> compact(const RepositoryId& repository, const CompactOptions& options,
                            const CheckProgress& progress) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    return repository::compact(*engine_, *chain, options, progress);
  }

  Result<Verified> verify(const RepositoryId& repository, const VerifyOptions& options,
                          const CheckProgress& progress) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    return verify_packs(engine_, chain, options, progress);
  }
  Result<WantedPage> wanted(const RepositoryId& repository, const Viewer& viewer,
                            const BlobId& after, size_t most) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    return list_wanted(*engine_, *chain, viewer, after, most);
  }
  Result<uint64_t> count_wanted(const RepositoryId& repository, const Viewer& viewer) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    CB_ASSIGN(const int64_t domain, engine_->domain_of(*chain, viewer));
    return engine_->parts.catalog->verification().count_wanted(chain->number(), {domain});
  }

  Result<SignaturePage> signatures(const RepositoryId& repository, const Viewer& viewer,
                                   uint64_t before, size_t most) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    return list_signatures(*engine_, *chain, viewer, before, most);
  }

  Result<TreeSize> measure(const RepositoryId& repository, const DeviceId& device,
                           const BlobId& root, const std::function<bool()>& goes_on) override {
    CB_ASSIGN(const TreePlace place, tree_place(repository, device, goes_on));
    return measure_tree(index(), place, root);
  }
  Result<TreeChange> compare(const RepositoryId& repository, const DeviceId& device,
                             const BlobId& before, const BlobId& after,
                             const std::function<bool()>& goes_on) override {
    CB_ASSIGN(const TreePlace place, tree_place(repository, device, goes_on));
    std::array<std::byte, sizeof(uint64_t)> secret{};
    CB_TRY(engine_->parts.random->fill(secret));
    return compare_trees(index(), place, before, after, load_le<uint64_t>(secret.data()));
  }

  Result<uint64_t> drop_stale_uploads(const RepositoryId& repository) override {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    return repository::drop_stale_uploads(*engine_, *chain);
  }

  Result<std::vector<RepositoryId>> unlisted() override { return unlisted_repositories(*engine_); }
  Result<uint64_t> remove_leftovers() override { return repository::remove_leftovers(*engine_); }
  Replicas& replicas() override { return *replicas_; }

 private:
  // Where the tree of a device's snapshot lies.
  Result<TreePlace> tree_place(const RepositoryId& repository, const DeviceId& device,
                               const std::function<bool()>& goes_on) {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    CB_ASSIGN(const Viewer viewer, engine_->viewer_of(device));
    CB_ASSIGN(const int64_t domain, engine_->domain_of(*chain, viewer));
    return TreePlace{chain->number(), {domain, true}, goes_on};
  }
  catalog::Index& index() { return engine_->index(); }
  plugin::Store& store() { return *engine_->parts.store; }
  // The server's own note of a repository, whatever its chain is like.
  Status put_note(const RepositoryId& repository, const std::string& name, const Bytes& note) {
    CB_TRY(number_of(index(), repository));
    const std::string object = repository_prefix(repository) + name;
    const auto kept = read_object(store(), object, kMostRecordBytes);
    if (kept && *kept == note) return {};
    return write_object(store(), object, note, false);
  }
  // Of a repository whose chain was loaded, or is now.
  Result<int64_t> number(const RepositoryId& repository) {
    CB_ASSIGN(const auto chain, engine_->chain(repository));
    return chain->number();
  }

  std::shared_ptr<EngineParts> engine_;
  std::unique_ptr<Replicas> replicas_;
};

Status PackEngine::create(const RepositoryRecord& record, const std::string& account) {
  CB_ASSIGN(const auto there, index().repository(record.id.bytes));
  if (there)
    return failed(Code::exists, "repository " + record.id.hex(), "is in the catalog already");
  CB_ASSIGN(const auto found, engine_->parts.catalog->accounts().account_by_name(account));
  if (!found) return failed(Code::not_found, "account " + account, "is not in the catalog");
  const Bytes encoded = encode(record);
  CB_TRY(write_object(store(), record_object(record.id), encoded, false));
  CB_TRY(index().add_repository(record.id.bytes, account, encoded));
  // From the first backup on a lost catalog can be made anew with its names.
  return put_account(record.id, note_of(*found));
}

Result<RepositoryRecord> PackEngine::record(const RepositoryId& repository) {
  CB_ASSIGN(const auto row, index().repository(repository.bytes));
  if (row) return decode_repository(row->record);
  return failed(Code::not_found, "repository " + repository.hex(), "is not in the catalog");
}

Result<std::optional<RepositoryId>> PackEngine::of_account(const std::string& account) {
  CB_ASSIGN(const auto found, engine_->parts.catalog->accounts().account_by_name(account));
  if (!found) return failed(Code::not_found, "account " + account, "is not in the catalog");
  CB_ASSIGN(const auto row, index().repository_of(found->number));
  if (!row) return std::nullopt;
  return RepositoryId{row->id};
}

Result<Engine::Head> PackEngine::head(const RepositoryId& repository) {
  CB_ASSIGN(const auto chain, engine_->chain(repository));
  return chain->newest();
}

Result<std::vector<KeySlot>> PackEngine::slots(const RepositoryId& repository) {
  CB_ASSIGN(const int64_t number, this->number(repository));
  CB_ASSIGN(const auto rows, index().slots(number));
  std::vector<KeySlot> slots;
  for (const Bytes& row : rows) {
    CB_ASSIGN(KeySlot slot, decode_slot(row));
    slots.push_back(std::move(slot));
  }
  return slots;
}

Status PackEngine::add_slot(const RepositoryId& repository, const KeySlot& slot) {
  CB_ASSIGN(const auto chain, engine_->chain(repository));
  return repository::add_slot(*engine_, *chain, slot);
}

Status PackEngine::remove_slot(const RepositoryId& repository, const SlotId& slot) {
  CB_ASSIGN(const auto chain, engine_->chain(repository));
  return repository::remove_slot(*engine_, *chain, slot);
}

Status PackEngine::add_certificate(const RepositoryId& repository, const Certificate& certificate) {
  CB_TRY(number(repository));
  const DeviceId device{identity::device_id_of(certificate.device)};
  return write_object(store(), device_object(repository, device), encode(certificate), false);
}

Result<std::vector<Bytes>> PackEngine::commits(const RepositoryId& repository, uint64_t sequence,
                                               size_t most) {
  CB_ASSIGN(const int64_t number, this->number(repository));
  CB_ASSIGN(auto rows, index().commits(number, sequence, most));
  std::vector<Bytes> records;
  records.reserve(rows.size());
  for (catalog::CommitRow& row : rows) records.push_back(std::move(row.record));
  return records;
}

Result<std::vector<SnapshotInfo>> PackEngine::snapshots(const RepositoryId& repository,
                                                        bool with_trash) {
  CB_ASSIGN(const int64_t number, this->number(repository));
  CB_ASSIGN(const auto rows, index().snapshots(number, with_trash));
  std::vector<SnapshotInfo> snapshots;
  snapshots.reserve(rows.size());
  for (const catalog::SnapshotRow& row : rows) {
    CB_ASSIGN(CommitRecord commit, decode_commit(row.record));
    snapshots.push_back({std::move(commit), row.in_trash});
  }
  return snapshots;
}

}  // namespace

AccountRecord note_of(const catalog::Account& account) {
  AccountRecord note;
  note.name = account.name;
  note.kind = static_cast<uint64_t>(account.kind);
  note.disabled = account.disabled;
  note.created_ns = account.created_ns;
  note.password_hash = account.password_hash;
  return note;
}

Result<std::unique_ptr<Engine>> Engine::open(Parts parts) {
  auto engine = std::make_unique<PackEngine>(std::move(parts));
  CB_TRY(engine->load());
  return engine;
}

}  // namespace cb::repository
