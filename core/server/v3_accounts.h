// SPDX-License-Identifier: Apache-2.0
//
// Who speaks v3: registration, reconnection, and the AES key that each client's next upload is
// under. Learns which OAEP hash a client can open (legacy-protocol 9). Thread-safe; functions block
// unless they say otherwise.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/catalog/catalog.h"
#include "core/os/clock.h"
#include "core/os/random.h"
#include "core/plugin/registry.h"
#include "core/server/v3_policy.h"
#include "core/server/v3_settings.h"

namespace cb::server {

// A fresh AES key for a client.
struct V3Grant {
  Bytes cipher;  // the key under the client's RSA key, 128 bytes
  catalog::OaepHash hash = catalog::OaepHash::sha256;
  std::shared_ptr<const plugin::Key> key;
};

// How a grant is to be made.
struct V3GrantRules {
  OaepChoice oaep = OaepChoice::automatic;
  Dialect dialect = Dialect::usual;
  std::string address;  // of the peer, for the catalog
};

class V3Accounts {
 public:
  struct Parts {
    plugin::Registry* registry = nullptr;
    catalog::Catalog* catalog = nullptr;
    const os::Clock* clock = nullptr;
    os::Random* ids = nullptr;
    const V3Policy* policy = nullptr;
  };
  static Result<std::unique_ptr<V3Accounts>> open(Parts parts);

  // 1025. Code::exists when the name is taken by a client that has sent its key; one that has not
  // gives its id away.
  Result<ClientId> add(const std::string& name, const std::string& address);
  // Makes a client under an id that it already holds. Code::exists when id or name is taken.
  Status add_as(const ClientId& id, const std::string& name, const std::string& address);

  // 1026. Code::not_found for an unknown id; Code::corrupt or unsupported for an unusable key.
  Result<V3Grant> take_key(const ClientId& id, ByteView public_key, const V3GrantRules& rules);

  // 1027. Code::denied when the id is unknown, has another name, or never sent a key.
  Result<V3Grant> reconnect(const ClientId& id, const std::string& name, const V3GrantRules& rules);

  // Nothing when the id is unknown.
  Result<std::optional<catalog::LegacyClient>> find(const ClientId& id);

  // The key of the last grant of this client, on whatever connection; null when there is none. Does
  // not block.
  std::shared_ptr<const plugin::Key> current_key(const ClientId& id);

  // The client opened the key that was wrapped with `hash`: the choice is fixed.
  Status note_opened(const ClientId& id, catalog::OaepHash hash);
  // It could not: next time the other hash, unless the choice is fixed.
  Status note_unopened(const ClientId& id, catalog::OaepHash hash);

 private:
  explicit V3Accounts(Parts parts) : parts_(parts) {}
  Result<V3Grant> grant(const catalog::LegacyClient& client, const V3GrantRules& rules);
  const plugin::Crypto& suite(catalog::OaepHash hash, Dialect dialect) const;
  void remember(const ClientId& id, std::shared_ptr<const plugin::Key> key);

  Parts parts_;
  // By hash (sha256, sha1) and key size (32, 16 bytes).
  std::array<std::unique_ptr<plugin::Crypto>, 4> suites_;

  struct Kept {
    std::shared_ptr<const plugin::Key> key;
    uint64_t turn = 0;
  };
  std::mutex mutex_;
  // Guarded by mutex_:
  std::map<ClientId, Kept> keys_;
  uint64_t turn_ = 0;
};

}  // namespace cb::server
