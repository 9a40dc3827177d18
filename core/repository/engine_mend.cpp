// SPDX-License-Identifier: Apache-2.0
#include "core/repository/engine_mend.h"

#include "core/identity/signing.h"
#include "core/repository/catalog_rebuild.h"
#include "core/repository/engine_copies.h"
#include "core/repository/engine_notes.h"
#include "core/repository/engine_records.h"
#include "core/repository/opened_blobs.h"
#include "core/repository/pack.h"
#include "core/repository/pack_scanner.h"
#include "core/repository/signatures.h"

namespace cb::repository {
namespace {

constexpr size_t kMendBatch = 256;

class RecordMending {
 public:
  RecordMending(EngineParts& engine, CommitChain& chain, const MendTold& told)
      : engine_(engine), chain_(chain), told_(told) {}

  Status run() {
    CB_ASSIGN(const auto row, engine_.index().repository(chain_.id().bytes));
    if (!row) return {};
    const auto record = decode_repository(row->record);
    // Nothing can be judged without it.
    if (!record || record->id != chain_.id() || !verify_record(*record, record->root)) return {};
    record_ = *record;
    CB_TRY(mend_record(row->record));
    CB_TRY(mend_slots());
    CB_TRY(mend_certificates(row->account));
    CB_TRY(mend_sessions());
    CB_TRY(mend_commits());
    CB_TRY(mend_notes(row->account));
    return mend_opened();
  }

 private:
  using IsTrue = std::function<bool(ByteView)>;

  Status mend(const std::string& object, const Bytes& wanted, const IsTrue& is_true);
  Status mend_record(const Bytes& encoded);
  Status mend_slots();
  Status mend_certificates(int64_t account);
  Status mend_sessions();
  Status mend_session(const catalog::SessionRow& row);
  Status mend_commits();
  Status mend_notes(int64_t account);
  Status mend_opened();
  Result<std::vector<std::string>> damaged_opened();
  Status find_opened(OpenedBlobs& opened);

  EngineParts& engine_;
  CommitChain& chain_;
  const MendTold& told_;
  RepositoryRecord record_;
};

Status RecordMending::mend(const std::string& object, const Bytes& wanted, const IsTrue& is_true) {
  const auto stored = read_object(*engine_.parts.store, object, kMostRecordBytes);
  if (stored && (*stored == wanted || is_true(*stored))) return {};
  if (!stored && !is_damage(stored.error().code)) return failed(stored.error());
  if (!is_true(wanted)) return {};
  CB_TRY(write_object(*engine_.parts.store, object, wanted, false));
  const bool is_gone = !stored && stored.error().code == Code::not_found;
  told_(object, is_gone ? "was missing" : "was damaged");
  return {};
}

// An older one that the owner signed is no damage by itself, but not what the catalog was told.
Status RecordMending::mend_record(const Bytes& encoded) {
  return mend(record_object(chain_.id()), encoded, [this](ByteView bytes) {
    const auto one = decode_repository(bytes);
    return one && one->id == record_.id && one->revision >= record_.revision &&
           verify_record(*one, record_.root);
  });
}

// What is sealed in a slot only its passphrase proves: of two whose pair is signed neither is
// better.
Status RecordMending::mend_slots() {
  CB_ASSIGN(const auto slots, engine_.index().slots(chain_.number()));
  for (const Bytes& encoded : slots) {
    const auto slot = decode_slot(encoded);
    if (!slot) continue;
    CB_TRY(mend(slot_object(chain_.id(), slot->id), encoded, [&](ByteView bytes) {
      const auto one = decode_slot(bytes);
      return one && one->id == slot->id && one->kind == slot->kind &&
             (one->public_half.empty() ||
              identity::verify(record_.root, signed_part(*one, chain_.id()), one->signature));
    }));
  }
  return {};
}

Status RecordMending::mend_certificates(int64_t account) {
  CB_ASSIGN(const auto devices, engine_.parts.catalog->accounts().devices(account));
  for (const catalog::Device& device : devices) {
    if (device.certificate.empty()) continue;
    const DeviceId id{device.id};
    CB_TRY(mend(device_object(chain_.id(), id), device.certificate, [&](ByteView bytes) {
      const auto one = decode_certificate(bytes);
      return one && DeviceId{identity::device_id_of(one->device)} == id &&
             verify_certificate(*one, record_);
    }));
  }
  return {};
}

Status RecordMending::mend_sessions() {
  catalog::Bytes16 last{};
  for (;;) {
    CB_ASSIGN(const auto rows, engine_.index().sessions(chain_.number(), last, kMendBatch));
    for (const catalog::SessionRow& row : rows) {
      last = row.id;
      CB_TRY(mend_session(row));
    }
    if (rows.size() < kMendBatch) return {};
  }
}

// Those alone that rotation replaced are objects.
Status RecordMending::mend_session(const catalog::SessionRow& row) {
  const auto known = decode_session(row.record);
  if (!known || known->wrapped.empty()) return {};
  const SessionId id{row.id};
  return mend(session_object(chain_.id(), id), row.record, [&](ByteView bytes) {
    const auto one = decode_session(bytes);
    return one && one->epoch >= known->epoch && one->device.is_zero() &&
           verify_session_record(*one, chain_.id(), id, {{}, record_.root});
  });
}

// The catalog keeps the hash of each, which the next one repeats: what has it is the record.
Status RecordMending::mend_commits() {
  for (uint64_t sequence = 0;;) {
    CB_ASSIGN(const auto rows, engine_.index().commits(chain_.number(), sequence + 1, kMendBatch));
    for (const catalog::CommitRow& row : rows) {
      sequence = row.sequence;
      CB_TRY(mend(commit_object(chain_.id(), sequence), row.record,
                  [&](ByteView bytes) { return hash_of_record(bytes).bytes == row.hash; }));
    }
    if (rows.size() < kMendBatch) return {};
  }
}

// Nobody signs them: one that can be read is left to who writes it when something changes.
Status RecordMending::mend_notes(int64_t account) {
  const std::string prefix = repository_prefix(chain_.id());
  CB_ASSIGN(const AccountRecord name, account_note(*engine_.parts.catalog, account));
  CB_TRY(mend(prefix + "account", encode(name),
              [](ByteView bytes) { return decode_account(bytes).has_value(); }));
  const int64_t now = engine_.parts.clock->wall().count();
  CB_ASSIGN(const RetentionRecord rules,
            retention_note(*engine_.parts.catalog, chain_.number(), now));
  if (rules == RetentionRecord{}) return {};
  return mend(prefix + "retention", encode(rules),
              [](ByteView bytes) { return decode_retention(bytes).has_value(); });
}

Result<std::vector<std::string>> RecordMending::damaged_opened() {
  std::vector<std::string> damaged;
  CB_ASSIGN(plugin::List list,
            engine_.parts.store->list_open(repository_prefix(chain_.id()) + "opened/"));
  for (;;) {
    CB_ASSIGN(const auto object, list.next());
    if (!object) return damaged;
    const auto bytes = read_object(*engine_.parts.store, object->name, kMostRecordBytes);
    if (!bytes && !is_damage(bytes.error().code)) return failed(bytes.error());
    const bool is_gone = !bytes && bytes.error().code == Code::not_found;
    if (!is_gone && (!bytes || !decode_opened(*bytes))) damaged.push_back(object->name);
  }
}

// What everybody leans on and lies in a pack that does not say so.
Status RecordMending::find_opened(OpenedBlobs& opened) {
  for (int64_t after = 0;;) {
    CB_ASSIGN(const auto packs, engine_.index().packs(chain_.number(), after, kMendBatch));
    for (const catalog::PackRow& pack : packs) {
      after = pack.number;
      const PackName name{pack.name};
      auto bytes = StoredPack::open(*engine_.parts.store, pack_object(chain_.id(), name));
      const auto header = bytes ? read_header(*bytes) : failed(bytes.error());
      if (!header || header->domain == PackDomain::open) continue;
      CB_ASSIGN(const auto rows, engine_.index().blobs_of_pack(pack.number));
      std::vector<BlobId> blobs;
      for (const catalog::BlobPlace& row : rows)
        if (row.domain == catalog::kOpenDomain) blobs.push_back(BlobId{row.id});
      if (!blobs.empty()) opened.packs.push_back({name, std::move(blobs)});
    }
    if (packs.size() < kMendBatch) return {};
  }
}

// The catalog knows what all notes together say; so one takes the place of those that are damaged.
Status RecordMending::mend_opened() {
  CB_ASSIGN(const auto damaged, damaged_opened());
  if (damaged.empty()) return {};
  OpenedBlobs opened;
  CB_TRY(find_opened(opened));
  if (!opened.packs.empty()) CB_TRY(write_opened(engine_, chain_, opened));
  for (const std::string& object : damaged) {
    CB_TRY(engine_.parts.store->remove(object));
    told_(object, "was damaged");
  }
  return {};
}

}  // namespace

Status mend_records(EngineParts& engine, CommitChain& chain, const MendTold& told) {
  const std::lock_guard lock(chain.mutex);
  const auto under_way = engine.parts.store->stat(change_object(chain.id()));
  if (under_way) return {};  // the next start ends it
  if (under_way.error().code != Code::not_found && !is_damage(under_way.error().code))
    return failed(under_way.error());
  return RecordMending(engine, chain, told).run();
}

}  // namespace cb::repository
