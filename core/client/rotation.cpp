// SPDX-License-Identifier: Apache-2.0
#include "core/client/rotation.h"

#include <algorithm>

#include "core/base/trial.h"
#include "core/repository/rotation_keys.h"
#include "core/repository/signatures.h"

namespace cb::client {
namespace {

using repository::KeySlot;
using repository::RepositoryRecord;
using repository::Revocation;
using repository::Role;
using repository::SessionEntry;
using repository::SlotKind;

constexpr size_t kBatch = 256;  // session records in one request, some 100 KiB

class Run {
 public:
  Run(const RotationParts& parts, Unlocked& unlocked) : parts_(parts), unlocked_(unlocked) {}

  // The record keeps the public halves of all epochs; the private ones go when they are not needed.
  [[nodiscard]] bool begun() const { return unlocked_.keyring.epochs.size() > 1; }
  RotationReport& report() { return report_; }

  Status begin(std::span<const Revocation> revoked);
  Status revoke(std::span<const Revocation> revoked);
  Status withdraw_invites();
  Status rewrap();
  Status finish();

 private:
  Result<std::vector<repository::InviteId>> waiting_invites();
  Status put(RepositoryRecord next, repository::Keyring keyring);
  Result<std::vector<KeySlot>> seal_all(const RepositoryRecord& next,
                                        const repository::Keyring& keyring);
  Result<KeySlot> seal_one(const repository::SlotMaker& maker, const KeySlot& slot) const;
  Status rewrap_page(const repository::Rewrapper& rewrapper, std::vector<SessionEntry> page);
  [[nodiscard]] uint32_t newest() const { return unlocked_.record.epochs.back().number; }

  const RotationParts& parts_;
  Unlocked& unlocked_;
  RotationReport report_;
};

void add_revoked(RepositoryRecord& record, std::span<const Revocation> revoked) {
  for (const Revocation& one : revoked) {
    const auto place =
        std::lower_bound(record.revoked.begin(), record.revoked.end(), one,
                         [](const Revocation& a, const Revocation& b) { return a.id < b.id; });
    if (place == record.revoked.end() || place->id != one.id)
      record.revoked.insert(place, one);
    else
      place->since = std::min(place->since, one.since);
  }
}

bool is_revoked(const RepositoryRecord& record, ByteView id) {
  return std::any_of(record.revoked.begin(), record.revoked.end(), [&](const Revocation& one) {
    return std::equal(id.begin(), id.end(), one.id.bytes.begin(), one.id.bytes.end());
  });
}

// The repository's record as its owner signs it.
Status sign_next(RepositoryRecord& record, const repository::Keyring& keyring) {
  CB_ASSIGN(const auto root, identity::SigningKey::from_seed(keyring.root_seed.view()));
  return repository::sign_record(record, root);
}

Result<KeySlot> Run::seal_one(const repository::SlotMaker& maker, const KeySlot& slot) const {
  if (!slot.cipher.empty()) return repository::reseal_slot(maker, slot);
  auto fresh = repository::renew_slot(maker, slot, as_text(unlocked_.secret.view()));
  if (fresh || fresh.error().code != Code::denied) return fresh;
  return failed(Code::state, "key slot " + slot.id.hex(),
                "is of the first format and was opened by nobody here",
                "remove it with `cyberbackup key remove` and add its passphrase or code anew");
}

// Every slot there is to be: those of people, and one for each reader that is not revoked.
Result<std::vector<KeySlot>> Run::seal_all(const RepositoryRecord& next,
                                           const repository::Keyring& keyring) {
  const repository::SlotMaker maker{*parts_.crypto, *parts_.random, next.id, keyring};
  std::vector<KeySlot> sealed;
  for (const KeySlot& slot : unlocked_.slots) {
    const bool of_people =
        slot.kind == SlotKind::passphrase || slot.kind == SlotKind::recovery_code;
    if (!of_people || is_revoked(next, slot.id.view())) continue;
    CB_ASSIGN(KeySlot fresh, seal_one(maker, slot));
    sealed.push_back(std::move(fresh));
  }
  if (sealed.empty())
    return failed(Code::denied, "key slots", "would all be gone",
                  "add another with `cyberbackup key add` first");
  CB_ASSIGN(const repository::DeviceList list, parts_.owner->devices());
  const repository::Keyring readers = repository::keyring_of(keyring, Role::reader);
  for (const repository::DeviceEntry& entry : list.devices) {
    const repository::Certificate& certificate = entry.certificate;
    if (certificate.role != Role::reader || certificate.kem_public.empty()) continue;
    // The server says who there is; who may read, the owner's signature does.
    if (!repository::verify_certificate(certificate, next)) continue;
    if (repository::revoked_since(next, certificate)) continue;
    const repository::DeviceId device = repository::device_of(certificate.device);
    CB_ASSIGN(KeySlot fresh,
              repository::make_device_slot({*parts_.crypto, next.id, next.root, device},
                                           certificate.kem_public, readers));
    sealed.push_back(std::move(fresh));
  }
  return sealed;
}

Status Run::put(RepositoryRecord next, repository::Keyring keyring) {
  CB_TRY(sign_next(next, keyring));
  CB_ASSIGN(std::vector<KeySlot> slots, seal_all(next, keyring));
  CB_TRY(parts_.owner->put_record(next, slots));
  report_.slots = slots.size();
  unlocked_.record = std::move(next);
  unlocked_.slots = std::move(slots);
  unlocked_.keyring = std::move(keyring);
  return {};
}

Status Run::begin(std::span<const Revocation> revoked) {
  RepositoryRecord next = unlocked_.record;
  repository::Keyring keyring = unlocked_.keyring.clone();
  add_revoked(next, revoked);
  // In the signed record, so that nobody believes who comes with one, whatever the server keeps.
  CB_ASSIGN(const std::vector<repository::InviteId> waiting, waiting_invites());
  for (const repository::InviteId& invite : waiting) {
    const Revocation void_now{{invite.bytes}, parts_.next_commit};
    add_revoked(next, std::span(&void_now, 1));
  }
  CB_TRY(repository::add_epoch(*parts_.crypto, next, keyring));
  return put(std::move(next), std::move(keyring));
}

Status Run::revoke(std::span<const Revocation> revoked) {
  RepositoryRecord next = unlocked_.record;
  add_revoked(next, revoked);
  ++next.revision;
  const Status done = put(next, unlocked_.keyring.clone());
  if (done || done.error().code != Code::state) return done;
  // A slot that nobody can seal anew must not keep anybody in.
  CB_TRY(sign_next(next, unlocked_.keyring));
  CB_TRY(parts_.owner->put_record(next, std::nullopt));
  unlocked_.record = std::move(next);
  return {};
}

// Those that hold an owner's or a reader's keys.
Result<std::vector<repository::InviteId>> Run::waiting_invites() {
  CB_ASSIGN(const repository::DeviceList list, parts_.owner->devices());
  std::vector<repository::InviteId> waiting;
  for (const repository::InviteEntry& entry : list.invites)
    if (!entry.used_by && entry.invite.role != Role::writer) waiting.push_back(entry.invite.id);
  return waiting;
}

Status Run::withdraw_invites() {
  CB_ASSIGN(const std::vector<repository::InviteId> waiting, waiting_invites());
  for (const repository::InviteId& invite : waiting) {
    const Status removed = parts_.owner->remove_invite(invite);
    if (!removed && removed.error().code != Code::not_found) return removed;
    report_.withdrawn.push_back(invite);
  }
  return {};
}

Status Run::rewrap_page(const repository::Rewrapper& rewrapper, std::vector<SessionEntry> page) {
  std::vector<SessionEntry> batch;
  const auto send = [&]() -> Status {
    if (batch.empty()) return {};
    CB_TRY(parts_.owner->put_sessions(batch));
    report_.sessions += batch.size();
    batch.clear();
    return {};
  };
  for (SessionEntry& entry : page) {
    auto fresh = rewrapper.rewrap(entry.session, entry.record);
    if (!fresh) {
      report_.problems.push_back(fresh.error().text());
      continue;
    }
    batch.push_back({entry.session, std::move(*fresh)});
    if (batch.size() == kBatch) CB_TRY(send());
  }
  return send();
}

Status Run::rewrap() {
  CB_ASSIGN(const auto rewrapper,
            repository::Rewrapper::make(*parts_.crypto, unlocked_.record, unlocked_.keyring));
  repository::SessionId after;
  for (bool last = false; !last;) {
    CB_ASSIGN(repository::SessionPage page, parts_.owner->sessions(newest(), after));
    last = page.last;
    if (!page.sessions.empty()) after = page.sessions.back().session;
    CB_TRY(rewrap_page(rewrapper, std::move(page.sessions)));
  }
  return {};
}

// The older private halves go out of the keyring when no session needs them any more.
Status Run::finish() {
  CB_ASSIGN(const repository::SessionPage left, parts_.owner->sessions(newest(), {}));
  if (!left.sessions.empty() || !left.last || !report_.problems.empty()) return {};
  RepositoryRecord next = unlocked_.record;
  repository::Keyring keyring = unlocked_.keyring.clone();
  ++next.revision;
  std::erase_if(keyring.epochs, [&](const repository::Keyring::Private& epoch) {
    return epoch.epoch != next.epochs.back().number;
  });
  CB_TRY(put(std::move(next), std::move(keyring)));
  report_.finished = true;
  return {};
}

}  // namespace

Result<RotationReport> rotate(const RotationParts& parts, Unlocked& unlocked,
                              std::span<const Revocation> revoked) {
  Run run(parts, unlocked);
  run.report().went_on = run.begun();
  CB_TRY(run.begin(revoked));
  trial::passed("rotate.recorded");
  run.report().epoch = unlocked.record.epochs.back().number;
  CB_TRY(run.withdraw_invites());
  CB_TRY(run.rewrap());
  trial::passed("rotate.rewrapped");
  CB_TRY(run.finish());
  return run.report();
}

Status revoke(const RotationParts& parts, Unlocked& unlocked, std::span<const Revocation> revoked) {
  return Run(parts, unlocked).revoke(revoked);
}

Result<std::vector<Revocation>> revocation_of(const RepositoryRecord& record,
                                              const repository::Certificate& certificate,
                                              uint64_t since) {
  if (!repository::verify_certificate(certificate, record))
    return failed(Code::auth, "device " + repository::device_of(certificate.device).hex(),
                  "is shown with a certificate that no owner made",
                  "ask the operator; nobody believes such a device, so nothing was revoked");
  using Any = decltype(Revocation::id);
  std::vector<Revocation> revoked = {{Any{repository::device_of(certificate.device).bytes}, since}};
  if (certificate.invite) revoked.push_back({Any{certificate.invite->id.bytes}, since});
  return revoked;
}

}  // namespace cb::client
