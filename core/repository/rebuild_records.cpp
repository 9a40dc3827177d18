// SPDX-License-Identifier: Apache-2.0
//
// The records of a repository: who owns it, who may come in, and what opens its keys.
#include <algorithm>

#include "core/repository/engine_records.h"
#include "core/repository/pack.h"
#include "core/repository/repository_rebuild.h"
#include "core/repository/signatures.h"

namespace cb::repository {
namespace {

constexpr size_t kMostDoubts = 1000;

catalog::DeviceState state_of(const DeviceId& device, const std::optional<AccountRecord>& kept) {
  // Whether an operator turned it away is lost.
  if (!kept) return catalog::DeviceState::disabled;
  for (const AccountRecord::DeviceState& one : kept->devices)
    if (one.device == device)
      return one.state == 2 ? catalog::DeviceState::revoked : catalog::DeviceState::disabled;
  return catalog::DeviceState::active;
}

}  // namespace

bool is_damage(Code code) {
  switch (code) {
    case Code::corrupt:
    case Code::not_found:
    case Code::limit:
    case Code::auth:
    case Code::unsupported:
    case Code::invalid:
    case Code::io:  // how disks call damage
      return true;
    default:
      return false;
  }
}

void RepositoryRebuild::doubt(const std::string& object, const std::string& what) {
  if (result_.doubts.size() < kMostDoubts) result_.doubts.push_back(object + " " + what);
}

std::string RepositoryRebuild::object(const std::string& name) const {
  return repository_prefix(result_.id) + name;
}

Result<std::vector<plugin::StoredObject>> RepositoryRebuild::list(const std::string& folder) {
  std::vector<plugin::StoredObject> objects;
  CB_ASSIGN(plugin::List list, parts_.store->list_open(object(folder)));
  for (;;) {
    CB_ASSIGN(auto found, list.next());
    if (!found) return objects;
    objects.push_back(std::move(*found));
  }
}

// A change that was broken off counts in place of the record and the slots that it replaces.
Status RepositoryRebuild::take_change(std::optional<RepositoryRecord>& record) {
  CB_ASSIGN(auto change, read(change_object(result_.id), decode_change));
  if (!change || change->record.id != result_.id) return {};
  const bool is_signed = verify_record(change->record, change->record.root).has_value();
  if (!is_signed || (record && record->revision > change->record.revision)) return {};
  changed_slots_ = std::move(change->slots);
  record = std::move(change->record);
  return {};
}

Result<bool> RepositoryRebuild::read_record() {
  const std::string name = record_object(result_.id);
  CB_ASSIGN(auto record, read(name, decode_repository));
  if (record && record->id != result_.id) record.reset();
  CB_TRY(take_change(record));
  if (!record) {
    doubt(name, "is missing or damaged, so nothing of this repository was taken");
    return false;
  }
  if (!verify_record(*record, record->root))
    doubt(name, "is not signed by its owner: clients will refuse it; bring the object back");
  record_ = std::move(*record);
  return true;
}

Result<bool> RepositoryRebuild::add_records() {
  CB_ASSIGN(const bool there, read_record());
  if (!there) return false;
  CB_ASSIGN(const auto kept, read(object("account"), decode_account));
  CB_TRY(read_slots());
  CB_TRY(add_account(kept));
  catalog::Index& index = parts_.catalog->index();
  CB_ASSIGN(number_, index.add_repository(result_.id.bytes, result_.account, encode(record_)));
  for (const KeySlot& slot : slots_) CB_TRY(index.set_slot(number_, slot.id.bytes, encode(slot)));
  if (slots_.empty())
    doubt(slot_prefix(result_.id), "has no key slot: only an exported key opens it");
  CB_ASSIGN(const auto devices, list("device/"));
  for (const auto& device : devices) CB_TRY(add_device(device.name, kept));
  CB_TRY(add_retention());
  CB_TRY(add_origin());
  return true;
}

Status RepositoryRebuild::add_retention() {
  CB_ASSIGN(const auto kept, read(object("retention"), decode_retention));
  if (!kept) return {};
  catalog::Retention& retention = parts_.catalog->retention();
  for (const RetentionRecord::Rules& one : kept->rules)
    CB_TRY(retention.set_rules(number_, {one.source, one.text, one.set_ns, one.set_by}));
  for (const RetentionRecord::Pin& one : kept->pins)
    CB_TRY(retention.set_pin(
        number_, {one.snapshot.bytes, one.until_ns, one.reason, one.set_ns, one.set_by}));
  for (const RetentionRecord::Freeze& one : kept->freezes) {
    catalog::SourceState state;
    state.source = one.source;
    state.frozen_ns = one.until_ns;
    state.froze_ns = one.since_ns;
    state.normal = one.normal;
    state.reason = one.reason;
    CB_TRY(parts_.catalog->sources().set_state(number_, state));
  }
  return {};
}

Status RepositoryRebuild::read_slots() {
  if (!changed_slots_.empty()) {
    slots_ = std::move(changed_slots_);
    result_.slots = slots_.size();
    return {};
  }
  CB_ASSIGN(const auto objects, list("slot/"));
  for (const auto& found : objects) {
    CB_ASSIGN(auto slot, read(found.name, decode_slot));
    if (!slot) continue;
    const auto id = id_in<SlotId>(found.name);
    if (!id || *id != slot->id) {
      doubt(found.name, "is another slot than its name says");
      continue;
    }
    const bool revoked = std::any_of(record_.revoked.begin(), record_.revoked.end(),
                                     [&](const auto& one) { return one.id.bytes == id->bytes; });
    if (!revoked) slots_.push_back(std::move(*slot));
  }
  result_.slots = slots_.size();
  return {};
}

// As the store says, or else a name that says where it comes from.
Result<std::string> RepositoryRebuild::account_name(const std::optional<AccountRecord>& kept) {
  if (result_.is_v3) {
    CB_ASSIGN(std::string name, parts_.name_v3(record_, slots_.front()));
    return name;
  }
  if (kept) return kept->name;
  std::string name = "rebuilt-" + result_.id.hex();
  doubt(object("account"), "is missing, so its account is called " + name +
                               ", and all its devices are disabled: cyberbackupd device enable "
                               "lets those in that may come");
  return name;
}

Status RepositoryRebuild::add_account(const std::optional<AccountRecord>& kept) {
  result_.is_v3 = slots_.size() == 1 && slots_.front().kind == SlotKind::server && parts_.name_v3;
  catalog::Account account;
  CB_ASSIGN(account.name, account_name(kept));
  account.kind = result_.is_v3 ? catalog::AccountKind::v3 : catalog::AccountKind::v4;
  account.created_ns = kept ? kept->created_ns : record_.created_ns;
  account.disabled = kept && kept->disabled;
  if (kept) account.password_hash = kept->password_hash;
  auto added = parts_.catalog->accounts().add_account(account);
  if (!added && added.error().code == Code::exists) {
    const std::string taken = account.name;
    account.name = "rebuilt-" + result_.id.hex();
    doubt(object("account"), "names account " + taken + ", which another repository has; it is " +
                                 account.name + " now");
    added = parts_.catalog->accounts().add_account(account);
  }
  if (!added) return failed(added.error());
  result_.account = account.name;
  if (account.password_hash.empty()) return {};
  return parts_.catalog->accounts().set_password_hash(*added, account.password_hash);
}

Status RepositoryRebuild::add_device(const std::string& name,
                                     const std::optional<AccountRecord>& kept) {
  CB_ASSIGN(const auto certificate, read(name, decode_certificate));
  if (!certificate) return {};
  const DeviceId id = device_of(certificate->device);
  if (id_in<DeviceId>(name) != id || !verify_certificate(*certificate, record_)) {
    doubt(name, "is not certified by the repository's owner");
    return {};
  }
  catalog::Device device;
  device.id = id.bytes;
  CB_ASSIGN(const auto account, parts_.catalog->accounts().account_by_name(result_.account));
  device.account = account ? account->number : 0;
  device.public_key = certificate->device;
  device.certificate = encode(*certificate);
  device.role = static_cast<uint64_t>(certificate->role);
  device.created_ns = certificate->created_ns;
  device.state = state_of(id, kept);
  if (revoked_since(record_, *certificate)) device.state = catalog::DeviceState::revoked;
  const Status added = parts_.catalog->accounts().add_device(device);
  if (!added && added.error().code != Code::exists) return added;
  if (!added) {
    doubt(name, "is a device of another repository, too; it stays there");
    return {};
  }
  devices_.emplace(id, *certificate);
  ++result_.devices;
  return {};
}

Status RepositoryRebuild::finish() {
  CB_ASSIGN(const auto counts, parts_.catalog->index().counts(number_));
  result_.packs = counts.packs;
  result_.blobs = counts.blobs;
  CB_ASSIGN(const auto all, parts_.catalog->index().snapshots(number_, true));
  for (const auto& snapshot : all) ++(snapshot.in_trash ? result_.in_trash : result_.snapshots);
  return {};
}

}  // namespace cb::repository
