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
using Local = asio::local::stream_protocol;
using boost::system::error_code;

constexpr size_t kLongestAnswer = 1 << 20;

// One exchange: connect, write the request, read a line.
struct Exchange {
  asio::io_context context{1};
  Local::socket socket{context};
  std::string request;
  std::string answer;
  error_code problem = asio::error::timed_out;

  void run(const os::Path& path, std::chrono::nanoseconds timeout) {
    socket.async_connect(Local::endpoint(path.string()), [this](error_code failed) {
      if (failed) return end(failed);
      asio::async_write(socket, asio::buffer(request), [this](error_code broken, size_t) {
        if (broken) return end(broken);
        read();
      });
    });
    context.run_for(timeout);
  }
  void read() {
    asio::async_read_until(socket, asio::dynamic_buffer(answer, kLongestAnswer), '\n',
                           [this](error_code broken, size_t) { end(broken); });
  }
  void end(error_code how) { problem = how; }
};

Error unreachable(const os::Path& path, const error_code& problem) {
  if (problem == asio::error::connection_refused || problem == asio::error::not_found ||
      problem.value() == ENOENT)
    return fail(Code::not_found, path.string(), "no daemon listens here",
                "start it with: cyberbackupd serve --config FILE");
  if (problem == asio::error::timed_out)
    return fail(Code::timeout, path.string(), "the daemon does not answer");
  if (problem == asio::error::eof)
    return fail(Code::denied, path.string(), "the daemon refused to answer",
                "run this as root or as the daemon's user");
  return fail_errno(problem.value(), path.string(), "ask the daemon");
}

}  // namespace

Result<report::Json> ask_daemon(const os::Path& path, const std::string& command,
                                std::chrono::nanoseconds timeout) {
  if (path.string().size() >= sizeof(sockaddr_un::sun_path))
    return failed(Code::limit, path.string(), "is too long for the name of a socket");
  Exchange exchange;
  exchange.request = report::json_line({{"command", command}}) + "\n";
  exchange.run(path, timeout);
  if (exchange.problem) return failed(unreachable(path, exchange.problem));
  CB_ASSIGN(report::Json answer, report::parse_json(exchange.answer));
  const auto result = answer.find("result");
  if (answer.is_object() && result != answer.end()) return std::move(*result);
  const report::Json error = answer.value("error", report::Json::object());
  return failed(Code::internal, report::text_of(error, "object"), report::text_of(error, "cause"),
                report::text_of(error, "advice"));
}

}  // namespace cb::server
