// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/device_changes.h"

#include "core/repository/signatures.h"
#include "hosts/cyberbackup/device_listing.h"
#include "hosts/cyberbackup/owner_tools.h"
#include "hosts/cyberbackup/slot_choice.h"
#include "hosts/cyberbackup/unlock.h"

namespace cb {
namespace {

using repository::Role;

constexpr uint64_t kActive = 0;
constexpr uint64_t kDisabled = 1;

Result<DeviceView> find(const Connected& connected, const std::string& text) {
  CB_ASSIGN(repository::DeviceList list, connected.session->devices());
  CB_ASSIGN(const repository::RepositoryRecord record, connected.session->record());
  CB_ASSIGN(repository::DeviceEntry entry, choose_device(list, text));
  list.devices = {std::move(entry)};
  return views_of(*connected.place, record, list).front();
}

Status set_state(const CommonOptions& options, const std::string& id, uint64_t state) {
  CB_ASSIGN(const Connected connected, connect_profile(options));
  CB_TRY(need_role(*connected.place, {Role::owner}, "change devices"));
  CB_ASSIGN(DeviceView device, find(connected, id));
  if (device.here && state == kDisabled)
    return failed(Code::denied, "device " + device.id.hex(), "is this one",
                  "disable it from another owner's device");
  CB_TRY(connected.session->set_device(device.id, state));
  device.entry.state = state;
  device.state = state == kDisabled ? "disabled" : "active";
  if (options.json) return write_done({{"device", json_of(device)}});
  return write_out("Device " + shown_name(device) + " is " + device.state + " now.\n");
}

Status check_revocable(const DeviceView& device) {
  if (device.here)
    return failed(Code::denied, "device " + device.id.hex(), "is this one",
                  "revoke it from another owner's device");
  if (device.state == "revoked")
    return failed(Code::exists, "device " + device.id.hex(), "is revoked already",
                  "run `cyberbackup key rotate` if that was interrupted");
  return {};
}

// `done`: how the rotation ended, whatever became of which the device is out.
Status tell_revoked(const CommonOptions& options, DeviceView device,
                    const std::optional<client::RotationReport>& report, Status done) {
  device.state = "revoked";
  report::Json json = {{"device", json_of(device)}};
  json["rotation"] = report ? json_of(*report) : report::Json(nullptr);
  std::string text = "Device " + shown_name(device) + " is revoked.\n";
  if (report) text += text_of(*report);
  return tell(options, std::move(json), text, std::move(done));
}

// What keeps the keys from being rotated keeps nobody from being put out.
Status rotate_without(const Connected& connected, const client::RotationParts& parts,
                      client::Unlocked& unlocked, std::span<const repository::Revocation> revoked,
                      std::optional<client::RotationReport>& report) {
  const uint64_t before = unlocked.record.revision;
  auto turned = client::rotate(parts, unlocked, revoked);
  Status done = turned ? whole(*turned) : failed(turned.error());
  if (turned) report = std::move(*turned);
  if (unlocked.record.revision == before && !client::revoke(parts, unlocked, revoked)) return done;
  CB_TRY(connected.place->keep_record(unlocked.record));
  return done;
}

Status revoke(const CommonOptions& options, const ChangeOptions& wanted) {
  CB_ASSIGN(const Connected connected, connect_profile(options));
  CB_TRY(need_role(*connected.place, {Role::owner}, "change devices"));
  CB_ASSIGN(DeviceView device, find(connected, wanted.id));
  CB_TRY(check_revocable(device));
  CB_ASSIGN(client::Unlocked unlocked,
            unlock_owner(*connected.place, *connected.session, "revoke devices"));
  CB_ASSIGN(const auto names, names_of(*connected.place, unlocked.keyring));
  read_name(device, names);
  // So that it does not go on committing, and with that keep the head from standing still.
  if (device.entry.state == kActive) CB_TRY(connected.session->set_device(device.id, kDisabled));
  // Others may have committed while somebody looked for the passphrase.
  CB_ASSIGN(const client::RotationParts parts, rotation_parts(connected));
  CB_ASSIGN(const auto revoked,
            client::revocation_of(unlocked.record, device.entry.certificate, parts.next_commit));
  std::optional<client::RotationReport> report;
  if (wanted.no_rotate) {
    CB_TRY(client::revoke(parts, unlocked, revoked));
    CB_TRY(connected.place->keep_record(unlocked.record));
    return tell_revoked(options, device, report, {});
  }
  Status done = rotate_without(connected, parts, unlocked, revoked, report);
  if (!repository::revoked_since(unlocked.record, device.entry.certificate)) return done;
  return tell_revoked(options, device, report, std::move(done));
}

Status uninvite(const CommonOptions& options, const ChangeOptions& wanted) {
  CB_ASSIGN(const Connected connected, connect_profile(options));
  CB_TRY(need_role(*connected.place, {Role::owner}, "change invites"));
  CB_ASSIGN(const repository::DeviceList list, connected.session->devices());
  CB_ASSIGN(const repository::InviteEntry entry, choose_invite(list, wanted.id));
  if (entry.used_by)
    return failed(Code::state, "invite " + entry.invite.id.hex(), "was used already",
                  "run `cyberbackup device revoke " + entry.used_by->hex().substr(0, 12) + "`");
  // In the signed record, so that nobody believes a device that it certifies, whatever the server
  // has kept of it.
  CB_ASSIGN(client::Unlocked unlocked,
            unlock_owner(*connected.place, *connected.session, "take back invites"));
  CB_ASSIGN(const client::RotationParts parts, rotation_parts(connected));
  const repository::Revocation revoked{{entry.invite.id.bytes}, parts.next_commit};
  CB_TRY(client::revoke(parts, unlocked, std::span(&revoked, 1)));
  CB_TRY(connected.place->keep_record(unlocked.record));
  CB_TRY(connected.session->remove_invite(entry.invite.id));
  if (options.json) return write_done({{"removed", entry.invite.id.hex()}});
  return write_out("Invite " + entry.invite.id.hex().substr(0, 12) + " is of no use any more.\n");
}

}  // namespace

std::vector<DeviceChange> device_changes() {
  return {
      {"disable", "Keep a device out until it is enabled again",
       "Example:\n  cyberbackup device disable 3f1c9a0b\n\nAt once, for what it is doing just now, "
       "too.",
       false,
       [](const CommonOptions& options, const ChangeOptions& wanted) {
         return set_state(options, wanted.id, kDisabled);
       }},
      {"enable", "Let a disabled device in again", "Example:\n  cyberbackup device enable 3f1c9a0b",
       false,
       [](const CommonOptions& options, const ChangeOptions& wanted) {
         return set_state(options, wanted.id, kActive);
       }},
      {"revoke", "Put a device out for good",
       "Examples:\n  cyberbackup device revoke 3f1c9a0b\n  cyberbackup device revoke 3f1c9a0b "
       "--no-rotate\n\nAsks for the passphrase. It is out at once; its snapshots stay. The keys "
       "are "
       "rotated, so\nthat it cannot read what comes after; what it has copied stays readable for "
       "it.",
       true, revoke},
      {"uninvite", "Take back an invite that nobody has used",
       "Example:\n  cyberbackup device uninvite 77aa0f3e\n\nAsks for the passphrase.", false,
       uninvite},
  };
}

}  // namespace cb
