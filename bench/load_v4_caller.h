// SPDX-License-Identifier: Apache-2.0
//
// The client's end of one v4 conversation, as cheap as it can be: frames over a connection of the
// product's transports, with no thread and no buffer of its own. Coroutines of one thread.
#pragma once

#include <memory>

#include "core/identity/signing.h"
#include "core/protocol/v4/frame.h"
#include "core/protocol/v4/messages.h"
#include "core/repository/records.h"
#include "core/stream/stack.h"

namespace cb::bench {

// A device and the repository that it owns, with keys that are drawn: the server reads neither.
struct V4Device {
  static Result<V4Device> make();

  std::string account;
  identity::SigningKey root;
  identity::SigningKey key;
  repository::DeviceId id;
  repository::RepositoryRecord record;
  repository::Certificate certificate;
  repository::KeySlot slot;
};

class V4Caller {
 public:
  struct Answer {
    v4::Response code{};
    Bytes message;
  };

  // Connects; TLS stands. Those with another peer_name share no tickets for resumption.
  static stream::Task<std::unique_ptr<V4Caller>> connect(const stream::Stack& stack,
                                                         stream::Target target);

  stream::Task<void> hello();
  // After hello.
  stream::Task<void> log_in(const V4Device& device);
  stream::Task<void> enroll(const V4Device& device, const std::string& token);
  // One request and its one answer, which must be `expected`; what was pushed before is noted.
  stream::Task<Bytes> ask(v4::Request code, const Bytes& message, v4::Response expected);
  stream::Task<void> tell(v4::Request code, const Bytes& message, ByteView bulk);
  // Puts a blob, and waits as the server's credit wants it.
  stream::Task<void> put(const repository::BlobHead& head, ByteView stored);
  // Sends bytes that need not be a frame.
  stream::Task<void> send(ByteView bytes) { return connection_->write(bytes); }
  // Reads until the server ends it, however it does.
  boost::asio::awaitable<void> wait_for_end();
  boost::asio::awaitable<void> leave();
  // Has the server ended it by now? What came before is read.
  boost::asio::awaitable<bool> has_ended();

  [[nodiscard]] bool is_resumed();
  // Bulk bytes that the server has consumed.
  [[nodiscard]] uint64_t taken() const { return taken_.bytes(); }

 private:
  explicit V4Caller(std::unique_ptr<stream::Connection> connection)
      : connection_(std::move(connection)) {}
  stream::Task<Answer> frame();
  stream::Task<Answer> answer();
  stream::Task<void> take_note();
  Result<Bytes> statement(const repository::DeviceId& device);

  std::unique_ptr<stream::Connection> connection_;
  uint32_t next_id_ = 1;
  Bytes hello_, reply_bytes_;
  v4::pb::HelloReply reply_;
  v4::pb::Taken taken_;  // the newest
  uint64_t sent_ = 0;    // bulk
};

}  // namespace cb::bench
