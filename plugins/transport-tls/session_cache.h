// SPDX-License-Identifier: Apache-2.0
//
// Sessions that a client may resume, by peer. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "owned.h"

namespace transport_tls {

class SessionCache {
 public:
  // Keeps a session of `peer` that began under `generation`; sessions from before the last clear
  // are dropped. Holds a few per peer and forgets the peer unused longest when there are too many.
  void put(const std::string& peer, uint64_t generation, SslSessionPtr session);

  // The newest session that can be resumed, or null. It leaves the cache: a TLS 1.3 ticket that is
  // used twice would link the two connections.
  SslSessionPtr take(const std::string& peer);

  // Forgets all sessions, so that the next handshakes verify the peer anew.
  void clear();
  // Changes with each clear.
  [[nodiscard]] uint64_t generation() const;

 private:
  struct Peer {
    std::deque<SslSessionPtr> sessions;  // oldest first
    uint64_t used = 0;
  };
  void make_room();

  mutable std::mutex mutex_;
  // Under the mutex.
  std::map<std::string, Peer> peers_;
  uint64_t clock_ = 0;
  uint64_t generation_ = 0;
};

// Where the sessions of one connection are kept; outlives it.
struct SessionKeeper {
  SessionCache* cache = nullptr;
  std::string peer;
  uint64_t generation = 0;
};

// Connections of this context hand their sessions to their keeper, if they have one.
void keep_sessions(SSL_CTX* context);
void set_keeper(SSL* connection, SessionKeeper* keeper);

}  // namespace transport_tls
