// SPDX-License-Identifier: Apache-2.0
#include "core/server/legacy_import_clients.h"

#include <algorithm>
#include <numeric>

#include "core/protocol/v3/names.h"
#include "core/server/legacy_places.h"

namespace cb::server {
namespace {

using catalog::LegacyClient;
using catalog::SourceClient;

// Of one owner's files.
struct Holdings {
  size_t files = 0;
  int64_t oldest_ns = 0;
};

class ClientPlanner {
 public:
  ClientPlanner(const ImportInput& input, const std::vector<PlannedFile>& files);
  std::vector<PlannedClient> run();

 private:
  PlannedClient known(const SourceClient& source, const LegacyClient& here) const;
  PlannedClient fresh(const SourceClient& source, const Bytes& key);
  void name(PlannedClient& client);
  void add_ownerless();
  [[nodiscard]] Bytes key_of(const SourceClient& source, std::vector<std::string>& why) const;
  [[nodiscard]] Holdings holdings(const ClientId& id) const;
  // The order in which clients get the names that they share.
  [[nodiscard]] std::vector<size_t> turns() const;

  const ImportInput& input_;
  std::map<ClientId, LegacyClient> here_;
  std::map<std::string, ClientId> names_;  // taken, here or by the plan
  std::map<ClientId, Holdings> holdings_;
  std::vector<PlannedClient> clients_;
};

ClientPlanner::ClientPlanner(const ImportInput& input, const std::vector<PlannedFile>& files)
    : input_(input) {
  for (const LegacyClient& client : input.clients) {
    here_.emplace(client.id, client);
    names_.emplace(client.name, client.id);
  }
  for (const PlannedFile& file : files) {
    if (file.fate != ImportFate::take && file.fate != ImportFate::there) continue;
    Holdings& held = holdings_[file.owner];
    held.oldest_ns = held.files == 0 ? file.date_ns : std::min(held.oldest_ns, file.date_ns);
    ++held.files;
  }
}

Holdings ClientPlanner::holdings(const ClientId& id) const {
  const auto found = holdings_.find(id);
  return found == holdings_.end() ? Holdings() : found->second;
}

Bytes ClientPlanner::key_of(const SourceClient& source, std::vector<std::string>& why) const {
  const bool is_none = std::all_of(source.public_key.begin(), source.public_key.end(),
                                   [](std::byte byte) { return byte == std::byte{0}; });
  if (is_none) return {};
  auto key = input_.canonical_key(source.public_key);
  if (key) return std::move(*key);
  why.push_back("its public key cannot be used (" + key.error().cause +
                "): it has to register again");
  return {};
}

std::vector<size_t> ClientPlanner::turns() const {
  const auto& clients = input_.source.clients;
  const auto rank = [&](size_t i) {
    return std::tuple(!clients[i].public_key.empty(), holdings(clients[i].id).files > 0,
                      parse_source_time(clients[i].last_seen).value_or(0));
  };
  std::vector<size_t> order(clients.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return rank(a) > rank(b); });
  return order;
}

PlannedClient ClientPlanner::known(const SourceClient& source, const LegacyClient& here) const {
  PlannedClient client;
  client.fate = ImportFate::there;
  client.id = here.id;
  client.name = here.name;
  client.old_name = source.name;
  client.created_ns = here.created_ns;
  client.last_seen_ns = here.last_seen_ns;
  client.public_key = key_of(source, client.why);
  if (here.name != source.name) client.why.push_back("is known here under another name");
  client.adds_key = here.public_key.empty() && !client.public_key.empty();
  if (!client.adds_key && !client.public_key.empty() && client.public_key != here.public_key)
    client.why.push_back("has another public key here, which stays");
  return client;
}

PlannedClient ClientPlanner::fresh(const SourceClient& source, const Bytes& key) {
  PlannedClient client;
  client.id = source.id;
  client.name = client.old_name = source.name;
  client.public_key = key;
  client.last_seen_ns = parse_source_time(source.last_seen).value_or(0);
  const Holdings held = holdings(source.id);
  client.created_ns = client.last_seen_ns != 0 ? client.last_seen_ns : input_.now_ns;
  if (held.files > 0) client.created_ns = std::min(client.created_ns, held.oldest_ns);
  name(client);
  return client;
}

void ClientPlanner::name(PlannedClient& client) {
  const Status usable = v3::check_user_name(client.name);
  const auto holder = names_.find(client.name);
  if (usable && holder == names_.end()) {
    names_.emplace(client.name, client.id);
    return;
  }
  client.why.push_back(usable ? "its name is client " + holder->second.hex() + "'s here"
                              : "its name " + usable.error().cause);
  if (holdings(client.id).files == 0) {
    client.fate = ImportFate::skip;
    client.why.emplace_back("it has no files");
    return;
  }
  client.name += " (" + client.id.hex() + ")";
  if (!v3::check_user_name(client.name)) client.name = "unknown-" + client.id.hex();
  client.why.emplace_back("its files are under the name given here; it has to register anew");
  names_.emplace(client.name, client.id);
}

void ClientPlanner::add_ownerless() {
  const Holdings held = holdings(ownerless_id());
  if (held.files == 0) return;
  PlannedClient client;
  client.fate = here_.contains(ownerless_id()) ? ImportFate::there : ImportFate::take;
  client.id = ownerless_id();
  client.name = v3::kOwnerlessName;
  client.created_ns = held.oldest_ns;
  client.why.emplace_back("holds what nobody can be told to own, and can never log in");
  clients_.push_back(std::move(client));
}

std::vector<PlannedClient> ClientPlanner::run() {
  std::set<ClientId> seen;
  for (const size_t turn : turns()) {
    const SourceClient& source = input_.source.clients[turn];
    if (source.id.is_zero() || source.id == ownerless_id() || !seen.insert(source.id).second) {
      PlannedClient none;
      none.fate = ImportFate::skip;
      none.id = source.id;
      none.name = none.old_name = source.name;
      none.why.emplace_back("its id is one that no client can have, or another's");
      clients_.push_back(std::move(none));
      continue;
    }
    const auto here = here_.find(source.id);
    std::vector<std::string> why;
    if (here != here_.end()) {
      clients_.push_back(known(source, here->second));
      continue;
    }
    const Bytes key = key_of(source, why);
    PlannedClient client = fresh(source, key);
    client.why.insert(client.why.begin(), why.begin(), why.end());
    clients_.push_back(std::move(client));
  }
  add_ownerless();
  std::sort(clients_.begin(), clients_.end(), [](const PlannedClient& a, const PlannedClient& b) {
    return std::tie(a.name, a.id) < std::tie(b.name, b.id);
  });
  return std::move(clients_);
}

}  // namespace

std::vector<PlannedClient> plan_clients(const ImportInput& input,
                                        const std::vector<PlannedFile>& files) {
  return ClientPlanner(input, files).run();
}

}  // namespace cb::server
