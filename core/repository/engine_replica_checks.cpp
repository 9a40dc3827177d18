// SPDX-License-Identifier: Apache-2.0
//
// What a copy takes of another server's word, and what it does not: signatures are the owner's, its
// devices' and that server's; what there was stays so.
#include <algorithm>
#include <set>

#include "core/repository/engine_replica.h"
#include "core/repository/signatures.h"

namespace cb::repository {
namespace {

Error refused(Code code, const CommitRecord& commit, const std::string& cause) {
  return fail(code, "commit " + std::to_string(commit.sequence), cause,
              "ask the source's operator what happened; nothing of it was taken");
}

Error went_back(const RepositoryRecord& record, const std::string& cause) {
  return fail(Code::denied, "repository " + record.id.hex(), cause,
              "ask the source's operator what happened; what is here stays as it is");
}

template <typename T>
bool holds_all(const std::vector<T>& all, const std::vector<T>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const T& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  });
}

bool is_named_revoked(const RepositoryRecord& record, const SlotId& id) {
  return std::any_of(record.revoked.begin(), record.revoked.end(),
                     [&](const Revocation& one) { return one.id.bytes == id.bytes; });
}

// Does the root key vouch for its pair? Those of readers and of the first format have none.
bool has_signed_pair(const KeySlot& slot) {
  return slot.kind != SlotKind::device && !slot.public_half.empty();
}

Error lost_slot(const KeySlot& slot, const std::string& cause) {
  return fail(Code::denied, "key slot " + slot.id.hex(), cause,
              "ask the source's operator what happened; what is here stays as it is");
}

// What may come in the place of a slot. What is sealed to it no signature covers: it may only
// change with a record that is newer, as a rotation makes it.
Status check_changed_slot(const RepositoryRecord& next, const KeySlot& slot, const KeySlot& coming,
                          bool is_newer) {
  if (coming == slot) return {};
  if (!is_newer)
    return failed(lost_slot(slot, "is another one there than here, without a newer record"));
  if (!has_signed_pair(slot) || signed_part(coming, next.id) == signed_part(slot, next.id))
    return {};
  return failed(lost_slot(slot, "has another pair there than here"));
}

// One that does not come at all: without the owner's word it stays. (A source may have lost it.)
bool may_go(const RepositoryRecord& next, const KeySlot& slot, bool is_newer, bool another_opens) {
  if (is_named_revoked(next, slot.id)) return true;
  return slot.kind == SlotKind::device ? is_newer : !has_signed_pair(slot) && another_opens;
}

Status check_signer(const CommitChain& chain, const CommitRecord& commit,
                    const SigningPublic& key) {
  if (verify_snapshot_signature(chain.id(), commit.snapshot, key, commit.device_signature))
    return {};
  return failed(refused(Code::auth, commit, "has a snapshot that its device did not sign"));
}

// An honest chain's times never go back. (One whose clock was ahead once stays ahead: that the
// watch allows for.)
Status check_time(const CommitChain& chain, const CommitRecord& commit) {
  if (commit.time_ns >= chain.time_ns()) return {};
  return failed(refused(Code::denied, commit, "is older than the one before it"));
}

}  // namespace

Status check_commit_of_copy(EngineParts& engine, const CommitChain& chain,
                            const CommitRecord& commit) {
  CB_TRY(check_time(chain, commit));
  const bool makes = commit.type == CommitType::commit;
  CB_ASSIGN(const auto row, engine.index().repository(chain.id().bytes));
  if (!row) return failed(Code::not_found, "repository " + chain.id().hex(), "is not here");
  CB_ASSIGN(const RepositoryRecord record, decode_repository(row->record));
  if (commit.device.is_zero()) return makes ? check_signer(chain, commit, record.root) : Status();
  CB_ASSIGN(const auto device, engine.parts.catalog->accounts().device_by_id(commit.device.bytes));
  if (!device || device->account != row->account)
    return failed(
        refused(Code::auth, commit,
                "is of device " + commit.device.hex() + ", which no owner has certified"));
  CB_ASSIGN(const Certificate certificate, decode_certificate(device->certificate));
  const auto since = revoked_since(record, certificate);
  if (since && commit.sequence >= *since)
    return failed(refused(Code::denied, commit,
                          "is of device " + commit.device.hex() + ", which was revoked before"));
  if (!makes) return {};
  if (certificate.role == Role::reader)
    return failed(refused(Code::denied, commit,
                          "is of device " + commit.device.hex() + ", which may only read"));
  return check_signer(chain, commit, certificate.device);
}

Status check_record_of_copy(const RepositoryRecord& current, const RepositoryRecord& next) {
  if (next.id != current.id || next.root != current.root)
    return failed(Code::auth, "repository " + next.id.hex(),
                  "is another one than that which is here, or another owner's");
  CB_TRY(verify_record(next, current.root));
  if (next == current) return {};
  if (next.revision < current.revision)
    return failed(went_back(next, "has revision " + std::to_string(next.revision) +
                                      " there, and had " + std::to_string(current.revision)));
  if (next.revision == current.revision)
    return failed(went_back(next, "has two records of revision " + std::to_string(next.revision)));
  const bool keeps_epochs =
      current.epochs.size() <= next.epochs.size() &&
      std::equal(current.epochs.begin(), current.epochs.end(), next.epochs.begin());
  if (keeps_epochs && holds_all(next.revoked, current.revoked)) return {};
  return failed(went_back(next, "lacks an epoch or a revocation that there was"));
}

Result<std::vector<KeySlot>> slots_of_copy(const RepositoryRecord& current,
                                           const RepositoryRecord& next, const SlotsOfCopy& slots) {
  const bool is_newer = next.revision > current.revision;
  bool one_opens = false;
  std::set<SlotId> ids;
  for (const KeySlot& slot : slots.coming) {
    if (!ids.insert(slot.id).second)
      return failed(Code::corrupt, "key slot " + slot.id.hex(), "is there twice");
    if (!has_signed_pair(slot)) continue;
    if (!identity::verify(next.root, signed_part(slot, next.id), slot.signature))
      return failed(Code::auth, "key slot " + slot.id.hex(), "is not signed by the owner",
                    "ask the source's operator what happened; nothing of it was taken");
    one_opens = true;
  }
  std::vector<KeySlot> all(slots.coming.begin(), slots.coming.end());
  for (const KeySlot& slot : slots.here) {
    const auto coming = std::find_if(slots.coming.begin(), slots.coming.end(),
                                     [&](const KeySlot& one) { return one.id == slot.id; });
    if (coming != slots.coming.end())
      CB_TRY(check_changed_slot(next, slot, *coming, is_newer));
    else if (!may_go(next, slot, is_newer, one_opens))
      all.push_back(slot);
  }
  std::sort(all.begin(), all.end(),
            [](const KeySlot& one, const KeySlot& other) { return one.id < other.id; });
  return all;
}

}  // namespace cb::repository
