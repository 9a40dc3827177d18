// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "core/server/admin_server.h"

namespace cb::server {
namespace {

namespace asio = boost::asio;
using LocalProtocol = asio::local::stream_protocol;
using boost::system::error_code;

constexpr size_t kLongestAnswer = 64 << 20;  // a dry run names every snapshot

// One exchange: connect, write the request, read lines.
struct Exchange {
  asio::io_context context{1};
  LocalProtocol::socket socket{context};
  std::string request;
  std::string unread;
  std::string line;
  error_code problem = asio::error::timed_out;

  // The first line of the answer.
  void run(const os::Path& path, std::chrono::nanoseconds timeout) {
    socket.async_connect(LocalProtocol::endpoint(path.string()), [this](error_code failed) {
      if (failed) return end(failed);
      asio::async_write(socket, asio::buffer(request), [this](error_code broken, size_t) {
        if (broken) return end(broken);
        read();
      });
    });
    context.run_for(timeout);
  }
  // The next line.
  void run_on(std::chrono::nanoseconds timeout) {
    problem = asio::error::timed_out;
    read();
    context.restart();
    context.run_for(timeout);
  }
  void read() {
    asio::async_read_until(socket, asio::dynamic_buffer(unread, kLongestAnswer), '\n',
                           [this](error_code broken, size_t size) {
                             line = unread.substr(0, size);
                             unread.erase(0, size);
                             end(broken);
                           });
  }
  void end(error_code how) { problem = how; }
};

bool is_nobody_there(const error_code& problem) {
  return problem == asio::error::connection_refused || problem == asio::error::not_found ||
         problem.value() == ENOENT;
}

Error unreachable(const os::Path& path, const error_code& problem) {
  if (problem == asio::error::timed_out)
    return fail(Code::timeout, path.string(), "the daemon does not answer");
  if (problem == asio::error::eof)
    return fail(Code::denied, path.string(), "the daemon refused to answer",
                "run this as root or as the daemon's user");
  return fail_errno(problem.value(), path.string(), "ask the daemon");
}

Code code_named(const std::string& name) {
  for (auto number = static_cast<int32_t>(Code::internal);
       number < static_cast<int32_t>(Code::invalid) + 1; ++number)
    if (name_of(static_cast<Code>(number)) == name) return static_cast<Code>(number);
  return Code::internal;
}

// What the daemon answered: its result, or its error.
Result<std::optional<report::Json>> result_of(report::Json& answer) {
  if (!answer.is_object()) return failed(Code::corrupt, "the daemon's answer", "is no object");
  const auto result = answer.find("result");
  if (result != answer.end()) return std::optional<report::Json>(std::move(*result));
  const report::Json error = answer.value("error", report::Json::object());
  return failed(code_named(report::text_of(error, "code")), report::text_of(error, "object"),
                report::text_of(error, "cause"), report::text_of(error, "advice"));
}

}  // namespace

Result<std::optional<report::Json>> ask_daemon_if_any(
    const os::Path& path, const report::Json& request, std::chrono::nanoseconds timeout,
    const std::function<void(uint64_t done, uint64_t total)>& progress) {
  if (path.string().size() >= sizeof(sockaddr_un::sun_path))
    return failed(Code::limit, path.string(), "is too long for the name of a socket");
  Exchange exchange;
  exchange.request = report::json_line(request) + "\n";
  exchange.run(path, timeout);
  if (is_nobody_there(exchange.problem)) return std::optional<report::Json>();
  while (true) {
    if (exchange.problem) return failed(unreachable(path, exchange.problem));
    CB_ASSIGN(report::Json answer, report::parse_json(exchange.line));
    if (!answer.is_object() || !answer.contains("progress")) return result_of(answer);
    const report::Json far = answer.value("progress", report::Json::object());
    if (progress) progress(far.value("done", uint64_t{0}), far.value("total", uint64_t{0}));
    exchange.run_on(timeout);
  }
}

Result<report::Json> ask_daemon(const os::Path& path, const std::string& command,
                                std::chrono::nanoseconds timeout) {
  CB_ASSIGN(auto answer, ask_daemon_if_any(path, {{"command", command}}, timeout));
  if (answer) return std::move(*answer);
  return failed(Code::not_found, path.string(), "no daemon listens here",
                "start it with: cyberbackupd serve --config FILE");
}

}  // namespace cb::server
