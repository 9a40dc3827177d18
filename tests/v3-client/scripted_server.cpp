// SPDX-License-Identifier: Apache-2.0
#include "tests/v3-client/scripted_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cb::testing {
namespace {

void read_exactly(int fd, ByteSpan into) {
  while (!into.empty()) {
    const ssize_t got = recv(fd, into.data(), into.size(), 0);
    if (got <= 0) throw PeerGone("the client closed the connection");
    into = into.subspan(static_cast<size_t>(got));
  }
}

int bound_socket(uint16_t& port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no socket for the test");
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

v3::Request ReceivedRequest::kind() const {
  const auto kind = v3::request_of(header.code);
  if (!kind) throw std::runtime_error("unknown request " + std::to_string(header.code));
  return *kind;
}

std::string ReceivedRequest::name() const {
  const size_t at = kind() == v3::Request::send_file ? v3::kFileHeadSize - v3::kTextFieldSize : 0;
  return std::string(v3::text_in(std::span(payload).subspan(at)));
}

Peer::Peer(int fd, size_t index, std::vector<ReceivedRequest>& log)
    : fd_(fd), index_(index), log_(log) {}

Peer::~Peer() { close(fd_); }

ReceivedRequest Peer::read() {
  protocol::RequestHeaderBytes head{};
  read_exactly(fd_, head);
  ReceivedRequest request{index_, protocol::decode_request_header(head), {}};
  request.payload.resize(request.header.payload_size);
  read_exactly(fd_, request.payload);
  log_.push_back(request);
  return request;
}

ReceivedRequest Peer::expect(v3::Request kind) {
  ReceivedRequest request = read();
  EXPECT_EQ(name_of(request.kind()), name_of(kind));
  if (request.kind() != kind) throw PeerGone("the script does not fit the client");
  return request;
}

Bytes Peer::read_file() {
  Bytes content;
  for (uint32_t number = 1;; ++number) {
    const ReceivedRequest request = expect(v3::Request::send_file);
    const ByteView payload = request.payload;
    const auto head = v3::decode_file_head(payload.first<v3::kFileHeadSize>());
    EXPECT_EQ(head.packet, number);
    const ByteView piece = payload.subspan(v3::kFileHeadSize);
    content.insert(content.end(), piece.begin(), piece.end());
    if (head.packet >= head.total) return content;
  }
}

Bytes Peer::read_uncounted(size_t size) {
  Bytes content(size);
  read_exactly(fd_, content);
  return content;
}

void Peer::reply(v3::Reply kind, std::initializer_list<ByteView> parts, v3::Dialect dialect) {
  raw(v3::response_bytes(kind, parts, dialect));
}

void Peer::raw(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) throw PeerGone("the client takes nothing");
    bytes = bytes.subspan(static_cast<size_t>(sent));
  }
}

void Peer::wait_for_end() {
  std::array<std::byte, 4096> waste{};
  while (recv(fd_, waste.data(), waste.size(), 0) > 0) {
  }
}

ScriptedServer::ScriptedServer(Script script) : script_(std::move(script)) {
  listener_ = bound_socket(port_);
  if (listen(listener_, 8) != 0 || pipe(stop_pipe_) != 0)
    throw std::runtime_error("no listener for the test");
  thread_ = std::thread([this] { serve(); });
}

ScriptedServer::~ScriptedServer() {
  join();
  close(listener_);
  close(stop_pipe_[0]);
  close(stop_pipe_[1]);
}

const std::vector<ReceivedRequest>& ScriptedServer::join() {
  if (thread_.joinable()) {
    EXPECT_EQ(write(stop_pipe_[1], "x", 1), 1);
    thread_.join();
  }
  return log_;
}

std::vector<uint16_t> ScriptedServer::codes() const {
  std::vector<uint16_t> codes;
  for (const auto& request : log_) codes.push_back(request.header.code);
  return codes;
}

void ScriptedServer::serve() {
  for (;;) {
    std::array<pollfd, 2> waits{pollfd{listener_, POLLIN, 0}, pollfd{stop_pipe_[0], POLLIN, 0}};
    poll(waits.data(), waits.size(), -1);
    if (waits[0].revents == 0) return;
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    Peer peer(fd, connections_++, log_);
    try {
      script_(peer);
    } catch (const PeerGone&) {
      // What the script missed shows in what it left undone.
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

uint16_t refused_port() {
  uint16_t port = 0;
  close(bound_socket(port));
  return port;
}

}  // namespace cb::testing
