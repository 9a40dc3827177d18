// SPDX-License-Identifier: Apache-2.0
#include "core/server/admin_replicas.h"

#include <algorithm>
#include <set>

#include "core/identity/signing.h"
#include "core/repository/pairing_token.h"

namespace cb::server {
namespace {

using report::Json;

constexpr size_t kLeastTokenDigits = 4;

std::vector<std::string> texts_in(const Json& request, const char* key) {
  std::vector<std::string> texts;
  const auto member = request.find(key);
  if (member == request.end() || !member->is_array()) return texts;
  for (const Json& one : *member)
    if (one.is_string()) texts.push_back(one.get<std::string>());
  return texts;
}

Result<std::string> name_in(const Json& request) {
  std::string name = report::text_of(request, "name");
  if (is_source_name(name)) return name;
  return failed(Code::invalid, "name '" + name + "'", "is none",
                "use 1 to 40 letters, digits and . _ -, and no . at first");
}

Json json_of(const catalog::ReplicaToken& token, const std::vector<std::string>& accounts) {
  return {{"name", token.name},
          {"token", to_hex(token.id)},
          {"all_accounts", token.all_accounts},
          {"accounts", accounts},
          {"created_ns", token.created_ns},
          {"last_seen_ns", token.last_seen_ns},
          {"last_address", token.last_address}};
}

template <typename Source>
Json source_as_json(const Source& source, bool is_configured) {
  return {{"name", source.name},
          {"servers", source.servers},
          {"accounts", source.accounts},
          {"remove_vanished", source.removes_vanished},
          {"heal_only", source.heals_only},
          {"configured", is_configured},
          {"pulls", Json::array()}};
}

}  // namespace

Json json_of(const catalog::ReplicaPull& pull) {
  return {{"source", pull.source},   {"account", pull.account}, {"tried_ns", pull.tried_ns},
          {"good_ns", pull.good_ns}, {"head", pull.head},       {"blobs", pull.blobs},
          {"bytes", pull.bytes},     {"healed", pull.healed},   {"trouble", pull.trouble}};
}

Result<std::vector<catalog::ReplicaPull>> present_pulls(catalog::Replication& rows,
                                                        const ReplicationSettings& settings) {
  std::set<std::string> names;
  for (const ReplicationSource& one : settings.sources) names.insert(one.name);
  CB_ASSIGN(const auto noted, rows.sources());
  for (const catalog::ReplicaSource& one : noted) names.insert(one.name);
  CB_ASSIGN(auto pulls, rows.pulls());
  std::erase_if(pulls, [&](const auto& pull) { return !names.contains(pull.source); });
  return pulls;
}

Result<std::vector<int64_t>> AdminReplicas::numbers_of(
    const std::vector<std::string>& accounts) const {
  std::vector<int64_t> numbers;
  for (const std::string& name : accounts) {
    CB_ASSIGN(const auto account, parts_.catalog->accounts().account_by_name(name));
    if (!account)
      return failed(Code::not_found, "account " + name, "is not known",
                    "cyberbackupd account list shows who is");
    if (account->kind == catalog::AccountKind::v3)
      return failed(Code::unsupported, "account " + name,
                    "is that of a client of protocol 3, whose keys this server holds",
                    "migrate it to protocol 4 first");
    numbers.push_back(account->number);
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

Result<Json> AdminReplicas::create_token(const Json& request) const {
  CB_ASSIGN(const std::string name, name_in(request));
  CB_ASSIGN(const auto taken, token_named(name));
  if (taken)
    return failed(Code::exists, "replica " + name, "has a token already",
                  "cyberbackupd replica remove " + name + " takes that back");
  const std::vector<std::string> accounts = texts_in(request, "accounts");
  CB_ASSIGN(ServerReach reach, parts_.reach());
  repository::PairingToken token;
  CB_TRY(parts_.random->fill(token.id.bytes));
  token.secret = Secret(repository::kTokenSecretSize);
  CB_TRY(parts_.random->fill(token.secret.span()));
  token.pin = reach.pin;
  token.servers = std::move(reach.servers);
  CB_ASSIGN(const std::string text, repository::format_replica_token(token));
  catalog::ReplicaToken row;
  row.id = token.id.bytes;
  row.secret_hash = identity::sha256(token.secret.view());
  row.name = name;
  row.all_accounts = accounts.empty();
  CB_ASSIGN(row.accounts, numbers_of(accounts));
  row.created_ns = now();
  CB_TRY(parts_.catalog->replication().add_token(row));
  return Json{{"name", name}, {"accounts", accounts}, {"token", text}, {"servers", token.servers}};
}

// The file first: without a row nobody reads it, and the next command replaces it.
Result<Json> AdminReplicas::add(const Json& request) const {
  CB_ASSIGN(const std::string name, name_in(request));
  const std::string text = report::text_of(request, "token");
  CB_ASSIGN(const auto token, repository::parse_replica_token(text));
  catalog::ReplicaSource source;
  source.name = name;
  source.servers = texts_in(request, "servers");
  if (source.servers.empty()) source.servers = token.servers;
  source.pin = token.pin;
  source.accounts = texts_in(request, "accounts");
  source.removes_vanished = request.value("remove_vanished", false);
  source.heals_only = request.value("heal_only", false);
  source.added_ns = now();
  CB_ASSIGN(const auto sources, parts_.catalog->replication().sources());
  const ReplicationSettings settings = parts_.settings ? parts_.settings() : ReplicationSettings();
  const auto is_same = [&](const auto& other) { return other.name == name; };
  if (std::any_of(sources.begin(), sources.end(), is_same) ||
      std::any_of(settings.sources.begin(), settings.sources.end(), is_same))
    return failed(Code::exists, "source " + name, "is there already",
                  "choose another name, or remove it first: cyberbackupd replica remove " + name);
  CB_TRY(os::write_file_atomically(*parts_.files, replica_token_file(parts_.keys, name),
                                   as_bytes(text), 0600));
  CB_TRY(parts_.catalog->replication().add_source(source));
  return source_as_json(source, false);
}

Result<Json> AdminReplicas::list() const {
  catalog::Replication& rows = parts_.catalog->replication();
  Json sources = Json::array();
  const ReplicationSettings settings = parts_.settings ? parts_.settings() : ReplicationSettings();
  for (const ReplicationSource& one : settings.sources)
    sources.push_back(source_as_json(one, true));
  CB_ASSIGN(const auto noted, rows.sources());
  for (const catalog::ReplicaSource& one : noted) sources.push_back(source_as_json(one, false));
  CB_ASSIGN(const auto pulls, rows.pulls());
  for (const catalog::ReplicaPull& pull : pulls)
    for (Json& source : sources)
      if (report::text_of(source, "name") == pull.source)
        source["pulls"].push_back(server::json_of(pull));
  CB_ASSIGN(const auto accounts, parts_.catalog->accounts().accounts());
  CB_ASSIGN(const auto tokens, rows.tokens());
  Json replicas = Json::array();
  for (const catalog::ReplicaToken& token : tokens) {
    std::vector<std::string> names;
    for (const catalog::Account& account : accounts)
      if (std::binary_search(token.accounts.begin(), token.accounts.end(), account.number))
        names.push_back(account.name);
    replicas.push_back(json_of(token, names));
  }
  return Json{{"sources", std::move(sources)}, {"replicas", std::move(replicas)}};
}

Result<std::optional<catalog::ReplicaToken>> AdminReplicas::token_named(
    const std::string& name) const {
  CB_ASSIGN(const auto tokens, parts_.catalog->replication().tokens());
  std::optional<catalog::ReplicaToken> found;
  for (const catalog::ReplicaToken& token : tokens) {
    if (token.name == name) return token;
    if (name.size() < kLeastTokenDigits || !to_hex(token.id).starts_with(name)) continue;
    if (found)
      return failed(Code::invalid, "replica " + name, "are several tokens", "give more digits");
    found = token;
  }
  return found;
}

Result<Json> AdminReplicas::remove(const Json& request) const {
  const std::string name = report::text_of(request, "name");
  catalog::Replication& rows = parts_.catalog->replication();
  const Status removed = rows.remove_source(name);
  if (removed) {
    const Status gone = parts_.files->remove(replica_token_file(parts_.keys, name));
    if (!gone && gone.error().code != Code::not_found) return failed(gone.error());
    return Json{{"source", name}};
  }
  if (removed.error().code != Code::not_found) return failed(removed.error());
  CB_ASSIGN(const auto token, token_named(name));
  if (!token)
    return failed(Code::not_found, name, "is neither a source that was added nor a replica",
                  "cyberbackupd replica list shows them; sources of the configuration are removed "
                  "there");
  CB_TRY(rows.remove_token(token->id));
  return Json{{"replica", token->name}, {"token", to_hex(token->id)}};
}

}  // namespace cb::server
