// SPDX-License-Identifier: Apache-2.0
#include "core/observe/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <future>

#include "core/log/capture.h"

namespace cb::observe {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A TCP connection to the server.
class Caller {
 public:
  explicit Caller(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  ~Caller() { ::close(fd_); }

  bool send(std::string_view text) const {
    return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  // All that comes until the server closes.
  [[nodiscard]] std::string rest() const {
    std::string all;
    std::array<char, 4096> part{};
    while (true) {
      const ssize_t got = ::recv(fd_, part.data(), part.size(), 0);
      if (got <= 0) return all;
      all.append(part.data(), static_cast<size_t>(got));
    }
  }

 private:
  int fd_;
};

class Http : public testing::Test {
 protected:
  void open(HttpSettings settings = {}) {
    settings.host = "127.0.0.1";
    const auto text = [](std::string body) {
      return [body] { return Page{200, "text/plain; charset=utf-8", body}; };
    };
    server_ = HttpServer::open(settings, {&threads_, &workers_, &log_},
                               {{"/health", false, text("alive\n")},
                                {"/metrics", true, text("number 1\n")},
                                {"/slow", true,
                                 [this] {
                                   held_.get_future().wait();
                                   return Page{503, "text/plain", "slow\n"};
                                 }}})
                  .value();
  }
  ~Http() override {
    if (server_) server_->close();
  }
  [[nodiscard]] std::string ask(const std::string& text) const {
    const Caller caller(server_->port());
    caller.send(text);
    return caller.rest();
  }
  [[nodiscard]] std::string get(const std::string& path) const {
    return ask("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }

  log::Capture log_;
  stream::IoThreads threads_{2};
  stream::Workers workers_{2};
  std::promise<void> held_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(Http, a_page_is_answered_and_the_connection_closed) {
  open();
  const std::string answer = get("/metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nnumber 1\n"));
  EXPECT_THAT(get("/health?verbose=1"), testing::EndsWith("alive\n"));
}

TEST_F(Http, only_get_and_only_known_pages_are_answered) {
  open();
  EXPECT_THAT(get("/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/metrics/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/../metrics"), StartsWith("HTTP/1.1 404 "));
  for (const char* method : {"POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE"}) {
    const std::string answer =
        ask(std::string(method) + " /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(answer, HasSubstr("Allow: GET\r\n")) << method;
  }
}

TEST_F(Http, a_name_of_the_web_does_not_reach_it) {
  open();
  for (const char* host : {"127.0.0.1:9464", "localhost:1", "[::1]:9464", "[::1]"})
    EXPECT_THAT(ask(std::string("GET /metrics HTTP/1.1\r\nHost: ") + host + "\r\n\r\n"),
                StartsWith("HTTP/1.1 200 "))
        << host;
  for (const char* host : {"evil.example:9464", "localhost.evil.example", "", "127.0.0.1.evil"})
    EXPECT_THAT(ask(std::string("GET /metrics HTTP/1.1\r\nHost: ") + host + "\r\n\r\n"),
                StartsWith("HTTP/1.1 421 "))
        << host;
  server_->close();
  HttpSettings open_to_all;
  open_to_all.local_names_only = false;
  open(open_to_all);
  EXPECT_THAT(ask("GET /metrics HTTP/1.1\r\nHost: backup.example\r\n\r\n"),
              StartsWith("HTTP/1.1 200 "));
}

TEST_F(Http, what_is_no_request_is_refused) {
  open();
  for (const char* wrong : {"hello\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                            "GET / HTTP/1.1\r\nHost localhost\r\n\r\n",
                            "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"})
    EXPECT_THAT(ask(wrong), StartsWith("HTTP/1.1 400 ")) << wrong;
  EXPECT_THAT(ask("GET /" + std::string(9000, 'x') + " HTTP/1.1\r\nHost: localhost\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(get("/health"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Http, who_dawdles_is_cut_off) {
  HttpSettings hasty;
  hasty.patience = std::chrono::milliseconds(100);
  open(hasty);
  const Caller silent(server_->port());
  const Caller slow(server_->port());
  slow.send("GET /metrics HT");
  EXPECT_EQ(silent.rest(), "");
  EXPECT_EQ(slow.rest(), "");
}

TEST_F(Http, only_so_many_are_served_at_one_time) {
  HttpSettings few;
  few.connections = 2;
  open(few);
  const Caller first(server_->port());
  const Caller second(server_->port());
  EXPECT_EQ(Caller(server_->port()).rest(), "");
  EXPECT_TRUE(log_.wait_for("warn event=observe.refused", std::chrono::seconds(10)));
  first.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(first.rest(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Http, a_page_that_is_made_slowly_holds_up_no_other) {
  open();
  const Caller slow(server_->port());
  slow.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(get("/health"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 200 "));
  held_.set_value();
  EXPECT_THAT(slow.rest(), StartsWith("HTTP/1.1 503 "));
}

TEST_F(Http, an_address_that_is_taken_is_named) {
  open();
  HttpSettings again;
  again.host = "127.0.0.1";
  again.port = server_->port();
  const auto second = HttpServer::open(again, {&threads_, &workers_, &log_}, {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().object, HasSubstr(std::to_string(again.port)));
}

TEST_F(Http, closing_ends_who_still_talks) {
  open();
  const Caller silent(server_->port());
  EXPECT_THAT(get("/health"), StartsWith("HTTP/1.1 200 "));
  server_->close();
  EXPECT_EQ(silent.rest(), "");
}

}  // namespace
}  // namespace cb::observe
