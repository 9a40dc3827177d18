// SPDX-License-Identifier: Apache-2.0
//
// The conversation: sign up, send the key, send the file, compare the checksum, confirm.
#include "bench/load_client.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/protocol/v3/messages.h"

namespace cb::bench {
namespace {

constexpr const char* kFileName = "load.bin";

Bytes field(const std::string& text) { return to_bytes(v3::text_field(text).value()); }

}  // namespace

LoadClient::LoadClient(int fd, std::string name, const Shared& shared)
    : fd_(fd), name_(std::move(name)), shared_(&shared) {
  out_ = v3::request_bytes(id_, v3::Request::sign_up, {field(name_)});
}

void LoadClient::come_back(const ClientId& id) {
  id_ = id;
  out_ = v3::request_bytes(id_, v3::Request::reconnect, {field(name_)});
}

LoadClient::LoadClient(LoadClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      name_(std::move(other.name_)),
      shared_(other.shared_),
      out_(std::move(other.out_)) {}

LoadClient::~LoadClient() {
  if (fd_ >= 0) ::close(fd_);
}

void LoadClient::fail(std::string problem) {
  state_ = State::failed;
  problem_ = name_ + ": " + std::move(problem);
}

void LoadClient::send(Bytes ciphertext) {
  cipher_ = std::move(ciphertext);
  state_ = State::sending;
}

void LoadClient::advance() {
  if (state_ != State::done && state_ != State::failed) read_some();
  if (state_ != State::done && state_ != State::failed) write_some();
}

void LoadClient::write_packet_head() {
  const size_t content = std::min(kPacket, cipher_.size() - sent_);
  v3::FileHead head;
  head.content_size = static_cast<uint32_t>(content);
  head.original_size = static_cast<uint32_t>(shared_->size);
  head.packet = ++packets_;
  head.total = static_cast<uint16_t>((cipher_.size() + kPacket - 1) / kPacket);
  head.name = v3::text_field(kFileName).value();
  const auto header = protocol::encode(
      protocol::RequestHeader{id_, v3::kVersion, v3::code_of(v3::Request::send_file),
                              static_cast<uint32_t>(v3::kFileHeadSize + content)});
  const v3::FileHeadBytes bytes = v3::encode(head);
  out_.assign(header.begin(), header.end());
  out_.insert(out_.end(), bytes.begin(), bytes.end());
  out_at_ = 0;
  packet_end_ = sent_ + content;
}

void LoadClient::write_some() {
  while (wants_to_write()) {
    if (out_at_ == out_.size() && sent_ == packet_end_) write_packet_head();
    const ByteView small = ByteView(out_).subspan(out_at_);
    const ByteView content =
        has_packets() ? ByteView(cipher_).subspan(sent_, packet_end_ - sent_) : ByteView();
    std::array<iovec, 2> parts = {{{const_cast<std::byte*>(small.data()), small.size()},
                                   {const_cast<std::byte*>(content.data()), content.size()}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t wrote = ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (wrote < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (wrote < 0) return fail(std::string("cannot send: ") + std::strerror(errno));
    const size_t of_small = std::min(static_cast<size_t>(wrote), small.size());
    out_at_ += of_small;
    sent_ += static_cast<size_t>(wrote) - of_small;
  }
}

void LoadClient::read_some() {
  std::array<std::byte, 1024> bytes{};
  const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got < 0) return fail(std::string("cannot receive: ") + std::strerror(errno));
  if (got == 0) return fail("the server closed the connection");
  in_.insert(in_.end(), bytes.begin(), bytes.begin() + got);
  while (in_.size() >= protocol::kResponseHeaderSize && state_ != State::failed) {
    const auto header =
        protocol::decode_response_header(std::span(in_).first<protocol::kResponseHeaderSize>());
    const size_t whole = protocol::kResponseHeaderSize + header.payload_size;
    if (header.payload_size > 4096) return fail("the server's answer is too long");
    if (in_.size() < whole) return;
    take_reply(header.code,
               ByteView(in_).subspan(protocol::kResponseHeaderSize, header.payload_size));
    in_.erase(in_.begin(), in_.begin() + static_cast<ptrdiff_t>(whole));
  }
}

void LoadClient::take_reply(uint16_t code, ByteView payload) {
  const auto reply = v3::reply_of(code);
  if (reply == v3::Reply::signed_up && state_ == State::logging_in) {
    const auto id = v3::parse_id_reply(payload);
    if (!id) return fail(id.error().text());
    id_ = *id;
    out_ =
        v3::request_bytes(id_, v3::Request::send_key, {field(name_), shared_->pair->public_der()});
    out_at_ = 0;
  } else if ((reply == v3::Reply::key || reply == v3::Reply::reconnected) &&
             state_ == State::logging_in) {
    take_key(payload);
  } else if (reply == v3::Reply::file_received && state_ == State::sending) {
    take_checksum(payload);
  } else if (reply == v3::Reply::acknowledged && state_ == State::confirming) {
    finished_ = Clock::now();
    state_ = State::done;
    cipher_ = {};
  } else {
    fail("answer " + std::to_string(code) + " is not the one that is due");
  }
}

void LoadClient::take_key(ByteView payload) {
  if (payload.size() < v3::kKeyReplySize) return fail("the key's answer is too short");
  const auto key = shared_->pair->open(payload.subspan(ClientId::kSize, v3::kWrappedKeySize));
  if (!key) return fail("the AES key does not open");
  key_ = *key;
  state_ = State::ready;
}

// As clients do that do not wait for the acknowledgement: the packets follow at once.
void LoadClient::send_again() {
  disputes_ = false;
  out_ = v3::request_bytes(id_, v3::Request::checksum_retry, {field(kFileName)});
  out_at_ = 0;
  sent_ = packet_end_ = 0;
  packets_ = 0;
}

void LoadClient::take_checksum(ByteView payload) {
  const auto reply = v3::parse_file_reply(payload);
  if (!reply) return fail(reply.error().text());
  if (disputes_) return send_again();
  if (reply->cksum != shared_->cksum) return fail("the checksum is wrong");
  out_ = v3::request_bytes(id_, v3::Request::checksum_right, {field(kFileName)});
  out_at_ = 0;
  state_ = State::confirming;
}

}  // namespace cb::bench
