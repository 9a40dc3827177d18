// SPDX-License-Identifier: Apache-2.0
#include "core/rescue/rescue.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/repository/signatures.h"
#include "core/repository/slots.h"

namespace cb::rescue {
namespace {

using repository::BlobId;
using repository::CommitRecord;
using repository::CommitType;
using repository::Keyring;
using repository::KeySlot;
using repository::RepositoryId;
using repository::SessionId;
using repository::SnapshotInfo;

// Slots that may be of this repository: names tell, or the root key's signature, or nothing does.
std::vector<KeySlot> slots_of(const Hoard& hoard, const RepositoryId& id,
                              const std::optional<repository::RepositoryRecord>& record) {
  std::vector<KeySlot> slots;
  for (const auto& found : hoard.slots) {
    if (found.repository && *found.repository != id) continue;
    const bool is_signed = !found.record.public_half.empty();
    if (!found.repository && record && is_signed &&
        !identity::verify(record->root, signed_part(found.record, id), found.record.signature))
      continue;
    slots.push_back(found.record);
  }
  return slots;
}

// A key file is of one repository.
Status check_choice(const RescueKey& key, const RescueWish& wish) {
  if (!wish.repository || *wish.repository == key.record.id) return {};
  return failed(Code::invalid, "repository " + wish.repository->hex(),
                "is another than that of the key file, which is " + key.record.id.hex(),
                "leave out --repository, or give the key file of that one");
}

}  // namespace

Result<Keyring> Rescue::open_slots(const repository::Suite& suite, const RepositoryId& id,
                                   const RescueSecret& secret) const {
  const auto slots = slots_of(*hoard_, id, hoard_->repositories().at(id).record);
  if (secret.code)
    return repository::open_with_recovery_code(*suite.crypto, id, slots, secret.code->view());
  return repository::open_with_passphrase(*suite.crypto, id, slots,
                                          as_text(secret.passphrase->view()));
}

Status Rescue::unlock(const repository::Suite& suite, const RescueSecret& secret,
                      const RescueWish& wish) {
  std::vector<std::pair<RepositoryId, Keyring>> opened;
  Error trouble = fail(Code::not_found, "the folder", "has no key slot",
                       "a key file opens packs alone: give it with --key");
  for (const auto& [id, found] : hoard_->repositories()) {
    if (wish.repository && *wish.repository != id) continue;
    auto keyring = open_slots(suite, id, secret);
    if (keyring)
      opened.emplace_back(id, std::move(*keyring));
    else if (keyring.error().code != Code::not_found)
      trouble = keyring.error();
  }
  if (opened.empty()) return failed(std::move(trouble));
  if (opened.size() > 1)
    return failed(Code::invalid, "the folder",
                  "holds " + std::to_string(opened.size()) + " repositories that this opens, " +
                      opened[0].first.hex() + " among them",
                  "choose one with --repository");
  id_ = opened.front().first;
  keyring_ = std::move(opened.front().second);
  return {};
}

void Rescue::find_root(const RescueSecret& secret) {
  record_ = found_->record;
  if (secret.key && (!record_ || record_->root != secret.key->record.root ||
                     record_->revision < secret.key->record.revision))
    record_ = secret.key->record;
  if (record_) root_ = record_->root;
  if (keyring_.root_seed.empty()) return;
  const auto key = identity::SigningKey::from_seed(keyring_.root_seed.view());
  if (key) root_ = key->public_key();
  if (record_ && record_->root != root_) {
    notes_.push_back("the repository record is not of the owner whose keys these are");
    record_.reset();
  }
}

void Rescue::take_certificates() {
  if (!record_) return;
  for (const auto& found : hoard_->certificates) {
    if (!repository::verify_certificate(found.record, *record_)) continue;
    devices_[repository::device_of(found.record.device)] = found.record;
  }
}

std::optional<repository::SigningPublic> Rescue::key_of(const repository::DeviceId& device) const {
  const auto found = devices_.find(device);
  if (found == devices_.end() || !has_commits_) return std::nullopt;
  return found->second.device;
}

// A record that rotation replaced does not say of which session it is: its name does, or the
// signature that fits one.
void Rescue::add_replaced_sessions(PackRemote::Parts& parts) {
  for (const auto& found : hoard_->sessions) {
    if (found.repository && *found.repository != id_) continue;
    const auto fits = [&](const SessionId& session) {
      return repository::verify_session_record(found.record, id_, session, {{}, root_}).has_value();
    };
    if (!found.record.device.is_zero()) continue;
    auto at = found.session ? parts.sessions.find(*found.session) : parts.sessions.end();
    if (at == parts.sessions.end() || !fits(at->first))
      at = std::find_if(parts.sessions.begin(), parts.sessions.end(),
                        [&](const auto& known) { return fits(known.first); });
    if (at != parts.sessions.end()) at->second.push_back(repository::encode(found.record));
  }
}

// Those first that are signed by who they name, then those whose key is there, the newest of them
// first.
void Rescue::rank_sessions(PackRemote::Parts& parts) const {
  const auto rank = [this](const SessionId& session, const Bytes& encoded) {
    const auto record = repository::decode_session(encoded);
    if (!record) return std::tuple(false, false, uint32_t{0});
    repository::SessionSigners signers{{}, root_};
    const auto device = devices_.find(record->device);
    if (device != devices_.end()) signers.device = device->second.device;
    const bool is_signed =
        repository::verify_session_record(*record, id_, session, signers).has_value();
    const bool has_key = std::any_of(keyring_.epochs.begin(), keyring_.epochs.end(),
                                     [&](const auto& one) { return one.epoch == record->epoch; });
    return std::tuple(is_signed, has_key, record->epoch);
  };
  for (auto& [session, records] : parts.sessions) {
    if (records.size() < 2) continue;
    std::stable_sort(
        records.begin(), records.end(),
        [&, id = session](const auto& a, const auto& b) { return rank(id, a) > rank(id, b); });
  }
}

// This repository's records, by sequence.
std::map<uint64_t, const CommitRecord*> Rescue::chain() const {
  std::map<uint64_t, const CommitRecord*> chain;
  for (const auto& found : hoard_->commits) {
    if (found.repository && *found.repository != id_) continue;
    // Without a name only its snapshot tells whose commit it is.
    if (!found.repository && !found_->snapshots.contains(found.record.snapshot)) continue;
    chain.emplace(found.record.sequence, &found.record);
  }
  return chain;
}

// The chain's last word on each snapshot.
std::vector<SnapshotInfo> Rescue::committed() {
  std::map<uint64_t, SnapshotInfo> live;  // by the sequence of their commits
  std::map<BlobId, uint64_t> commits;
  uint64_t last = 0;
  for (const auto& [sequence, record] : chain()) {
    if (sequence != last + 1)
      notes_.push_back("commit records " + std::to_string(last + 1) + " to " +
                       std::to_string(sequence - 1) +
                       " are missing: what they forgot or removed shows up");
    last = sequence;
    if (record->type == CommitType::commit) {
      const bool is_new = commits.emplace(record->snapshot, sequence).second;
      if (is_new) live.emplace(sequence, SnapshotInfo{*record, false});
      continue;
    }
    const auto commit = commits.find(record->snapshot);
    if (commit == commits.end()) continue;
    if (record->type == CommitType::removal) {
      live.erase(commit->second);
      commits.erase(commit);  // committed again it is a new snapshot
    } else if (const auto at = live.find(commit->second); at != live.end() && may_forget(*record))
      at->second.in_trash = record->type == CommitType::forget;
  }
  has_commits_ = last > 0;
  std::vector<SnapshotInfo> all;
  for (const auto& [sequence, info] : live) all.push_back(info);
  return all;
}

// The end of the chain may be lost.
void Rescue::tell_unnamed() {
  std::set<BlobId> unnamed = found_->snapshots;
  for (const auto& [sequence, record] : chain()) unnamed.erase(record->snapshot);
  if (unnamed.empty()) return;
  notes_.push_back("in the packs are " + std::to_string(unnamed.size()) +
                   " snapshots that no commit names; --all shows them");
}

// Writers and readers only wish.
bool Rescue::may_forget(const CommitRecord& record) const {
  const auto found = devices_.find(record.device);
  return found == devices_.end() || found->second.role == repository::Role::owner;
}

// What a snapshot says of itself.
Result<SnapshotInfo> Rescue::read_snapshot(const BlobId& id) {
  SnapshotInfo info;
  const auto take = [&](const repository::StoredBlob& blob) -> Status {
    const SessionId& session = blob.head.session;
    if (!opener_->knows(session)) {
      const BlobId record = repository::blob_of(session);
      CB_TRY(remote_->get(std::span(&record, 1), {}, [&](const repository::StoredBlob& found) {
        return opener_->learn(session, found.stored);
      }));
    }
    CB_ASSIGN(const repository::PlainBlob plain, opener_->open(blob));
    CB_ASSIGN(const repository::SnapshotRecord inside, repository::decode_snapshot(plain.plain));
    if (plain.children.size() != 1) return failed(Code::corrupt, "snapshot", "names no file list");
    info.commit.snapshot = id;
    info.commit.root = plain.children.front();
    info.commit.device = inside.device;
    info.commit.time_ns = inside.time_ns;
    info.commit.flags = inside.flags;
    info.commit.files = inside.files;
    info.commit.bytes = inside.bytes;
    return {};
  };
  CB_TRY(remote_->get(std::span(&id, 1), {}, take));
  return info;
}

// Snapshots in packs that no commit names; oldest first.
Result<std::vector<SnapshotInfo>> Rescue::uncommitted(const std::vector<SnapshotInfo>& committed) {
  std::vector<SnapshotInfo> all;
  for (const BlobId& id : found_->snapshots) {
    const bool known = std::any_of(committed.begin(), committed.end(),
                                   [&](const auto& info) { return info.commit.snapshot == id; });
    if (known) continue;
    auto info = read_snapshot(id);
    if (info)
      all.push_back(std::move(*info));
    else if (info.error().code == Code::cancelled)
      return failed(info.error());
    else
      notes_.push_back("snapshot " + id.hex() + " cannot be read: " + info.error().cause);
  }
  std::sort(all.begin(), all.end(), [](const SnapshotInfo& a, const SnapshotInfo& b) {
    return a.commit.time_ns < b.commit.time_ns;
  });
  return all;
}

Result<std::unique_ptr<Rescue>> Rescue::open(std::unique_ptr<Hoard> hoard,
                                             const repository::Suite& suite,
                                             const RescueSecret& secret, const RescueWish& wish) {
  std::unique_ptr<Rescue> rescue(new Rescue);
  rescue->hoard_ = std::move(hoard);
  if (secret.key) {
    CB_TRY(check_choice(*secret.key, wish));
    rescue->id_ = secret.key->record.id;
    rescue->keyring_ = secret.key->keyring.clone();
  } else {
    CB_TRY(rescue->unlock(suite, secret, wish));
  }
  const auto found = rescue->hoard_->repositories().find(rescue->id_);
  if (found == rescue->hoard_->repositories().end() || found->second.packs == 0)
    return failed(Code::not_found, "repository " + rescue->id_.hex(), "has no pack in the folder");
  rescue->found_ = &found->second;
  rescue->find_root(secret);
  rescue->take_certificates();
  CB_ASSIGN(rescue->opener_, repository::Opener::make(suite, rescue->id_, rescue->keyring_));
  PackRemote::Parts parts;
  parts.hoard = rescue->hoard_.get();
  parts.found = rescue->found_;
  parts.repository = rescue->id_;
  parts.opener = rescue->opener_.get();
  parts.sessions = rescue->found_->sessions;
  rescue->add_replaced_sessions(parts);
  rescue->rank_sessions(parts);
  rescue->remote_ = std::make_shared<PackRemote>(std::move(parts));
  std::vector<SnapshotInfo> snapshots = rescue->committed();
  if (!rescue->has_commits_ || wish.all) {
    CB_ASSIGN(const auto more, rescue->uncommitted(snapshots));
    snapshots.insert(snapshots.begin(), more.begin(), more.end());
  } else {
    rescue->tell_unnamed();
  }
  rescue->remote_->set_snapshots(std::move(snapshots));
  return rescue;
}

}  // namespace cb::rescue
