// SPDX-License-Identifier: Apache-2.0
//
// A listening TCP socket. fd and port are for any thread, accept for one strand.
#pragma once

#include <memory>

#include "stream.h"

namespace transport_tcp {

class Listener {
 public:
  // Binds and listens; a backlog of 0 is the system's most.
  Listener(const Address& at, uint32_t backlog, const Settings& settings);

  // The next connection, or null when none waits.
  std::unique_ptr<Stream> accept();
  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] int port() const { return port_; }

 private:
  Descriptor socket_;
  Settings settings_;
  int port_ = 0;
};

}  // namespace transport_tcp
