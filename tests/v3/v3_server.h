// SPDX-License-Identifier: Apache-2.0
//
// A v3 server for tests: the real plugins, catalog, store and sessions behind a real listener on a
// free port of 127.0.0.1, with the sources of client ids and AES keys in the test's hands.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/log/capture.h"
#include "core/server/v3_service.h"
#include "core/stream/io_threads.h"
#include "core/stream/listener.h"
#include "core/stream/stack.h"

namespace cb::server {

// Gives out what was put in, in order, then the system's randomness.
class ScriptedRandom final : public os::Random {
 public:
  void push(Bytes next);
  Status fill(ByteSpan out) override;

 private:
  std::mutex mutex_;
  std::deque<Bytes> script_;
};

class V3Server {
 public:
  explicit V3Server(V3Settings settings = {}, Dialect dialect = Dialect::usual);
  ~V3Server();

  [[nodiscard]] uint16_t port() const { return port_; }
  ScriptedRandom& ids() { return ids_; }
  ScriptedRandom& aes_keys() { return aes_keys_; }
  catalog::Catalog& catalog() { return *catalog_; }
  repository::Vault& vault() { return *vault_; }
  plugin::Store& store() { return *store_; }
  plugin::Registry& registry() { return *registry_; }
  V3Service& service() { return *service_; }
  log::Capture& log() { return log_; }
  const os::Path& folder() const { return folder_; }

  // The public half of a v3 client's private key, DER.
  Bytes public_half(ByteView private_key);
  // A client that registered before the test began.
  void add_client(const ClientId& id, const std::string& name, ByteView private_key,
                  catalog::OaepHash hash = catalog::OaepHash::unknown);
  // The newest version of a file, as export would give it; nothing if there is none.
  std::optional<Bytes> stored(const ClientId& id, const std::string& file_name);
  // Objects in the store.
  size_t object_count();
  // Waits until no session is open.
  void wait_until_idle();

 private:
  boost::asio::awaitable<void> accept_all();
  config::Values options(const std::string& plugin,
                         const std::map<std::string, std::string>& written);

  os::Path folder_;
  Dialect dialect_;
  log::Capture log_;
  ScriptedRandom ids_;
  ScriptedRandom aes_keys_;
  std::unique_ptr<plugin::Registry> registry_;
  std::unique_ptr<plugin::Store> store_;
  std::unique_ptr<plugin::Crypto> crypto_;
  std::unique_ptr<plugin::Crypto> legacy_;
  std::unique_ptr<plugin::Compress> compress_;
  std::unique_ptr<plugin::KeyPair> server_key_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<repository::Vault> vault_;
  std::unique_ptr<stream::Stack> stack_;
  std::unique_ptr<stream::BufferPool> buffers_;
  std::unique_ptr<stream::IoThreads> io_;
  std::unique_ptr<stream::Workers> workers_;
  std::unique_ptr<V3Service> service_;
  std::unique_ptr<stream::Listener> listener_;
  std::atomic<bool> accepting_{false};
  uint16_t port_ = 0;
};

}  // namespace cb::server
