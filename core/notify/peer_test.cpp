// SPDX-License-Identifier: Apache-2.0
#include "core/notify/peer_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace cb::notify {

Talk::~Talk() {
  if (ssl_ != nullptr) SSL_free(ssl_);
  if (context_ != nullptr) SSL_CTX_free(context_);
  ::close(fd_);
}

bool Talk::start_tls(const test::Identity& identity) {
  context_ = SSL_CTX_new(TLS_server_method());
  if (context_ == nullptr ||
      SSL_CTX_use_certificate_chain_file(context_, identity.certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context_, identity.key.c_str(), SSL_FILETYPE_PEM) != 1)
    std::abort();
  ssl_ = SSL_new(context_);
  SSL_set_fd(ssl_, fd_);
  has_ended_ = SSL_accept(ssl_) != 1;
  return !has_ended_;
}

bool Talk::get(char& c) {
  if (has_ended_) return false;
  const auto count = ssl_ != nullptr ? SSL_read(ssl_, &c, 1) : ::recv(fd_, &c, 1, 0);
  has_ended_ = count != 1;
  return !has_ended_;
}

std::string Talk::line() {
  std::string text;
  for (char c = 0; get(c) && c != '\n';)
    if (c != '\r') text += c;
  return text;
}

std::string Talk::bytes(size_t count) {
  std::string text;
  for (char c = 0; text.size() < count && get(c);) text += c;
  return text;
}

void Talk::say(const std::string& text) {
  if (has_ended_) return;
  const auto size = static_cast<int>(text.size());
  if (ssl_ != nullptr)
    (void)SSL_write(ssl_, text.data(), size);
  else
    (void)::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
}

void Talk::wait_for_end() {
  for (char c = 0; get(c);) {
  }
}

TestPeer::TestPeer(std::function<void(Talk&)> talk) : talk_(std::move(talk)) {
  ::signal(SIGPIPE, SIG_IGN);  // as the daemon does
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 8) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    std::abort();
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

TestPeer::~TestPeer() {
  ::shutdown(listener_, SHUT_RDWR);
  const int current = current_.exchange(-2);
  if (current >= 0) ::shutdown(current, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

void TestPeer::serve() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    Talk talk(fd);
    int none = -1;
    if (!current_.compare_exchange_strong(none, fd)) return;
    talk_(talk);
    if (!current_.compare_exchange_strong(none = fd, -1)) return;
  }
}

bool HttpRequest::has(const std::string& header) const {
  return std::find(headers.begin(), headers.end(), header) != headers.end();
}

WebPeer::WebPeer(std::vector<int> statuses, const test::Identity* tls)
    : statuses_(std::move(statuses)), tls_(tls), peer_([this](Talk& with) { talk(with); }) {}

std::vector<HttpRequest> WebPeer::requests() const {
  const std::lock_guard hold(mutex_);
  return requests_;
}

void WebPeer::talk(Talk& with) {
  if (tls_ != nullptr && !with.start_tls(*tls_)) return;
  HttpRequest request;
  request.first_line = with.line();
  if (request.first_line.empty()) return;
  size_t length = 0;
  for (std::string header = with.line(); !header.empty(); header = with.line()) {
    if (header.starts_with("Content-Length: ")) length = std::stoul(header.substr(16));
    request.headers.push_back(header);
  }
  request.body = with.bytes(length);
  int status = 0;
  {
    const std::lock_guard hold(mutex_);
    status = statuses_.at(std::min(requests_.size(), statuses_.size() - 1));
    requests_.push_back(std::move(request));
  }
  with.say("HTTP/1.1 " + std::to_string(status) +
           " So\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\n"
           "Content-Length: 2\r\n\r\nok");
}

MailPeer::MailPeer(SmtpScript script)
    : script_(std::move(script)), peer_([this](Talk& with) { talk(with); }) {}

std::vector<SmtpMail> MailPeer::mails() const {
  const std::lock_guard hold(mutex_);
  return mails_;
}

std::vector<std::string> MailPeer::heard_in_clear() const {
  const std::lock_guard hold(mutex_);
  return in_clear_;
}

void MailPeer::greet(Talk& with) const {
  with.say("250-here\r\n");
  if (script_.tls != nullptr && !with.is_secure()) with.say("250-STARTTLS\r\n");
  with.say("250 AUTH PLAIN\r\n");
}

void MailPeer::talk(Talk& with) {
  if (script_.from_the_start && !with.start_tls(*script_.tls)) return;
  with.say("220 here\r\n");
  SmtpMail mail;
  for (std::string command = with.line(); !command.empty(); command = with.line()) {
    if (!with.is_secure()) {
      const std::lock_guard hold(mutex_);
      in_clear_.push_back(command);
    }
    if (!take(with, command, mail)) return;
  }
}

bool MailPeer::take(Talk& with, const std::string& command, SmtpMail& mail) {
  if (command.starts_with("EHLO")) {
    greet(with);
  } else if (command == "STARTTLS") {
    with.say("220 go on\r\n");
    return with.start_tls(*script_.tls);
  } else if (command.starts_with("AUTH PLAIN")) {
    mail.login = command.size() > 11 ? command.substr(11) : std::string();
    if (mail.login.empty()) {
      with.say("334 \r\n");
      mail.login = with.line();
    }
    with.say(script_.to_login + "\r\n");
  } else if (command.starts_with("MAIL FROM:")) {
    mail.from = command.substr(10);
    with.say("250 fine\r\n");
  } else if (command.starts_with("RCPT TO:")) {
    mail.to.push_back(command.substr(8));
    with.say(script_.to_recipient + "\r\n");
  } else if (command == "DATA") {
    take_text(with, mail);
  } else if (command == "QUIT") {
    with.say("221 bye\r\n");
    return false;
  } else {
    with.say("502 what\r\n");
  }
  return true;
}

void MailPeer::take_text(Talk& with, SmtpMail& mail) {
  with.say("354 go on\r\n");
  for (std::string line = with.line(); line != "."; line = with.line()) mail.text += line + "\n";
  mail.was_secure = with.is_secure();
  {
    const std::lock_guard hold(mutex_);
    mails_.push_back(mail);
  }
  with.say("250 taken\r\n");
}

}  // namespace cb::notify
