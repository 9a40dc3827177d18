// SPDX-License-Identifier: Apache-2.0
//
// A v3 server for tests: the real daemon on a fresh folder and a free port of 127.0.0.1, with the
// sources of client ids and AES keys in the test's hands, and a second look at its store and
// catalog. One thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/log/capture.h"
#include "core/server/daemon.h"

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

// Beside what init writes.
struct V3ServerOptions {
  std::vector<std::string> set = {};  // "listen.0.max_connections=7"
  const os::Clock* clock = &os::system_clock();
};

// What makes the server's one listener, over plain tcp, serve in a mode.
std::vector<std::string> in_mode(const std::string& mode);

class V3Server {
 public:
  explicit V3Server(const V3Settings& v3 = {}, Dialect dialect = Dialect::usual,
                    V3ServerOptions options = {});
  ~V3Server();
  V3Server(const V3Server&) = delete;
  V3Server& operator=(const V3Server&) = delete;

  [[nodiscard]] uint16_t port() const { return daemon_->ports().at(0); }
  ScriptedRandom& ids() { return ids_; }
  ScriptedRandom& aes_keys() { return aes_keys_; }
  catalog::Catalog& catalog() { return looking_->catalog(); }
  V3Archive& archive() { return looking_->archive(); }
  Daemon& daemon() { return *daemon_; }
  log::Capture& log() { return log_; }
  const os::Path& folder() const { return folder_; }

  // Ends the daemon and starts it again on the same folder (and another port).
  void restart();
  // The same, and in between does something with the files.
  void while_ended(const std::function<void(Backend&, plugin::Registry&)>& work);
  void reconfigure(const V3Settings& v3);
  // Reloads with these in place of the options' `set`; an error leaves them.
  Status reload(std::vector<std::string> set);
  // Decides something about a client, as another process would.
  void decide(const ClientId& id, const std::function<void(catalog::LegacyPolicy&)>& change);

  // A client that registered before the test began.
  void add_client(const ClientId& id, const std::string& name, ByteView private_key,
                  catalog::OaepHash hash = catalog::OaepHash::unknown);
  // The newest version of a file, as export would give it; nothing if there is none.
  std::optional<Bytes> stored(const ClientId& id, const std::string& file_name);
  // Confirmed uploads in the store. Throws when it holds a pack that belongs to none of them.
  size_t upload_count();
  plugin::Store& store() { return looking_->store(); }
  // Waits until no connection is open.
  void wait_until_idle();

 private:
  Settings settings(const V3Settings& v3);

  os::Path folder_;
  Dialect dialect_;
  V3Settings v3_;
  std::vector<std::string> set_;
  log::Capture log_;
  ScriptedRandom ids_;
  ScriptedRandom aes_keys_;
  Seams seams_;
  Settings looking_settings_;
  std::unique_ptr<plugin::Registry> looking_registry_;
  std::unique_ptr<Backend> looking_;
  std::unique_ptr<Daemon> daemon_;
};

}  // namespace cb::server
