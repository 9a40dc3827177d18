// SPDX-License-Identifier: Apache-2.0
#include "core/server/admin_limits.h"

#include <algorithm>

namespace cb::server {
namespace {

using report::Json;
using repository::DeviceId;

Json json_of(const LimitSet& limits) {
  Json all = Json::object();
  for (const LimitKind& kind : kLimitKinds)
    all[kind.name == "grace" ? "grace_ns" : std::string(kind.name)] = limits.*kind.value;
  return all;
}

Json json_of(const QuotaUse& use) {
  Json all = {{"stored", use.stored}, {"is_over", use.is_over}, {"growth", use.growth}};
  all["soft_until_ns"] = use.until_ns == 0 ? Json(nullptr) : Json(use.until_ns);
  return all;
}

// Those that were set, by name; the others are the settings'.
Json set_for(const std::vector<catalog::LimitRow>& rows, const DeviceId& device) {
  Json all = Json::object();
  for (const catalog::LimitRow& row : rows)
    if (row.device == device.bytes)
      all[row.name] = {{"value", row.value}, {"set_ns", row.set_ns}, {"set_by", row.set_by}};
  return all;
}

// What clients say that their snapshots hold. Nobody can check it: it limits nothing but itself.
struct DeclaredSum {
  uint64_t snapshots = 0, bytes = 0, in_trash = 0, bytes_in_trash = 0;

  void add(const repository::SnapshotInfo& one) {
    ++(one.in_trash ? in_trash : snapshots);
    (one.in_trash ? bytes_in_trash : bytes) += one.commit.bytes;
  }
  void tell(Json& to) const {
    to["snapshots"] = snapshots;
    to["declared_bytes"] = bytes;
    to["in_trash"] = in_trash;
    to["declared_bytes_in_trash"] = bytes_in_trash;
  }
};

Result<LimitBook::Changes> changes_in(const Json& request) {
  const auto values = request.find("values");
  if (values == request.end() || !values->is_object() || values->empty())
    return failed(Code::invalid, "limits", "were not given",
                  "name at least one: --stored, --soft, --grace, --sessions, ...");
  LimitBook::Changes changes;
  for (const auto& [name, value] : values->items()) {
    if (!value.is_null() && !value.is_number_unsigned() &&
        !(value.is_number_integer() && value.get<int64_t>() >= 0))
      return failed(Code::invalid, "limit " + name, "is neither a number from 0 nor null");
    changes[name] = value.is_null() ? std::nullopt : std::optional(value.get<uint64_t>());
  }
  return changes;
}

}  // namespace

bool AdminLimits::serves(const std::string& command) {
  return command == "limits.show" || command == "limits.set";
}

Result<Json> AdminLimits::run(const std::string& command, const Json& request) const {
  return command == "limits.set" ? set(request) : show(request);
}

Result<catalog::Account> AdminLimits::account_of(const std::string& name) const {
  CB_ASSIGN(const auto account, accounts_.account_by_name(name));
  if (account) return *account;
  return failed(Code::not_found, "account " + name, "is not known",
                "cyberbackupd account list shows who is");
}

Result<Json> AdminLimits::describe(const catalog::Account& account) const {
  CB_ASSIGN(const LimitAccount told, book_.describe(account.number));
  DeclaredSum sum;
  std::map<DeviceId, DeclaredSum> of_devices;
  CB_ASSIGN(const auto repository, engine_.of_account(account.name));
  if (repository) {
    CB_ASSIGN(const auto snapshots, engine_.snapshots(*repository, true));
    for (const repository::SnapshotInfo& one : snapshots) {
      sum.add(one);
      of_devices[one.commit.device].add(one);
    }
  }
  Json shown = {{"account", account.name},
                {"limits", json_of(told.limits)},
                {"set", set_for(told.rows, DeviceId{})},
                {"use", json_of(told.use)},
                {"unassigned", told.unassigned},
                {"devices", Json::array()}};
  sum.tell(shown["use"]);
  for (const LimitAccount::OfDevice& device : told.devices) {
    Json one = {{"device", device.id.hex()},
                {"limits", json_of(device.limits)},
                {"set", set_for(told.rows, device.id)},
                {"use", json_of(device.use)}};
    of_devices[device.id].tell(one["use"]);
    shown["devices"].push_back(std::move(one));
  }
  return shown;
}

Result<Json> AdminLimits::show(const Json& request) const {
  const std::string name = report::text_of(request, "account");
  Json accounts = Json::array();
  if (!name.empty()) {
    CB_ASSIGN(const catalog::Account account, account_of(name));
    CB_ASSIGN(accounts.emplace_back(), describe(account));
  } else {
    CB_ASSIGN(const auto all, accounts_.accounts());
    for (const catalog::Account& account : all) {
      auto one = describe(account);
      // A damaged account hides no other.
      accounts.push_back(one ? std::move(*one)
                             : Json{{"account", account.name}, {"error", one.error().text()}});
    }
  }
  Json refused = Json::object();
  for (size_t i = 0; i < kRefusals; ++i) {
    const auto kind = static_cast<Refusal>(i);
    refused[std::string(name_of(kind))] = book_.refused(kind);
  }
  return Json{{"accounts", std::move(accounts)}, {"refused", std::move(refused)}};
}

Result<Json> AdminLimits::set(const Json& request) const {
  CB_ASSIGN(const catalog::Account account, account_of(report::text_of(request, "account")));
  DeviceId device;
  if (const std::string text = report::text_of(request, "device"); !text.empty()) {
    const auto id = DeviceId::from_hex_text(text);
    if (id) device = *id;
    CB_ASSIGN(const auto known, accounts_.device_by_id(device.bytes));
    if (!id || !known || known->account != account.number)
      return failed(Code::not_found, "device " + text, "is none of account " + account.name,
                    "cyberbackupd device list --account " + account.name + " shows them");
  }
  CB_ASSIGN(const LimitBook::Changes changes, changes_in(request));
  CB_TRY(book_.set(account.number, device, changes, report::text_of(request, "asked_by")));
  return describe(account);
}

report::Json limit_troubles(catalog::Accounts& accounts, LimitBook& book) {
  Json all = Json::array();
  const auto rows = accounts.accounts();
  if (!rows) return all;
  const auto note = [&](const std::string& account, const DeviceId& device, const QuotaUse& use) {
    if (use.until_ns == 0 && !use.is_over) return;
    Json one = json_of(use);
    one["account"] = account;
    one["device"] = device.is_zero() ? std::string() : device.hex();
    one["limit"] = use.limit;
    one["soft"] = use.soft;
    all.push_back(std::move(one));
  };
  for (const catalog::Account& account : *rows) {
    const auto told = book.describe(account.number);
    if (!told) continue;
    note(account.name, DeviceId{}, told->use);
    for (const LimitAccount::OfDevice& device : told->devices)
      note(account.name, device.id, device.use);
  }
  return all;
}

}  // namespace cb::server
