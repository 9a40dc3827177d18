// SPDX-License-Identifier: Apache-2.0
//
// Requests out, replies in: protocol v3 over one connection. Used on the connection's strand.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "core/protocol/v3/messages.h"
#include "core/stream/connection.h"
#include "core/stream/throttle.h"

namespace cb::client {

struct V3Reply {
  v3::Reply kind = v3::Reply::error;
  Bytes payload;
};

class V3Wire {
 public:
  using Note = std::function<void(const std::string&)>;

  // `note` hears of oddities that are tolerated.
  // `upload` may be missing: then there is no limit.
  V3Wire(std::unique_ptr<stream::Connection> connection, Note note,
         std::shared_ptr<stream::Throttle> upload = {});

  // Sends bytes that are a request (v3::request_bytes).
  stream::Task<void> send(ByteView request);

  // Waits for the next reply, all of it within `timeout`. Of an acknowledgement only the header
  // must come: peers declare more than they send, or close (legacy-protocol 9); see usable().
  // Code::timeout, Code::closed, Code::corrupt for a reply that is none.
  stream::Task<V3Reply> receive(std::chrono::nanoseconds timeout);

  // Is there a reply, or the end, to be read already?
  stream::Task<bool> pending();

  // May further requests be sent? False after a failure or an acknowledgement that came short.
  [[nodiscard]] bool usable() const { return usable_; }

  // The dialect of the replies so far.
  [[nodiscard]] v3::Dialect dialect() const { return dialect_; }
  [[nodiscard]] std::string peer() const { return connection_->peer(); }

  // Makes what waits fail with Code::cancelled.
  void cancel() { connection_->cancel(); }
  // Ends the connection; call once, last.
  boost::asio::awaitable<void> close();

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  stream::Task<void> read_all(ByteSpan into, Deadline deadline);
  stream::Task<V3Reply> receive_until(Deadline deadline);
  Result<v3::Reply> judge(const protocol::ResponseHeader& header);

  std::unique_ptr<stream::Connection> connection_;
  Note note_;
  std::shared_ptr<stream::Throttle> upload_;
  v3::Dialect dialect_ = v3::Dialect::usual;
  bool usable_ = true;
  bool odd_version_noted_ = false;
};

}  // namespace cb::client
