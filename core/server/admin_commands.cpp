// SPDX-License-Identifier: Apache-2.0
#include "core/server/admin_commands.h"

#include <algorithm>

#include "core/identity/signing.h"
#include "core/repository/catalog_rebuild.h"
#include "core/repository/pairing_token.h"
#include "core/server/admin_limits.h"
#include "core/server/admin_replicas.h"
#include "core/server/admin_retention.h"
#include "core/server/admin_watch.h"

namespace cb::server {
namespace {

using report::Json;

constexpr size_t kLongestName = 64;
constexpr size_t kMostFindings = 1000;
constexpr int64_t kTokenLife = 24 * 3600 * int64_t{1'000'000'000};

bool flag_of(const Json& request, const char* key) {
  return request.is_object() && request.contains(key) && request[key] == true;
}

Status check_name(const std::string& name) {
  constexpr const char* kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@";
  const bool good = !name.empty() && name.size() <= kLongestName && name[0] != '-' &&
                    name.find_first_not_of(kAllowed) == std::string::npos;
  if (good) return {};
  return failed(Code::invalid, "account name '" + name + "'", "is not a name",
                "use 1 to 64 letters, digits and . _ - @");
}

Json json_of(const catalog::Account& account) {
  return {{"name", account.name},
          {"protocol", static_cast<int>(account.kind)},
          {"disabled", account.disabled},
          {"password", !account.password_hash.empty()},
          {"created_ns", account.created_ns}};
}

Json json_of(const repository::RemoteCounts& counts) {
  return {{"blobs", counts.blobs},
          {"packs", counts.packs},
          {"stored_bytes", counts.stored_bytes},
          {"snapshots", counts.snapshots}};
}

// What is in an account's repository; nothing while it has none.
Result<std::optional<repository::RemoteCounts>> counts_of(repository::Engine& engine,
                                                          const std::string& account) {
  CB_ASSIGN(const auto repository, engine.of_account(account));
  if (!repository) return std::nullopt;
  CB_ASSIGN(const auto counts, engine.counts(*repository));
  return counts;
}

// What an old client sent opens with the server's own key alone. One that has an owner by now is
// none of the server's business.
void check_key(const V3Keys& keys, const std::string& account, std::vector<std::string>& findings) {
  const auto client = V3Keys::client_of(account);
  if (!client) return;
  const auto opened = keys.open(*client);
  if (opened || (opened.error().code != Code::auth && opened.error().code != Code::corrupt)) return;
  findings.push_back("keys/server.key does not open what this client sent: " +
                     opened.error().text());
}

// A repository whose chain is damaged is a finding itself: the others are looked at all the same.
Result<repository::Engine::Checked> check_one(const AdminCommands::Parts& parts,
                                              const std::string& account,
                                              const repository::RepositoryId& repository,
                                              bool read_data,
                                              const AdminCommands::Progress& progress) {
  auto checked = parts.engine->check(repository, read_data, progress);
  if (!checked && !repository::is_damage(checked.error().code)) return checked;
  repository::Engine::Checked found;
  if (checked)
    found = std::move(*checked);
  else
    found.findings.push_back(checked.error().text());
  if (parts.v3_keys != nullptr) check_key(*parts.v3_keys, account, found.findings);
  return found;
}

// Of the catalog as a file, and of what it lacks as a whole.
Result<Json> catalog_findings(const AdminCommands::Parts& parts, bool thorough) {
  Json findings = Json::array();
  CB_ASSIGN(const auto damage, parts.catalog->damage(thorough));
  for (const std::string& what : damage)
    findings.push_back({{"account", ""}, {"finding", "catalog.sqlite " + what}});
  CB_ASSIGN(const auto unlisted, parts.engine->unlisted());
  for (const repository::RepositoryId& one : unlisted)
    findings.push_back({{"account", ""},
                        {"finding", "repository " + one.hex() +
                                        ": is in the store and not in the catalog, which is "
                                        "another server's or older than the store"}});
  return findings;
}

}  // namespace

std::string AdminCommands::names() {
  return "account.add, account.list, account.show, account.disable, account.enable, "
         "account.password, account.mode, device.list, device.disable, device.enable, "
         "device.revoke, legacy.ratchet, legacy.allow, token.create, audit.list, check, "
         "retention.show, retention.set, retention.pin, retention.unpin, limits.show, limits.set, "
         "job.list, job.run, job.cancel, job.history, job.requests, job.approve, watch.list, "
         "watch.release, watch.set, notify.list, notify.test, drill.list, traffic.show, "
         "traffic.pause, traffic.resume, traffic.set, store.show, store.mode, replica.add, "
         "replica.list, replica.remove";
}

Result<Json> AdminCommands::run(const Json& request, const Progress& progress) const {
  const std::string command = report::text_of(request, "command");
  if (command == "account.list") return list_accounts();
  if (command == "account.show") return show_account(request);
  if (command == "device.list") return list_devices(request);
  if (command == "audit.list") return list_audit(request);
  if (command == "drill.list") return list_drills(request);
  if (command == "replica.list") return replicas().list();
  if (auto answer = use_part(command, request, progress)) return *std::move(answer);
  Result<Json> done = command == "check" ? check(request, progress) : change(command, request);
  const std::string result = done ? "done" : done.error().text();
  if (command.starts_with("legacy."))
    parts_.log->info("admin." + command, {{"account", report::text_of(request, "account")},
                                          {"action", report::text_of(request, "action")},
                                          {"by", report::text_of(request, "asked_by")},
                                          {"result", result}});
  else
    parts_.log->info("admin." + command, {{"account", report::text_of(request, "account")},
                                          {"device", report::text_of(request, "device")},
                                          {"by", report::text_of(request, "asked_by")},
                                          {"result", result}});
  note(command, request, done);
  return done;
}

std::optional<Result<Json>> AdminCommands::use_part(const std::string& command, const Json& request,
                                                    const Progress& progress) const {
  if (AdminRetention::serves(command)) return use_retention(command, request);
  if (AdminLimits::serves(command)) return use_limits(command, request);
  if (AdminWatch::serves(command)) return use_watch(command, request);
  if (command.starts_with("job.")) return use_jobs(command, request, progress);
  if (command.starts_with("notify.")) return use_notify(command, request, progress);
  if (command.starts_with("traffic.")) return use_traffic(command, request);
  if (command.starts_with("store.")) return use_store(command, request);
  return std::nullopt;
}

Result<Json> AdminCommands::use_retention(const std::string& command, const Json& request) const {
  const AdminRetention retention(*parts_.engine, *parts_.retention);
  const auto answer = [&]() -> Result<Json> {
    if (command.starts_with("job.")) return retention.run(command, nullptr, request);
    CB_ASSIGN(const catalog::Account account, account_of(request));
    return retention.run(command, &account, request);
  };
  auto done = answer();
  if (!AdminRetention::changes(command)) return done;
  const int64_t number = report::number_of(request, "number", 0);
  parts_.log->info("admin." + command,
                   {{"account", report::text_of(request, "account")},
                    {"request", number == 0 ? std::string() : std::to_string(number)},
                    {"snapshot", report::text_of(request, "snapshot")},
                    {"rules", report::text_of(request, "rules")},
                    {"by", report::text_of(request, "asked_by")},
                    {"result", done ? "done" : done.error().text()}});
  note(command, request, done);
  return done;
}

Result<Json> AdminCommands::use_limits(const std::string& command, const Json& request) const {
  auto done = AdminLimits(*parts_.accounts, *parts_.engine, *parts_.limits).run(command, request);
  if (command == "limits.show") return done;
  parts_.log->info("admin." + command, {{"account", report::text_of(request, "account")},
                                        {"device", report::text_of(request, "device")},
                                        {"by", report::text_of(request, "asked_by")},
                                        {"result", done ? "done" : done.error().text()}});
  note(command, request, done);
  return done;
}

Result<Json> AdminCommands::change(const std::string& command, const Json& request) const {
  if (command == "account.add") return add_account(request);
  if (command == "account.disable") return set_disabled(request, true);
  if (command == "account.enable") return set_disabled(request, false);
  if (command == "account.password") return set_password(request);
  if (command == "account.mode") return set_mode(request);
  if (command == "device.disable") return set_device(request, catalog::DeviceState::disabled);
  if (command == "device.enable") return set_device(request, catalog::DeviceState::active);
  if (command == "device.revoke") return set_device(request, catalog::DeviceState::revoked);
  if (command == "legacy.ratchet") return set_ratchet(request);
  if (command == "legacy.allow") return allow_migration(request);
  return change_token(command, request);
}

Result<Json> AdminCommands::change_token(const std::string& command, const Json& request) const {
  const bool is_token = command == "token.create";
  if (is_token && flag_of(request, "replica")) return replicas().create_token(request);
  if (is_token) return create_token(request);
  if (command == "replica.add") return replicas().add(request);
  if (command == "replica.remove") return replicas().remove(request);
  return failed(Code::unsupported, "command '" + command + "'", "is not known",
                "known are: status, " + names());
}

AdminReplicas AdminCommands::replicas() const {
  return AdminReplicas({parts_.catalog, parts_.clock, parts_.random, parts_.files, parts_.keys,
                        parts_.reach, parts_.replication});
}

Result<catalog::Account> AdminCommands::account_of(const Json& request) const {
  const std::string name = report::text_of(request, "account");
  CB_ASSIGN(const auto account, parts_.accounts->account_by_name(name));
  if (account) return *account;
  return failed(Code::not_found, "account " + name, "is not known",
                "cyberbackupd account list shows who is");
}

Result<Json> AdminCommands::add_account(const Json& request) const {
  catalog::Account account;
  account.name = report::text_of(request, "account");
  CB_TRY(check_name(account.name));
  account.created_ns = now();
  auto added = parts_.accounts->add_account(account);
  if (!added && added.error().code == Code::exists)
    return failed(
        Code::exists, "account " + account.name, "is there already",
        "choose another name, or go on with: cyberbackupd token create --account " + account.name);
  if (!added) return failed(std::move(added).error());
  return json_of(account);
}

// Damage is told with its account: it must hide no other.
Status AdminCommands::describe_repository(const catalog::Account& account, Json& one) const {
  CB_ASSIGN(const auto repository, parts_.engine->of_account(account.name));
  if (!repository) return {};
  one["repository"] = repository->hex();
  if (const auto counts = parts_.engine->counts(*repository))
    one["counts"] = json_of(*counts);
  else
    one["error"] = counts.error().text();
  return {};
}

Result<Json> AdminCommands::list_accounts() const {
  CB_ASSIGN(const auto accounts, parts_.accounts->accounts());
  Json all = Json::array();
  for (const catalog::Account& account : accounts) {
    Json one = json_of(account);
    CB_ASSIGN(const auto devices, parts_.accounts->devices(account.number));
    one["devices"] = devices.size();
    CB_TRY(describe_repository(account, one));
    all.push_back(std::move(one));
  }
  return all;
}

Result<Json> AdminCommands::show_account(const Json& request) const {
  CB_ASSIGN(const catalog::Account account, account_of(request));
  Json one = json_of(account);
  if (parts_.seen != nullptr) parts_.seen->flush();
  CB_ASSIGN(const auto devices, parts_.accounts->devices(account.number));
  one["devices"] = Json::array();
  for (const catalog::Device& device : devices) one["devices"].push_back(device_as_json(device));
  CB_TRY(describe_repository(account, one));
  return one;
}

Result<Json> AdminCommands::set_disabled(const Json& request, bool disabled) const {
  CB_ASSIGN(catalog::Account account, account_of(request));
  CB_TRY(parts_.accounts->set_account_disabled(account.number, disabled));
  account.disabled = disabled;
  const size_t ended =
      disabled && parts_.running != nullptr ? parts_.running->end_account(account.number) : 0;
  CB_TRY(parts_.notes->keep(account.number));
  Json one = json_of(account);
  one["ended_sessions"] = ended;
  return one;
}

// The account whose first owner a token is to pair.
Result<catalog::Account> AdminCommands::account_to_pair(const Json& request) const {
  if (flag_of(request, "legacy")) return legacy_account_of(request);
  CB_ASSIGN(const catalog::Account account, account_of(request));
  if (account.kind == catalog::AccountKind::v3)
    return failed(Code::exists, "account " + account.name, "is that of a client of protocol 3",
                  "cyberbackupd token create --legacy " + account.name);
  CB_ASSIGN(const auto repository, parts_.engine->of_account(account.name));
  if (!repository) return account;
  return failed(Code::exists, "account " + account.name, "has an owner already",
                "let the owner invite further devices, or add another account");
}

Result<Json> AdminCommands::create_token(const Json& request) const {
  CB_ASSIGN(const catalog::Account account, account_to_pair(request));
  if (account.disabled)
    return failed(Code::denied, "account " + account.name, "is disabled",
                  "cyberbackupd account enable " + account.name);
  CB_ASSIGN(ServerReach reach, parts_.reach());
  const int64_t life = report::number_of(request, "expires_ns", kTokenLife);
  if (life <= 0) return failed(Code::invalid, "token", "would expire at once");
  repository::PairingToken token;
  CB_TRY(parts_.random->fill(token.id.bytes));
  token.secret = Secret(repository::kTokenSecretSize);
  CB_TRY(parts_.random->fill(token.secret.span()));
  token.pin = reach.pin;
  token.servers = std::move(reach.servers);
  CB_ASSIGN(const std::string text, repository::format_pairing_token(token));
  catalog::PairingToken row;
  row.id = token.id.bytes;
  row.secret_hash = identity::sha256(token.secret.view());
  row.account = account.number;
  row.expires_ns = now() + life;
  CB_TRY(parts_.accounts->add_token(row));
  return Json{{"account", account.name},
              {"token", text},
              {"servers", token.servers},
              {"expires_ns", row.expires_ns}};
}

Result<Json> AdminCommands::check(const Json& request, const Progress& progress) const {
  std::atomic<bool> is_over{false};
  std::optional<Maintenance::Ticket> ticket;
  if (parts_.maintenance != nullptr) {
    CB_ASSIGN(auto begun, parts_.maintenance->begin(Maintenance::Work::reading,
                                                    [&is_over] { is_over = true; }));
    ticket.emplace(std::move(begun));
  }
  const Progress goes_on = [&](uint64_t done, uint64_t total) {
    return !is_over && (!progress || progress(done, total));
  };
  const bool read_data = flag_of(request, "read_data");
  repository::Engine::Checked sum;
  CB_ASSIGN(Json findings, catalog_findings(parts_, read_data));
  Json notes = Json::array();
  uint64_t repositories = 0;
  CB_ASSIGN(const auto accounts, parts_.accounts->accounts());
  for (const catalog::Account& account : accounts) {
    CB_ASSIGN(const auto repository, parts_.engine->of_account(account.name));
    if (!repository) continue;
    ++repositories;
    CB_ASSIGN(const auto checked, check_one(parts_, account.name, *repository, read_data, goes_on));
    sum.packs += checked.packs;
    sum.blobs += checked.blobs;
    sum.bytes += checked.bytes;
    sum.snapshots += checked.snapshots;
    for (const std::string& finding : checked.findings)
      if (findings.size() < kMostFindings)
        findings.push_back({{"account", account.name}, {"finding", finding}});
    for (const std::string& note : checked.notes)
      if (notes.size() < kMostFindings)
        notes.push_back({{"account", account.name}, {"note", note}});
  }
  for (const Json& finding : findings)
    parts_.log->error("check.damage", {{"account", report::text_of(finding, "account")},
                                       {"finding", report::text_of(finding, "finding")}});
  return Json{{"repositories", repositories}, {"packs", sum.packs},
              {"blobs", sum.blobs},           {"bytes", sum.bytes},
              {"snapshots", sum.snapshots},   {"read_data", read_data},
              {"findings", findings},         {"notes", notes}};
}

Json AdminCommands::totals() const {
  const auto accounts = parts_.accounts->accounts();
  if (!accounts) return {{"error", accounts.error().text()}};
  repository::RemoteCounts sum;
  uint64_t repositories = 0;
  Json unread = Json::array();
  for (const catalog::Account& account : *accounts) {
    const auto counts = counts_of(*parts_.engine, account.name);
    if (counts && !*counts) continue;
    ++repositories;
    if (!counts) {
      unread.push_back({{"account", account.name}, {"error", counts.error().text()}});
      continue;
    }
    sum.blobs += (*counts)->blobs;
    sum.packs += (*counts)->packs;
    sum.stored_bytes += (*counts)->stored_bytes;
    sum.snapshots += (*counts)->snapshots;
  }
  Json totals = {
      {"accounts", accounts->size()}, {"repositories", repositories}, {"unread", unread}};
  totals.update(json_of(sum));
  return totals;
}

}  // namespace cb::server
