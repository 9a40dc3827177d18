// SPDX-License-Identifier: Apache-2.0
//
// A root transport without a network, for conversations in one process. It claims to encrypt and
// to know its peer, as protocol v4 wants. Streams are used on one strand each.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/bytes.h"
#include "core/log/log.h"
#include "core/plugin/transport.h"

namespace cb::conversation {

// The far end of a stream that answers in the thread of who writes: takes what was sent, and says
// what comes back.
class Answerer {
 public:
  virtual ~Answerer() = default;
  // Appends the answer to `out`; false: that is the end of the stream.
  virtual bool take(ByteView sent, Bytes& out) = 0;
};

// What the next stream is to be.
struct FarEnd {
  std::string address = "192.0.2.1:4711";  // of the peer, as the stream tells it
  Bytes binding = Bytes(32);               // of the channel
  // Who answers. Without one `descriptor` is set to the other end of a socket pair, non-blocking,
  // which the caller closes.
  std::unique_ptr<Answerer> answerer;
  int descriptor = -1;
};

class MemoryTransport {
 public:
  // Called when somebody connects, in the caller's thread; fills in whom with. The descriptor of
  // the far end is there when `connected` is called.
  struct Hooks {
    std::function<void(FarEnd&)> connecting;
    std::function<void(FarEnd&)> connected;
  };
  // `log` outlives it; so does this outlive what is made of it.
  MemoryTransport(log::Log& log, Hooks hooks);
  ~MemoryTransport();
  MemoryTransport(const MemoryTransport&) = delete;
  MemoryTransport& operator=(const MemoryTransport&) = delete;

  // For a stack, or to connect by itself.
  [[nodiscard]] plugin::Transport transport() const;
  // Connects: the near end.
  [[nodiscard]] std::unique_ptr<plugin::Stream> connect() const;

 private:
  Hooks hooks_;
  std::shared_ptr<plugin::Instance> instance_;
};

}  // namespace cb::conversation
