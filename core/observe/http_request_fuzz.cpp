// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a request to the server of pages, over a real connection: it answers with one
// response or with none, and closes.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "core/log/line_log.h"
#include "core/observe/http_server.h"

using namespace cb;

namespace {

class Silent final : public log::LineLog {
 public:
  void write_fields(log::Level, std::string_view, std::span<const log::Field>) override {}
};

struct Server {
  Server() : threads(1), workers(1) {
    observe::HttpSettings settings;
    settings.host = "127.0.0.1";
    const auto page = [] { return observe::Page{200, "text/plain; charset=utf-8", "page\n"}; };
    auto opened = observe::HttpServer::open(
        settings, {&threads, &workers, &log},
        {{"/metrics", true, page}, {"/healthz", false, page}, {"/metrics/more", false, page}});
    if (!opened) std::abort();
    server = std::move(*opened);
  }
  ~Server() {
    server->close();
    threads.stop();
    threads.join();
  }

  Silent log;
  stream::IoThreads threads;
  stream::Workers workers;
  std::unique_ptr<observe::HttpServer> server;
};

std::string answer_to(uint16_t port, const uint8_t* data, size_t size) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) std::abort();
  // Whatever is left of what it sends when the server has had enough does not matter.
  (void)::send(fd, data, size, MSG_NOSIGNAL);
  ::shutdown(fd, SHUT_WR);
  std::string all;
  char part[4096];
  for (ssize_t got = 0; (got = ::recv(fd, part, sizeof part, 0)) > 0;)
    all.append(part, static_cast<size_t>(got));
  ::close(fd);
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Server server;
  const std::string answer = answer_to(server.server->port(), data, size);
  if (answer.empty()) return 0;
  if (!answer.starts_with("HTTP/1.")) std::abort();
  // One response: nobody puts a second one behind the first.
  if (answer.find("HTTP/1.", 1) != std::string::npos) std::abort();
  return 0;
}
