// SPDX-License-Identifier: Apache-2.0
//
// The other end of a v4 conversation for tests: a real TLS connection that sends frames as told,
// right or wrong, and reads one answer at a time. One thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "core/identity/signing.h"
#include "core/log/capture.h"
#include "core/plugin/registry.h"
#include "core/protocol/v4/frame.h"
#include "core/protocol/v4/messages.h"
#include "core/stream/stack.h"

namespace cb::server {

// A device and the repository that it owns, made with plain keys: the server reads neither.
struct V4Owner {
  static V4Owner make();
  // The same owner on another machine: all the same but the device.
  [[nodiscard]] V4Owner with_another_device() const;
  // The Enroll message with a signature over `statement`.
  [[nodiscard]] v4::pb::Enroll enroll(const std::string& token, ByteView statement) const;
  [[nodiscard]] repository::Signature sign_snapshot(const repository::BlobId& snapshot) const;

  identity::SigningKey root;
  identity::SigningKey key;
  repository::DeviceId device;
  repository::RepositoryRecord record;
  repository::Certificate certificate;
  repository::KeySlot slot;
};

struct V4Answer {
  v4::Response code{};
  uint32_t request_id = 0;
  Bytes message;
  Bytes bulk;

  template <typename Message>
  Message as() const {
    return v4::parse<Message>(message).value();
  }
  // Of a Failure; "" for anything else.
  [[nodiscard]] std::string failure() const;
};

class V4Peer {
 public:
  // Connects to 127.0.0.1 over TLS with this pin; without a pin over plain TCP.
  V4Peer(uint16_t port, const std::string& pin);
  ~V4Peer();
  V4Peer(const V4Peer&) = delete;
  V4Peer& operator=(const V4Peer&) = delete;

  // How the connection came up.
  [[nodiscard]] const Status& up() const { return up_; }

  // False when the server has closed.
  bool send(ByteView bytes);
  bool request(v4::Request code, uint32_t id, ByteView message = {}, ByteView bulk = {});
  bool request(v4::Request code, uint32_t id, const google::protobuf::MessageLite& message) {
    return request(code, id, v4::encode(message));
  }
  // The next answer, pushed ones aside (they are counted in `taken`); nothing when the connection
  // ended, or when none came for 30 s.
  std::optional<V4Answer> answer();
  // The next frame whatever it is.
  std::optional<V4Answer> frame();
  // Did the server end the connection after at most some answers? Waits up to 30 s for it.
  bool ended();
  // Closes without a word.
  void cut();
  // Connects once more, with what TLS remembers of the time before.
  bool again();
  // Did TLS resume an earlier session?
  [[nodiscard]] bool is_resumed();

  // Sends a hello and keeps both messages.
  std::optional<v4::pb::HelloReply> hello(const v4::pb::Hello& message = usual_hello());
  static v4::pb::Hello usual_hello();
  // The channel statement of this connection.
  Bytes statement(const repository::DeviceId& device);

  // Hello and enrolment; the answer to the latter.
  std::optional<V4Answer> enroll(const V4Owner& owner, const std::string& token);
  // Hello and login; the answer to the latter.
  std::optional<V4Answer> login(const V4Owner& owner);
  // Puts a blob in frames as the protocol wants them.
  bool put(uint32_t id, const repository::BlobHead& head, ByteView stored);

  v4::pb::Taken taken;  // the newest
  uint32_t next_id = 1;
  Bytes hello_bytes, reply_bytes;

 private:
  void connect();
  bool read_exactly(ByteSpan into);

  const uint16_t port_;
  log::Capture log_;
  boost::asio::io_context context_{1};
  std::unique_ptr<plugin::Registry> registry_;
  std::optional<stream::Stack> stack_;
  std::unique_ptr<stream::Connection> connection_;
  Status up_;
};

}  // namespace cb::server
