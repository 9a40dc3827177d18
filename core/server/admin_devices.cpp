// SPDX-License-Identifier: Apache-2.0
//
// What an operator does about devices and passwords.
#include "core/identity/password.h"
#include "core/server/admin_commands.h"

namespace cb::server {
namespace {

using report::Json;

const char* name_of_role(uint64_t role) {
  switch (static_cast<repository::Role>(role)) {
    case repository::Role::owner:
      return "owner";
    case repository::Role::writer:
      return "writer";
    case repository::Role::reader:
      return "reader";
  }
  return "unknown";
}

const char* name_of_state(catalog::DeviceState state) {
  switch (state) {
    case catalog::DeviceState::active:
      return "active";
    case catalog::DeviceState::disabled:
      return "disabled";
    case catalog::DeviceState::revoked:
      return "revoked";
  }
  return "unknown";
}

}  // namespace

Json AdminCommands::device_as_json(const catalog::Device& device) const {
  const repository::DeviceId id{device.id};
  return {{"device", id.hex()},
          {"role", name_of_role(device.role)},
          {"state", name_of_state(device.state)},
          {"created_ns", device.created_ns},
          {"last_seen_ns", device.last_seen_ns},
          {"sessions", parts_.running != nullptr ? parts_.running->count(id) : 0}};
}

Result<Json> AdminCommands::list_devices(const Json& request) const {
  CB_ASSIGN(const catalog::Account account, account_of(request));
  if (parts_.seen != nullptr) parts_.seen->flush();
  CB_ASSIGN(const auto devices, parts_.accounts->devices(account.number));
  Json all = Json::array();
  for (const catalog::Device& device : devices) all.push_back(device_as_json(device));
  return all;
}

Result<Json> AdminCommands::set_device(const Json& request, catalog::DeviceState state) const {
  auto id = repository::DeviceId::from_hex_text(report::text_of(request, "device"));
  if (!id)
    return failed(Code::invalid, "device " + report::text_of(request, "device"),
                  "is not the id of a device",
                  "cyberbackupd device list --account NAME shows them");
  CB_ASSIGN(auto device, parts_.accounts->device_by_id(id->bytes));
  if (!device)
    return failed(Code::not_found, "device " + id->hex(), "is not known",
                  "cyberbackupd device list --account NAME shows who is");
  CB_TRY(parts_.accounts->set_device_state(id->bytes, state));
  device->state = state;
  const bool is_out = state != catalog::DeviceState::active;
  const size_t ended = is_out && parts_.running != nullptr ? parts_.running->end_device(*id) : 0;
  CB_TRY(parts_.notes->keep(device->account));
  Json one = device_as_json(*device);
  one["ended_sessions"] = ended;
  return one;
}

// The hash comes ready: the password itself does not leave the operator's program.
Result<Json> AdminCommands::set_password(const Json& request) const {
  CB_ASSIGN(catalog::Account account, account_of(request));
  const std::string hash = report::text_of(request, "hash");
  if (!hash.empty()) CB_TRY(identity::check_password_hash(hash));
  CB_TRY(parts_.accounts->set_password_hash(account.number, hash));
  const size_t ended = parts_.running != nullptr ? parts_.running->end_persons(account.number) : 0;
  CB_TRY(parts_.notes->keep(account.number));
  return Json{{"name", account.name}, {"password", !hash.empty()}, {"ended_sessions", ended}};
}

}  // namespace cb::server
