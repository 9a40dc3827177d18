// SPDX-License-Identifier: Apache-2.0
#include "core/server/v3_policy.h"

#include <utility>

namespace cb::server {
namespace {

using catalog::LegacyPolicy;

constexpr const char* kUseV4 = "let the client move on to protocol 4 (docs/migration.md)";

}  // namespace

std::optional<std::string> v3_refusal(const LegacyPolicy& policy, const V3Settings& settings,
                                      int64_t now_ns) {
  if (settings.min_version > 3) return "protocol 3 is not served any more (legacy.min_version)";
  if (policy.min_version > 3) return "protocol 3 is not served to this client any more";
  if (policy.ended_ns == 0 || now_ns < policy.lifted_until_ns) return std::nullopt;
  return policy.lifted_until_ns == 0 ? "the client speaks protocol 4 now"
                                     : "the client speaks protocol 4 now, and the lift has run out";
}

Result<catalog::LegacyClient> find_v3_client(catalog::Catalog& catalog, const std::string& name) {
  const std::optional<ClientId> id = V3Keys::client_of(name);
  CB_ASSIGN(auto client, id ? catalog.client_by_id(*id) : catalog.client_by_name(name));
  if (client) return std::move(*client);
  return failed(Code::not_found, "client " + name, "is not known",
                "cyberbackupd legacy list shows who is");
}

void V3Policy::reconfigure(const V3Settings& settings) {
  const std::lock_guard lock(mutex_);
  settings_ = settings;
}

V3Settings V3Policy::settings() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

Error V3Policy::refused(const ClientId& client, const std::string& name, const std::string& peer,
                        const std::string& why) const {
  parts_.log->warn("v3.refused.ended",
                   {{"client", client.hex()}, {"name", name}, {"peer", peer}, {"why", why}});
  if (parts_.audit != nullptr)
    parts_.audit->post_of_stranger(
        {"", peer, "v3.refused.ended", "client " + client.hex(), "denied", why});
  return fail(Code::denied, "client " + client.hex(), why, kUseV4);
}

Status V3Policy::check(const ClientId& client, const std::string& peer) const {
  LegacyPolicy policy;
  auto known = parts_.catalog->legacy_policy(client);
  if (!known && known.error().code != Code::not_found) return failed(std::move(known).error());
  if (known) policy = *known;
  const auto why = v3_refusal(policy, settings(), now());
  if (!why) return {};
  CB_ASSIGN(const auto row, parts_.catalog->client_by_id(client));
  return failed(refused(client, row ? row->name : std::string(), peer, *why));
}

Status V3Policy::check_new(const std::string& name, const std::string& peer) const {
  const V3Settings settings = this->settings();
  if (const auto why = v3_refusal({}, settings, now()))
    return failed(refused(ClientId{}, name, peer, *why));
  if (settings.new_clients) return {};
  return failed(refused(ClientId{}, name, peer,
                        "new clients of protocol 3 are not taken (legacy.new_clients)"));
}

Status V3Policy::change(const ClientId& client,
                        const std::function<void(LegacyPolicy&)>& change) const {
  CB_TRY(parts_.catalog->change_legacy_policy(client, change));
  if (const Status kept = parts_.keys->keep_note(client); !kept)
    parts_.log->error("v3.note.not-kept",
                      {{"client", client.hex()}, {"error", kept.error().text()}});
  return {};
}

void V3Policy::close_ratchet(const std::string& account, const std::string& peer) const {
  const std::optional<ClientId> client = V3Keys::client_of(account);
  if (!client) return;
  const bool otherwise = settings().ratchet;
  const auto is_open = [&](const LegacyPolicy& policy) {
    return policy.ended_ns == 0 && policy.ratchet.value_or(otherwise);
  };
  const auto policy = parts_.catalog->legacy_policy(*client);
  if (policy && !is_open(*policy)) return;
  bool closed = false;
  const Status done = change(*client, [&](LegacyPolicy& fresh) {
    closed = is_open(fresh);  // another login may have been faster
    if (closed) fresh.ended_ns = now();
  });
  if (!done && done.error().code != Code::not_found)
    parts_.log->error("v3.ratchet.not-closed",
                      {{"client", client->hex()}, {"error", done.error().text()}});
  if (!done || !closed) return;
  parts_.log->info("v3.ratchet.closed", {{"client", client->hex()}, {"peer", peer}});
  if (parts_.audit != nullptr)
    parts_.audit->write(
        {account, peer, "v3.ratchet.closed", "client " + client->hex(), "done", ""});
}

Result<bool> V3Policy::has_something_to_lose(const ClientId& client) const {
  CB_ASSIGN(const LegacyPolicy policy, parts_.catalog->legacy_policy(client));
  if (policy.imported_ns != 0 || policy.migrated_ns != 0) return true;
  CB_ASSIGN(const auto versions, parts_.catalog->versions(client));
  return !versions.empty();
}

Status V3Policy::note_key_replaced(const ClientId& client, const std::string& address) const {
  CB_ASSIGN(const bool matters, has_something_to_lose(client));
  if (!matters) return {};
  parts_.log->warn("v3.key.replaced", {{"client", client.hex()}, {"address", address}});
  if (parts_.audit != nullptr)
    parts_.audit->post_of_stranger(
        {"", address, "v3.key.replaced", "client " + client.hex(), "done", ""});
  return change(client, [](LegacyPolicy& policy) { policy.key_replaced = true; });
}

void V3Policy::note_use(const ClientId& client, catalog::LegacyUse more) const {
  more.first_ns = more.last_ns = now();
  const Status done = parts_.catalog->note_legacy_use(client, more);
  if (!done)
    parts_.log->warn("v3.use.not-kept", {{"client", client.hex()}, {"why", done.error().text()}});
}

void V3Policy::note_login(const ClientId& client, const V3Entrance& at) const {
  note_use(client, {at.listener, at.address, 0, 0, 1, 0, 0});
}

void V3Policy::note_upload(const ClientId& client, const V3Entrance& at,
                           uint64_t plain_bytes) const {
  note_use(client, {at.listener, at.address, 0, 0, 0, 1, plain_bytes});
}

Result<uint64_t> V3Policy::keep_notes() const {
  CB_ASSIGN(const auto clients, parts_.catalog->clients());
  uint64_t written = 0;
  for (const catalog::LegacyClient& client : clients) {
    CB_ASSIGN(const LegacyPolicy policy, parts_.catalog->legacy_policy(client.id));
    if (!v3_note_tells(policy)) continue;
    const auto fresh = parts_.keys->complete_note(client.id);
    if (fresh) written += *fresh ? 1 : 0;
    if (!fresh)
      parts_.log->error("v3.note.not-kept",
                        {{"client", client.id.hex()}, {"error", fresh.error().text()}});
  }
  return written;
}

}  // namespace cb::server
