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
    Bytes bulk;
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
  // Which of these does the server have? A byte each.
  stream::Task<Bytes> have(const std::vector<repository::BlobId>& ids);
  // Reads blobs, in the server's order. Code::not_found when one is missing.
  stream::Task<std::vector<repository::StoredBlob>> get(const std::vector<repository::BlobId>& ids);
  // Sends bytes that need not be a frame.
  stream::Task<void> send(ByteView bytes);
  // Reads until the server ends it, however it does. Nothing can be sent afterwards.
  boost::asio::awaitable<void> wait_for_end();
  boost::asio::awaitable<void> leave();
  // Ends it without a word.
  boost::asio::awaitable<void> close() { return connection_->close(); }
  // Has the server ended it by now? What came before is read.
  boost::asio::awaitable<bool> has_ended();

  // Makes what waits fail, and the connection with it.
  void cancel() { connection_->cancel(); }

  [[nodiscard]] bool is_resumed();
  // What signs the server's receipts; after hello.
  [[nodiscard]] Result<repository::SigningPublic> server_key() const;
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
  bool ended_ = false;
};

}  // namespace cb::bench
