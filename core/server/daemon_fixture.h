// SPDX-License-Identifier: Apache-2.0
//
// For tests: a fresh data folder made by init, its settings, and plain TCP peers. One thread.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/log/capture.h"
#include "core/server/init.h"
#include "tests/folders.h"

namespace cb::server {

// A TCP connection to 127.0.0.1, closed with the object.
class TcpPeer {
 public:
  explicit TcpPeer(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0;
  }
  TcpPeer(const TcpPeer&) = delete;
  TcpPeer& operator=(const TcpPeer&) = delete;
  ~TcpPeer() { ::close(fd_); }

  [[nodiscard]] bool connected() const { return connected_; }
  void send(std::string_view text) const {
    (void)::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  // Waits up to ten seconds for the other side to close.
  [[nodiscard]] bool is_closed_by_peer() const {
    pollfd poll{fd_, POLLIN, 0};
    char byte = 0;
    while (::poll(&poll, 1, 10000) == 1)
      if (::recv(fd_, &byte, 1, 0) <= 0) return true;
    return false;
  }

 private:
  int fd_;
  bool connected_ = false;
};

class DaemonFolder : public ::testing::Test {
 protected:
  DaemonFolder()
      : folder_("/tmp/daemon-" + std::to_string(::getpid()) + "-" +
                ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    seams_.log = &log_;
  }
  ~DaemonFolder() override { std::filesystem::remove_all(folder_); }

  Result<InitResult> init(const std::string& store = "fs",
                          const std::string& listen_v3 = "127.0.0.1:0",
                          const std::string& listen_v4 = "") {
    InitRequest request;
    request.folder = folder_;
    request.listen_v3 = listen_v3;
    request.listen_v4 = listen_v4;
    request.store = store;
    request.plugin_folder = test::plugins();
    return init_folder(request, seams_);
  }

  // The settings of the folder; a failed expectation when they are wrong.
  Settings settings(std::vector<std::string> set = {}) {
    SettingsRequest request;
    request.file = folder_ / "cyberbackupd.toml";
    request.set = std::move(set);
    request.default_plugin_folder = test::plugins();
    config::Problems problems;
    auto loaded = load_settings(request, problems);
    EXPECT_TRUE(loaded) << loaded.error().text();
    EXPECT_FALSE(problems.has_errors()) << problems.error("").text();
    return loaded ? std::move(*loaded) : Settings();
  }

  [[nodiscard]] std::string content(const std::string& name) const {
    std::ostringstream all;
    all << std::ifstream(folder_ / name).rdbuf();
    return all.str();
  }

  os::Path folder_;
  log::Capture log_;
  Seams seams_;
};

}  // namespace cb::server
