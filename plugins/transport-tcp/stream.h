// SPDX-License-Identifier: Apache-2.0
//
// A TCP connection as a non-blocking stream. Used on one strand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cyberbackup/base.h"

namespace transport_tcp {

struct Address;

// The options of one instance.
struct Settings {
  bool nodelay = true;
  int keepalive_seconds = 0;  // 0 = off
  int receive_buffer = 0;     // bytes; 0 = the system's choice
  int send_buffer = 0;
};

// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&&) = delete;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

// A non-blocking socket, closed on exec, with the buffer sizes that must be set before it connects
// or listens.
Descriptor make_socket(int family, const Settings& settings);

class Stream {
 public:
  // Begins to connect.
  Stream(const Address& peer, const Settings& settings);
  // Takes an accepted connection.
  Stream(Descriptor accepted, const Address& peer, const Settings& settings);

  cb_status handshake();
  cb_status read(std::span<std::byte> into, size_t& got);
  cb_status write(std::span<const std::byte> from, size_t& took);
  cb_status shutdown();
  [[nodiscard]] int fd() const { return socket_.get(); }
  cb_status info(uint32_t what, std::vector<std::byte>& out);

 private:
  void require_connected() const;
  // Throws, and keeps in mind that what follows is no clean end.
  [[noreturn]] void lose(int os_errno);

  Descriptor socket_;
  std::string peer_;
  int failure_ = 0;  // errno of what cut the connection
  bool connected_ = false;
  bool ended_ = false;  // shutdown was called
};

}  // namespace transport_tcp
