// SPDX-License-Identifier: Apache-2.0
//
// A transport plugin as C++ sees it: every call goes through the gate. Streams are used on one
// strand and never block. Handles keep their instance alive. core/stream puts Asio on top of this.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/bytes.h"
#include "cyberbackup/transport.h"

namespace cb::plugin {

class Instance;

enum class IoStep { ok, want_read, want_write, end };

struct IoResult {
  IoStep step = IoStep::ok;
  size_t bytes = 0;
};

struct Endpoint {
  uint32_t direction = CB_ENDPOINT_CONNECT;
  std::string address;    // numeric
  std::string peer_name;  // to verify; may be empty
  uint16_t port = 0;
  uint32_t backlog = 0;
};

class Stream {
 public:
  Stream(std::shared_ptr<Instance> instance, cb_stream* handle, std::unique_ptr<Stream> below);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();  // closes this stream, then the one below

  // First that of the streams below, from the bottom up, then its own.
  Result<IoStep> handshake();
  Result<IoResult> read(ByteSpan into);
  Result<IoResult> write(ByteView from);
  Result<IoStep> shutdown();
  [[nodiscard]] int fd() const;

  // A fact of this stream or of one below it; Code::unsupported when none knows. `what`: CB_INFO_*.
  Result<Bytes> info(uint32_t what);
  // The capabilities of all plugins of this stack, or-ed.
  [[nodiscard]] uint64_t capabilities() const;

 private:
  friend class Transport;
  struct Lower;  // the cb_lower handed to a filter

  std::shared_ptr<Instance> instance_;
  std::unique_ptr<Stream> below_;
  std::unique_ptr<Lower> lower_;
  cb_stream* handle_ = nullptr;
  bool below_stands_ = false;
};

class Listener {
 public:
  Listener(std::shared_ptr<Instance> instance, cb_listener* handle);
  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&& other) noexcept;
  ~Listener();

  // The next connection; null when none waits.
  Result<std::unique_ptr<Stream>> accept();
  [[nodiscard]] int fd() const;
  [[nodiscard]] uint16_t port() const;

 private:
  std::shared_ptr<Instance> instance_;
  cb_listener* handle_ = nullptr;
};

class Transport {
 public:
  // The instance's interface is cb.transport/1 (the registry checks).
  explicit Transport(std::shared_ptr<Instance> instance);

  // Root only.
  Result<std::unique_ptr<Stream>> connect(const Endpoint& endpoint) const;
  Result<Listener> listen(const Endpoint& endpoint) const;
  // Filter only: takes the stream below.
  Result<std::unique_ptr<Stream>> wrap(const Endpoint& endpoint,
                                       std::unique_ptr<Stream> below) const;
  // Rereads certificates and the like; Code::unsupported when there is nothing to reread.
  Status reload() const;

  [[nodiscard]] uint64_t capabilities() const;
  [[nodiscard]] const std::shared_ptr<Instance>& instance() const { return instance_; }

 private:
  std::shared_ptr<Instance> instance_;
};

}  // namespace cb::plugin
