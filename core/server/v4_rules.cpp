// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_rules.h"

#include <algorithm>
#include <set>

#include "core/repository/engine_chain.h"
#include "core/repository/signatures.h"

namespace cb::server {
namespace {

using repository::KeySlot;
using repository::RepositoryRecord;
using repository::SlotKind;

Error bad_slot(const KeySlot& slot, std::string cause) {
  return fail(Code::invalid, "key slot " + slot.id.hex(), std::move(cause));
}

Error bad_record(Code code, std::string cause, std::string advice = {}) {
  return fail(code, "repository record", std::move(cause), std::move(advice));
}

// A reader's: its device's id, and nothing but a sealed keyring.
Status check_device_slot(const KeySlot& slot) {
  if (slot.cipher.empty() || slot.sealed.empty()) return failed(bad_slot(slot, "holds no keyring"));
  if (!slot.public_half.empty() || !slot.locked.empty() || !slot.salt.empty())
    return failed(bad_slot(slot, "is a device's and has a pair of its own"));
  if (repository::encode(slot).size() > kLongestSlot)
    return failed(Code::limit, "key slot " + slot.id.hex(), "is too large");
  return {};
}

bool is_prefix(const std::vector<repository::Epoch>& of,
               const std::vector<repository::Epoch>& longer) {
  return of.size() <= longer.size() && std::equal(of.begin(), of.end(), longer.begin());
}

template <typename T>
bool contains_all(const std::vector<T>& all, const std::vector<T>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const T& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  });
}

bool keeps_what_stays(const RepositoryRecord& current, const RepositoryRecord& next) {
  return next.suite == current.suite && next.compression == current.compression &&
         next.cutting == current.cutting && next.created_ns == current.created_ns &&
         contains_all(next.features, current.features);
}

}  // namespace

bool is_revoked(const RepositoryRecord& record, ByteView id) {
  return std::any_of(record.revoked.begin(), record.revoked.end(), [&](const auto& revoked) {
    return std::equal(id.begin(), id.end(), revoked.id.bytes.begin(), revoked.id.bytes.end());
  });
}

Status check_slot(const RepositoryRecord& record, const KeySlot& slot) {
  if (slot.kind != SlotKind::passphrase && slot.kind != SlotKind::recovery_code)
    return failed(bad_slot(slot, "is of a kind that is not added like this"));
  if (slot.sealed.empty()) return failed(bad_slot(slot, "holds no keyring"));
  if (is_revoked(record, slot.id.view())) return failed(bad_slot(slot, "was revoked"));
  if (repository::encode(slot).size() > kLongestSlot)
    return failed(Code::limit, "key slot " + slot.id.hex(), "is too large");
  if (slot.public_half.empty()) return {};
  if (identity::verify(record.root, repository::signed_part(slot, record.id), slot.signature))
    return {};
  return failed(Code::auth, "key slot " + slot.id.hex(), "is not signed by the owner");
}

Status check_added_slot(const RepositoryRecord& record, const KeySlot& slot) {
  CB_TRY(check_slot(record, slot));
  if (!slot.public_half.empty()) return {};
  return failed(Code::auth, "key slot " + slot.id.hex(), "is not signed by the owner",
                "use a program of the same age as the server");
}

Status check_room(std::span<const KeySlot> there, std::span<const KeySlot> added) {
  size_t bytes = 0;
  for (const KeySlot& slot : there) bytes += repository::encode(slot).size();
  for (const KeySlot& slot : added) bytes += repository::encode(slot).size();
  if (there.size() + added.size() <= kMostSlots && bytes <= kMostSlotBytes) return {};
  return failed(Code::limit, "key slots",
                "would be too many: " + std::to_string(there.size() + added.size()) + " of " +
                    std::to_string(bytes) + " bytes",
                "an owner removes one first: cyberbackup key remove");
}

Status check_removed_slot(std::span<const KeySlot> slots, const repository::SlotId& removed) {
  const std::string object = "key slot " + removed.hex();
  bool opens = false;
  for (const KeySlot& slot : slots) {
    const bool is_signed = slot.kind != SlotKind::device && !slot.public_half.empty();
    if (slot.id != removed) {
      opens = opens || is_signed;
      continue;
    }
    if (slot.kind == SlotKind::device)
      return failed(Code::denied, object, "is a reader's", "revoke the device instead");
    if (is_signed)
      return failed(Code::denied, object, "goes only with a record that the owner signs",
                    "run `cyberbackup key rotate` first, then remove it again");
  }
  if (opens) return {};
  return failed(Code::denied, object, "is the last that can be opened",
                "add another passphrase or recovery code first: cyberbackup key add");
}

Status check_slots_of(const RepositoryRecord& record, const V4NewDevice& device) {
  const std::string object = "device " + device.device.hex();
  switch (device.certificate.role) {
    case repository::Role::owner:
      if (device.slots.size() > 4) return failed(Code::limit, object, "brings too many key slots");
      for (const KeySlot& slot : device.slots) CB_TRY(check_added_slot(record, slot));
      return {};
    case repository::Role::writer:
      if (device.slots.empty()) return {};
      return failed(Code::invalid, object, "is a writer and brings key slots");
    case repository::Role::reader:
      break;
  }
  if (device.certificate.kem_public.empty())
    return failed(Code::invalid, object, "is a reader without a key for its slot");
  if (device.slots.size() != 1 || device.slots[0].kind != SlotKind::device ||
      device.slots[0].id.bytes != device.device.bytes)
    return failed(Code::invalid, object, "is a reader and brings not its own slot alone");
  return check_device_slot(device.slots[0]);
}

Status check_all_slots(const RepositoryRecord& record, std::span<const KeySlot> slots,
                       std::span<const repository::DeviceId> readers) {
  CB_TRY(check_room({}, slots));
  std::set<repository::SlotId> ids;
  bool opens = false;
  for (const KeySlot& slot : slots) {
    if (!ids.insert(slot.id).second) return failed(bad_slot(slot, "is there twice"));
    if (slot.kind != SlotKind::device) {
      CB_TRY(check_slot(record, slot));
      opens = true;
      continue;
    }
    const bool known = std::any_of(readers.begin(), readers.end(), [&](const auto& reader) {
      return reader.bytes == slot.id.bytes;
    });
    if (!known) return failed(bad_slot(slot, "is of no reader's device"));
    CB_TRY(check_device_slot(slot));
  }
  if (opens) return {};
  return failed(Code::denied, "key slots", "would leave no passphrase and no recovery code");
}

Status check_next_record(const RepositoryRecord& current, const RepositoryRecord& next) {
  if (next == current) return {};
  if (next.id != current.id || next.root != current.root)
    return failed(bad_record(Code::auth, "is of another repository or another owner"));
  CB_TRY(repository::verify_record(next, current.root));
  if (next.revision != current.revision + 1)
    return failed(bad_record(Code::exists,
                             "has revision " + std::to_string(next.revision) + ", but " +
                                 std::to_string(current.revision) + " is the newest here",
                             "read it again and repeat what was changed"));
  if (!keeps_what_stays(current, next))
    return failed(bad_record(Code::invalid, "changes what a repository keeps for ever"));
  if (!is_prefix(current.epochs, next.epochs))
    return failed(bad_record(Code::invalid, "lacks or changes an epoch that there was"));
  if (!contains_all(next.revoked, current.revoked))
    return failed(bad_record(Code::invalid, "takes a revocation back"));
  if (next.revoked.size() > kMostRevoked || repository::encode(next).size() > kLongestRecord)
    return failed(bad_record(Code::limit, "has grown too large"));
  return {};
}

Status check_rewrapped(const RepositoryRecord& record, const repository::SessionId& session,
                       const repository::SessionRecord& rewrapped) {
  const std::string object = "session record " + session.hex();
  if (repository::encode(rewrapped).size() > repository::kLongestSessionRecord)
    return failed(Code::invalid, object, "is too long");
  if (!rewrapped.device.is_zero() || rewrapped.wrapped.empty())
    return failed(Code::invalid, object, "is not one that rotation makes");
  const bool known = std::any_of(record.epochs.begin(), record.epochs.end(),
                                 [&](const auto& one) { return one.number == rewrapped.epoch; });
  if (!known || rewrapped.suite != record.suite)
    return failed(Code::invalid, object, "is of an epoch or a suite that there is not");
  return repository::verify_session_record(rewrapped, record.id, session, {{}, record.root});
}

}  // namespace cb::server
