// SPDX-License-Identifier: Apache-2.0
//
// A small HTTP server for pages about a program: GET alone, one request a connection, a few
// connections at a time, everything within a few seconds. It knows nothing of what its pages say.
// Opened and closed by one thread; serves on the io threads, pages that block on workers.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/log/log.h"
#include "core/stream/io_threads.h"
#include "core/stream/workers.h"

namespace cb::observe {

struct Page {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

// What is served under a path such as "/metrics".
struct Route {
  std::string path;
  bool blocks = true;  // made on a worker; false: at once, on an io thread
  std::function<Page()> make;
};

struct HttpSettings {
  std::string host;   // numeric
  uint16_t port = 0;  // 0: the system chooses
  // Who names the server otherwise than by a number or as localhost is refused, so that no page of
  // the web reads these through a browser on this machine.
  bool local_names_only = true;
  size_t connections = 16;   // at one time; more are closed at once
  uint32_t head = 8 * 1024;  // bytes of a request
  std::chrono::nanoseconds patience = std::chrono::seconds(5);  // from accept to close
};

class HttpServer {
 public:
  // All outlive it.
  struct Parts {
    stream::IoThreads* threads = nullptr;
    stream::Workers* workers = nullptr;
    log::Log* log = nullptr;
  };

  // Listens. An error of the system with the address when it cannot.
  static Result<std::unique_ptr<HttpServer>> open(const HttpSettings& settings, const Parts& parts,
                                                  std::vector<Route> routes);
  ~HttpServer();  // closed, or the io threads have been joined
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] uint16_t port() const;
  // Ends everything and waits until that is done. A page that is being made is waited for.
  void close();

 private:
  struct State;
  explicit HttpServer(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace cb::observe
