// SPDX-License-Identifier: Apache-2.0
#include "session_cache.h"

#include <algorithm>
#include <new>

namespace transport_tls {

namespace {

constexpr size_t kSessionsPerPeer = 8;
constexpr size_t kPeers = 256;

int keeper_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// Called by OpenSSL for each new ticket; 1 means that the reference was taken.
int on_new_session(SSL* connection, SSL_SESSION* session) {
  const auto* keeper = static_cast<SessionKeeper*>(SSL_get_ex_data(connection, keeper_index()));
  if (keeper == nullptr) return 0;
  SslSessionPtr taken(session);
  try {
    keeper->cache->put(keeper->peer, keeper->generation, std::move(taken));
  } catch (const std::bad_alloc&) {
    // The session is freed: the next connection does a full handshake.
  }
  return 1;
}

}  // namespace

void SessionCache::make_room() {
  if (peers_.size() < kPeers) return;
  const auto oldest =
      std::min_element(peers_.begin(), peers_.end(),
                       [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
  peers_.erase(oldest);
}

void SessionCache::put(const std::string& peer, uint64_t generation, SslSessionPtr session) {
  const std::lock_guard lock(mutex_);
  if (generation != generation_) return;
  if (!peers_.contains(peer)) make_room();
  Peer& known = peers_[peer];
  known.used = ++clock_;
  known.sessions.push_back(std::move(session));
  if (known.sessions.size() > kSessionsPerPeer) known.sessions.pop_front();
}

SslSessionPtr SessionCache::take(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return nullptr;
  found->second.used = ++clock_;
  auto& sessions = found->second.sessions;
  while (!sessions.empty()) {
    SslSessionPtr session = std::move(sessions.back());
    sessions.pop_back();
    if (SSL_SESSION_is_resumable(session.get()) == 1) return session;
  }
  return nullptr;
}

void SessionCache::clear() {
  const std::lock_guard lock(mutex_);
  peers_.clear();
  ++generation_;
}

uint64_t SessionCache::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

void keep_sessions(SSL_CTX* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &on_new_session);
}

void set_keeper(SSL* connection, SessionKeeper* keeper) {
  if (SSL_set_ex_data(connection, keeper_index(), keeper) != 1) throw std::bad_alloc();
}

}  // namespace transport_tls
