// SPDX-License-Identifier: Apache-2.0
#include "core/server/admin_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <condition_variable>
#include <mutex>
#include <set>

#include "core/os/account_names.h"
#include "core/server/background.h"

namespace cb::server {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;
using report::Json;

namespace {

constexpr size_t kLongestRequest = 64 * 1024;
constexpr size_t kMostRequests = 16;
constexpr auto kRequestTimeout = std::chrono::seconds(10);
constexpr auto kProgressStep = std::chrono::seconds(1);

std::string answer_line(const Result<Json>& result) {
  if (result) return report::json_line({{"ok", true}, {"result", *result}}) + "\n";
  return report::json_line({{"ok", false}, {"error", report::json_of(result.error())}}) + "\n";
}

}  // namespace

// Everything but `requests` runs on the strand.
struct AdminServer::State : std::enable_shared_from_this<AdminServer::State> {
  State(const os::Path& where, Parts with, Answer answers)
      : path(where),
        parts(std::move(with)),
        answer_to(std::move(answers)),
        strand(parts.threads->make_strand()),
        acceptor(strand) {}

  asio::awaitable<void> accept_all();
  asio::awaitable<void> serve(std::shared_ptr<Local::socket> socket);
  asio::awaitable<void> answer(Local::socket& socket, asio::steady_timer& deadline);
  asio::awaitable<std::string> respond(Local::socket& socket, uint32_t uid,
                                       const std::string& line);
  [[nodiscard]] std::string reply_to(const std::string& line, uint32_t uid,
                                     const Progress& progress) const;
  [[nodiscard]] std::optional<uint32_t> asking_user(Local::socket& socket) const;

  void note_end() {
    const std::lock_guard lock(mutex);
    --running;
    ended.notify_all();
  }

  const os::Path path;
  const Parts parts;
  const Answer answer_to;
  asio::any_io_executor strand;
  asio::basic_socket_acceptor<Local> acceptor;
  std::set<std::shared_ptr<Local::socket>> sockets;
  bool closing = false;

  std::mutex mutex;
  std::condition_variable ended;
  size_t running = 0;  // coroutines; guarded by mutex
};

Result<std::unique_ptr<AdminServer>> AdminServer::open(const os::Path& path, Parts parts,
                                                       Answer answer) {
  auto state = std::make_shared<State>(path, std::move(parts), std::move(answer));
  boost::system::error_code problem;
  const auto at = [&] { return failed(fail_errno(problem.value(), path.string(), "listen")); };
  if (path.string().size() >= sizeof(sockaddr_un::sun_path))
    return failed(Code::limit, path.string(), "is too long for the name of a socket",
                  "choose a data folder with a shorter path");
  ::unlink(path.c_str());
  state->acceptor.open(Local(), problem);
  if (problem) return at();
  state->acceptor.bind(Local::endpoint(path.string()), problem);
  if (problem) return at();
  // Nobody can connect before it listens. (The mask of the process is also that of other threads,
  // which make files and folders meanwhile.)
  const bool is_for_others = !state->parts.operators.empty();
  // Whoever can reach it may connect then; who is answered the kernel's word decides.
  if (::chmod(path.c_str(), is_for_others ? 0666 : 0600) != 0)
    return failed(fail_errno(errno, path.string(), "set its permissions"));
  state->acceptor.listen(asio::socket_base::max_listen_connections, problem);
  if (problem) return at();
  state->running = 1;
  asio::co_spawn(state->strand, state->accept_all(),
                 [state](const std::exception_ptr&) { state->note_end(); });
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(state)));
}

AdminServer::~AdminServer() = default;

void AdminServer::close() {
  asio::post(state_->strand, [state = state_] {
    state->closing = true;
    boost::system::error_code ignored;
    state->acceptor.close(ignored);
    for (const auto& socket : state->sockets) socket->close(ignored);
  });
  std::unique_lock lock(state_->mutex);
  state_->ended.wait(lock, [this] { return state_->running == 0; });
  ::unlink(state_->path.c_str());
}

asio::awaitable<void> AdminServer::State::accept_all() {
  while (!closing) {
    boost::system::error_code problem;
    auto socket = std::make_shared<Local::socket>(strand);
    co_await acceptor.async_accept(*socket, asio::redirect_error(asio::use_awaitable, problem));
    if (closing) co_return;
    if (problem || sockets.size() >= kMostRequests) {
      asio::steady_timer pause(strand, std::chrono::milliseconds(50));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, problem));
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

asio::awaitable<void> AdminServer::State::serve(std::shared_ptr<Local::socket> socket) {
  asio::steady_timer deadline(strand, kRequestTimeout);
  deadline.async_wait([socket](const boost::system::error_code& cancelled) {
    boost::system::error_code ignored;
    if (!cancelled) socket->close(ignored);
  });
  co_await answer(*socket, deadline);
  deadline.cancel();
}

asio::awaitable<void> AdminServer::State::answer(Local::socket& socket,
                                                 asio::steady_timer& deadline) {
  const std::optional<uint32_t> uid = asking_user(socket);
  if (!uid) co_return;
  std::string line;
  boost::system::error_code problem;
  const size_t length =
      co_await asio::async_read_until(socket, asio::dynamic_buffer(line, kLongestRequest), '\n',
                                      asio::redirect_error(asio::use_awaitable, problem));
  if (problem) co_return;
  line.resize(length);
  deadline.cancel();
  const std::string reply = co_await respond(socket, *uid, line);
  co_await asio::async_write(socket, asio::buffer(reply),
                             asio::redirect_error(asio::use_awaitable, problem));
}

// Works on a worker; meanwhile writes how far it is once a second.
asio::awaitable<std::string> AdminServer::State::respond(Local::socket& socket, uint32_t uid,
                                                         const std::string& line) {
  std::atomic<uint64_t> done{0};
  std::atomic<uint64_t> total{0};
  std::atomic<bool> gone{false};
  const Progress progress = [&](uint64_t so_far, uint64_t of) {
    done = so_far;
    total = of;
    return !gone.load();
  };
  std::string reply;
  Background job(*parts.workers, strand);
  job.start([&]() -> Status {
    reply = reply_to(line, uid, progress);
    return {};
  });
  while (!co_await job.wait(kProgressStep)) {
    const Json far = {{"progress", {{"done", done.load()}, {"total", total.load()}}}};
    const std::string text = report::json_line(far) + "\n";
    boost::system::error_code problem;
    co_await asio::async_write(socket, asio::buffer(text),
                               asio::redirect_error(asio::use_awaitable, problem));
    if (problem) gone = true;
  }
  co_return reply;
}

std::string AdminServer::State::reply_to(const std::string& line, uint32_t uid,
                                         const Progress& progress) const {
  auto request = report::parse_json(line);
  if (!request) return answer_line(failed(request.error()));
  if (request->is_object()) (*request)["asked_by"] = operator_text(uid);
  return answer_line(answer_to(*request, progress));
}

// Who is on the other side; nothing for one who is not answered.
std::optional<uint32_t> AdminServer::State::asking_user(Local::socket& socket) const {
  ucred peer{};
  socklen_t size = sizeof(peer);
  const bool known =
      ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  const auto& operators = parts.operators;
  const bool is_operator =
      known && (peer.uid == 0 || peer.uid == ::geteuid() ||
                std::find(operators.begin(), operators.end(), peer.uid) != operators.end());
  if (is_operator) return peer.uid;
  const std::string who = known ? std::to_string(peer.uid) : std::string("unknown");
  parts.log->warn("admin.refused", {{"uid", who}, {"pid", known ? peer.pid : 0}});
  parts.audit->post_of_stranger({"uid " + who, "", "admin.refused", "", "denied", ""});
  return std::nullopt;
}

std::string operator_text(uint32_t uid) {
  os::AccountNames names;
  const std::string name = names.user(uid);
  return "uid " + std::to_string(uid) + (name.empty() ? "" : " (" + name + ")");
}

}  // namespace cb::server
