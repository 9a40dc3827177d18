// SPDX-License-Identifier: Apache-2.0
#include "core/observe/http_server.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <condition_variable>
#include <mutex>
#include <set>

namespace cb::observe {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// After a failed accept that is not one peer's fault.
constexpr auto kPause = std::chrono::milliseconds(100);

Page text_page(unsigned status, const std::string& text) {
  return {status, "text/plain; charset=utf-8", text + "\n"};
}

// "localhost", "127.0.0.1:9464" or "[::1]:9464", and so on; names of others are not.
bool is_local_name(std::string_view host) {
  const size_t end = host.starts_with('[') ? host.find(']') : host.find(':');
  std::string name(host.substr(0, end));
  if (name.starts_with('[')) name.erase(0, 1);
  if (name == "localhost") return true;
  error_code problem;
  (void)asio::ip::make_address(name, problem);
  return !problem;
}

Page page_of(const error_code& problem) {
  if (problem == http::error::header_limit || problem == http::error::buffer_overflow)
    return text_page(431, "the request is too large");
  return text_page(400, "this is no request that is understood here");
}

}  // namespace

// Everything but `running` runs on the strand.
struct HttpServer::State : std::enable_shared_from_this<HttpServer::State> {
  State(HttpSettings with, const Parts& given, std::vector<Route> all)
      : settings(std::move(with)),
        parts(given),
        routes(std::move(all)),
        strand(parts.threads->make_strand()),
        acceptor(strand) {}

  Status listen();
  asio::awaitable<void> accept_all();
  asio::awaitable<void> serve(std::shared_ptr<tcp::socket> socket);
  asio::awaitable<void> answer(tcp::socket& socket);
  static asio::awaitable<void> drain(tcp::socket& socket);
  asio::awaitable<Page> page_for(const http::request<http::empty_body>& request);
  [[nodiscard]] const Route* route_of(std::string_view target) const;

  void note_end() {
    const std::lock_guard lock(mutex);
    --running;
    ended.notify_all();
  }

  const HttpSettings settings;
  const Parts parts;
  const std::vector<Route> routes;
  asio::any_io_executor strand;
  tcp::acceptor acceptor;
  uint16_t port = 0;
  std::set<std::shared_ptr<tcp::socket>> sockets;
  bool closing = false;

  std::mutex mutex;
  std::condition_variable ended;
  size_t running = 0;  // coroutines; guarded by mutex
};

Status HttpServer::State::listen() {
  error_code problem;
  const auto at = [&] {
    return failed(
        fail_errno(problem.value(), settings.host + ":" + std::to_string(settings.port), "listen"));
  };
  const tcp::endpoint where(asio::ip::make_address(settings.host, problem), settings.port);
  if (problem) return at();
  acceptor.open(where.protocol(), problem);
  if (problem) return at();
  acceptor.set_option(tcp::acceptor::reuse_address(true), problem);
  if (problem) return at();
  acceptor.bind(where, problem);
  if (problem) return at();
  acceptor.listen(asio::socket_base::max_listen_connections, problem);
  if (problem) return at();
  port = acceptor.local_endpoint(problem).port();
  return {};
}

Result<std::unique_ptr<HttpServer>> HttpServer::open(const HttpSettings& settings,
                                                     const Parts& parts,
                                                     std::vector<Route> routes) {
  auto state = std::make_shared<State>(settings, parts, std::move(routes));
  CB_TRY(state->listen());
  state->running = 1;
  asio::co_spawn(state->strand, state->accept_all(),
                 [state](const std::exception_ptr&) { state->note_end(); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::~HttpServer() = default;

uint16_t HttpServer::port() const { return state_->port; }

void HttpServer::close() {
  asio::post(state_->strand, [state = state_] {
    state->closing = true;
    error_code ignored;
    state->acceptor.close(ignored);
    for (const auto& socket : state->sockets) socket->close(ignored);
  });
  std::unique_lock lock(state_->mutex);
  state_->ended.wait(lock, [this] { return state_->running == 0; });
}

asio::awaitable<void> HttpServer::State::accept_all() {
  while (!closing) {
    error_code problem;
    auto socket = std::make_shared<tcp::socket>(strand);
    co_await acceptor.async_accept(*socket, asio::redirect_error(asio::use_awaitable, problem));
    if (closing) co_return;
    if (problem) {
      asio::steady_timer pause(strand, kPause);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, problem));
      continue;
    }
    if (sockets.size() >= settings.connections) {
      parts.log->warn("observe.refused", {{"why", "too many connections"}});
      continue;
    }
    {
      const std::lock_guard lock(mutex);
      ++running;
    }
    sockets.insert(socket);
    asio::co_spawn(strand, serve(socket),
                   [self = shared_from_this(), socket](const std::exception_ptr&) {
                     self->sockets.erase(socket);
                     self->note_end();
                   });
  }
}

asio::awaitable<void> HttpServer::State::serve(std::shared_ptr<tcp::socket> socket) {
  asio::steady_timer deadline(strand, settings.patience);
  deadline.async_wait([socket](const error_code& cancelled) {
    error_code ignored;
    if (!cancelled) socket->close(ignored);
  });
  co_await answer(*socket);
  deadline.cancel();
  error_code ignored;
  socket->shutdown(tcp::socket::shutdown_both, ignored);
  socket->close(ignored);
}

asio::awaitable<void> HttpServer::State::answer(tcp::socket& socket) {
  boost::beast::flat_buffer buffer(settings.head);
  http::request_parser<http::empty_body> parser;
  parser.header_limit(settings.head);
  parser.body_limit(0);
  error_code problem;
  co_await http::async_read_header(socket, buffer, parser,
                                   asio::redirect_error(asio::use_awaitable, problem));
  const bool is_gone =
      problem && problem.category() != http::make_error_code(http::error::bad_method).category();
  if (is_gone || problem == http::error::end_of_stream) co_return;
  Page page;
  if (problem)
    page = page_of(problem);
  else
    page = co_await page_for(parser.get());
  http::response<http::string_body> response(static_cast<http::status>(page.status), 11);
  response.set(http::field::content_type, page.type);
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  if (page.status == 405) response.set(http::field::allow, "GET");
  response.keep_alive(false);
  const unsigned status = page.status;
  response.body() = std::move(page.body);
  response.prepare_payload();
  co_await http::async_write(socket, response, asio::redirect_error(asio::use_awaitable, problem));
  if (status >= 400) co_await drain(socket);
}

// What was not read yet would make the system throw the answer away.
asio::awaitable<void> HttpServer::State::drain(tcp::socket& socket) {
  error_code problem;
  socket.shutdown(tcp::socket::shutdown_send, problem);
  std::array<char, 4096> waste{};
  for (size_t parts_left = 16; parts_left > 0 && !problem; --parts_left)
    co_await socket.async_read_some(asio::buffer(waste),
                                    asio::redirect_error(asio::use_awaitable, problem));
}

asio::awaitable<Page> HttpServer::State::page_for(const http::request<http::empty_body>& request) {
  const auto host = request[http::field::host];
  if (settings.local_names_only && !is_local_name({host.data(), host.size()}))
    co_return text_page(421, "this server is known here by its number, or as localhost");
  if (request.method() != http::verb::get) co_return text_page(405, "only GET is answered");
  const auto target = request.target();
  const Route* route = route_of({target.data(), target.size()});
  if (route == nullptr) co_return text_page(404, "there is no such page");
  if (!route->blocks) co_return route->make();
  Page page = co_await parts.workers->run([route] { return route->make(); });
  co_return page;
}

const Route* HttpServer::State::route_of(std::string_view target) const {
  const std::string_view path = target.substr(0, target.find('?'));
  const auto found = std::find_if(routes.begin(), routes.end(),
                                  [&](const Route& route) { return route.path == path; });
  return found == routes.end() ? nullptr : &*found;
}

}  // namespace cb::observe
