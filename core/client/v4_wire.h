// SPDX-License-Identifier: Apache-2.0
//
// Frames of protocol v4 over a connection: what is sent is gathered into few large writes, what
// comes is read far ahead. Coroutines of one strand; one reader and one writer at a time.
#pragma once

#include <memory>
#include <string>

#include "core/protocol/v4/frame.h"
#include "core/stream/connection.h"
#include "core/stream/throttle.h"

namespace cb::client {

// A frame that came; the views are valid until the next one is received.
struct V4Frame {
  v4::Response code = v4::Response::failure;
  uint32_t request_id = 0;
  ByteView message;
  ByteView bulk;
};

class V4Wire {
 public:
  explicit V4Wire(std::unique_ptr<stream::Connection> connection, stream::FlowLimits flow = {});

  // The next frame. Code::closed at the end of the stream, Code::corrupt for what is no frame of
  // this protocol, Code::timeout when nothing comes for so long (0: waits for ever).
  stream::Task<V4Frame> receive(std::chrono::nanoseconds timeout);

  // Takes bytes to be sent; they may lie here until flush.
  stream::Task<void> append(ByteView bytes);
  stream::Task<void> flush();
  [[nodiscard]] bool has_unsent() const { return !out_.empty(); }

  // Does it wait for a limit of its own? Then nobody is late.
  [[nodiscard]] bool is_held() const { return held_ > 0; }

  [[nodiscard]] stream::Connection& connection() { return *connection_; }
  // "127.0.0.1:4711".
  [[nodiscard]] const std::string& peer() const { return peer_; }

 private:
  Result<size_t> frame_size() const;
  Result<V4Frame> take(size_t size);
  void make_room(size_t size);
  stream::asio::awaitable<size_t> turn_of(stream::Throttle& throttle, size_t wanted);
  stream::Task<void> write(ByteView bytes);
  stream::Task<size_t> read_some(ByteSpan into);

  std::unique_ptr<stream::Connection> connection_;
  std::string peer_;
  Bytes in_;  // what was read lies in [begin_, end_)
  size_t begin_ = 0;
  size_t end_ = 0;
  Bytes out_;
  stream::FlowLimits flow_;
  size_t may_read_ = 0;  // of a turn that was taken
  unsigned held_ = 0;    // reader and writer that wait for a turn
};

}  // namespace cb::client
