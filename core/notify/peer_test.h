// SPDX-License-Identifier: Apache-2.0
//
// The other side for tests of notifications: a listener at 127.0.0.1 that talks as it is told to,
// over real sockets and, when asked, real TLS; on top of it a web server and a mail server that
// remember what they got. For one test's thread; the peers have their own.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/suites/certificates.h"

namespace cb::notify {

// One connection. Reads return nothing once the other side has gone.
class Talk {
 public:
  explicit Talk(int fd) : fd_(fd) {}
  ~Talk();
  Talk(const Talk&) = delete;
  Talk& operator=(const Talk&) = delete;

  bool start_tls(const test::Identity& identity);
  [[nodiscard]] bool is_secure() const { return ssl_ != nullptr; }
  std::string line();  // without CR LF
  std::string bytes(size_t count);
  void say(const std::string& text);
  // Waits until the other side closes.
  void wait_for_end();

 private:
  bool get(char& c);
  int fd_;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  bool has_ended_ = false;
};

class TestPeer {
 public:
  explicit TestPeer(std::function<void(Talk&)> talk);
  ~TestPeer();
  TestPeer(const TestPeer&) = delete;
  TestPeer& operator=(const TestPeer&) = delete;
  [[nodiscard]] std::string port() const { return std::to_string(port_); }

 private:
  void serve();
  std::function<void(Talk&)> talk_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<int> current_{-1};
  std::thread thread_;
};

// What came in one request.
struct HttpRequest {
  std::string first_line;
  std::vector<std::string> headers;
  std::string body;
  [[nodiscard]] bool has(const std::string& header) const;
};

// Answers one status after the other, the last one again and again.
class WebPeer {
 public:
  explicit WebPeer(std::vector<int> statuses, const test::Identity* tls = nullptr);
  [[nodiscard]] std::vector<HttpRequest> requests() const;
  [[nodiscard]] std::string port() const { return peer_.port(); }

 private:
  void talk(Talk& with);
  std::vector<int> statuses_;
  const test::Identity* tls_;
  mutable std::mutex mutex_;
  std::vector<HttpRequest> requests_;
  TestPeer peer_;
};

struct SmtpMail {
  std::string from;
  std::vector<std::string> to;
  std::string login;  // as sent: base64
  std::string text;   // lines ended by '\n'
  bool was_secure = false;
};

struct SmtpScript {
  const test::Identity* tls = nullptr;
  bool from_the_start = false;  // TLS before anything is said
  std::string to_recipient = "250 fine";
  std::string to_login = "235 fine";
};

class MailPeer {
 public:
  explicit MailPeer(SmtpScript script);
  [[nodiscard]] std::vector<SmtpMail> mails() const;
  // Commands that came outside TLS.
  [[nodiscard]] std::vector<std::string> heard_in_clear() const;
  [[nodiscard]] std::string port() const { return peer_.port(); }

 private:
  void talk(Talk& with);
  void greet(Talk& with) const;
  bool take(Talk& with, const std::string& command, SmtpMail& mail);
  void take_text(Talk& with, SmtpMail& mail);
  SmtpScript script_;
  mutable std::mutex mutex_;
  std::vector<SmtpMail> mails_;
  std::vector<std::string> in_clear_;
  TestPeer peer_;
};

}  // namespace cb::notify
