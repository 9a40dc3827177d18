// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/device_listing.h"

#include "core/client/profile.h"
#include "core/report/table.h"
#include "core/repository/signatures.h"
#include "hosts/cyberbackup/entry_text.h"
#include "hosts/cyberbackup/snapshot_listing.h"

namespace cb {
namespace {

using repository::Certificate;
using repository::InviteEntry;

constexpr size_t kShortId = 12;
constexpr uint64_t kStateDisabled = 1;
constexpr uint64_t kRevoked = 2;

std::string state_of(const repository::DeviceEntry& entry,
                     const repository::RepositoryRecord& record) {
  if (!repository::verify_certificate(entry.certificate, record)) return "not certified";
  if (repository::revoked_since(record, entry.certificate) || entry.state == kRevoked)
    return "revoked";
  return entry.state == kStateDisabled ? "disabled" : "active";
}

std::string flags_of(uint64_t flags) {
  return (flags & repository::kDeviceSharesDedup) != 0 ? "share-dedup" : "";
}

std::string when(int64_t ns) { return ns == 0 ? "never" : local_time(ns); }
report::Json when_json(int64_t ns) {
  return ns == 0 ? report::Json(nullptr) : report::Json(utc_time(ns));
}

}  // namespace

std::vector<DeviceView> views_of(const Workplace& place, const repository::RepositoryRecord& record,
                                 const repository::DeviceList& list) {
  std::vector<DeviceView> views;
  for (const repository::DeviceEntry& entry : list.devices) {
    DeviceView view;
    view.id = repository::device_of(entry.certificate.device);
    view.entry = entry;
    view.unread_name = !entry.certificate.name.empty();
    view.state = state_of(entry, record);
    view.here = view.id == place.device();
    views.push_back(std::move(view));
  }
  return views;
}

void read_name(DeviceView& device, const repository::DeviceNames& names) {
  device.name = names.open(device.entry.certificate).value_or("");
  device.unread_name = false;
}

std::string state_of(const InviteEntry& entry, int64_t now_ns) {
  if (entry.used_by) return "used";
  return entry.invite.expires_ns <= now_ns ? "expired" : "waiting";
}

std::string table_of(const std::vector<DeviceView>& devices,
                     const std::vector<InviteEntry>& invites, int64_t now_ns) {
  report::Table table({{"DEVICE"},
                       {"NAME"},
                       {"ROLE"},
                       {"FLAGS"},
                       {"STATE"},
                       {"CREATED"},
                       {"LAST SEEN"},
                       {"SESSIONS", true}});
  for (const DeviceView& device : devices) {
    const Certificate& certificate = device.entry.certificate;
    table.add({device.id.hex().substr(0, kShortId) + (device.here ? "*" : ""),
               device.unread_name ? "-" : shown_path(device.name),
               client::name_of(certificate.role), flags_of(certificate.flags), device.state,
               local_time(certificate.created_ns), when(device.entry.last_seen_ns),
               std::to_string(device.entry.sessions)});
  }
  std::string text = table.text();
  if (invites.empty()) return text;
  report::Table more({{"INVITE"}, {"ROLE"}, {"FLAGS"}, {"STATE"}, {"EXPIRES"}, {"DEVICE"}});
  for (const InviteEntry& entry : invites)
    more.add({entry.invite.id.hex().substr(0, kShortId), client::name_of(entry.invite.role),
              flags_of(entry.invite.flags), state_of(entry, now_ns),
              local_time(entry.invite.expires_ns),
              entry.used_by ? entry.used_by->hex().substr(0, kShortId) : ""});
  return text + "\n" + more.text();
}

report::Json json_of(const DeviceView& device) {
  const Certificate& certificate = device.entry.certificate;
  report::Json json = {{"id", device.id.hex()},
                       {"role", client::name_of(certificate.role)},
                       {"share_dedup", (certificate.flags & repository::kDeviceSharesDedup) != 0},
                       {"state", device.state},
                       {"this_device", device.here},
                       {"created", utc_time(certificate.created_ns)},
                       {"last_seen", when_json(device.entry.last_seen_ns)},
                       {"sessions", device.entry.sessions}};
  json["name"] =
      device.name.empty() ? report::Json(nullptr) : report::Json(shown_path(device.name));
  json["invite"] = certificate.invite ? report::Json(certificate.invite->id.hex()) : nullptr;
  return json;
}

report::Json json_of(const InviteEntry& entry, int64_t now_ns) {
  report::Json json = {{"id", entry.invite.id.hex()},
                       {"role", client::name_of(entry.invite.role)},
                       {"share_dedup", (entry.invite.flags & repository::kDeviceSharesDedup) != 0},
                       {"state", state_of(entry, now_ns)},
                       {"created", utc_time(entry.invite.created_ns)},
                       {"expires", utc_time(entry.invite.expires_ns)}};
  json["device"] = entry.used_by ? report::Json(entry.used_by->hex()) : nullptr;
  return json;
}

std::string shown_name(const DeviceView& device) {
  const std::string id = device.id.hex().substr(0, kShortId);
  return device.name.empty() ? id : shown_path(device.name) + " (" + id + ")";
}

}  // namespace cb
