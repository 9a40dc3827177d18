// SPDX-License-Identifier: Apache-2.0
#include "bench/mix/v3_clients.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "core/protocol/v3/cksum.h"

namespace cb::bench {
namespace {

using boost::asio::awaitable;
using stream::Task;
using State = LoadClient::State;
using Descriptor = boost::asio::posix::stream_descriptor;
using Moment = std::chrono::steady_clock::time_point;

constexpr std::chrono::seconds kPatienceOfV3{120};
constexpr size_t kContents = 4;
constexpr size_t kLeastContent = 100 << 10;
constexpr size_t kMostContent = 200 << 10;
// Of uploads one in so many takes the first checksum for a wrong one.
constexpr size_t kDisputes = 10;
// Below the legacy.registrations_per_minute that bench/load sets.
constexpr double kRegistrationsASecond = 9;
constexpr double kRegistrationsAtOnce = 300;

double seconds_from(Moment begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

Task<void> talk_until(LoadClient& client, State goal) {
  const auto executor = co_await boost::asio::this_coro::executor;
  Descriptor descriptor(executor, client.fd());
  boost::asio::steady_timer deadline(executor, kPatienceOfV3);
  deadline.async_wait([&descriptor](const boost::system::error_code& stopped) {
    if (!stopped) descriptor.cancel();
  });
  boost::system::error_code failure;
  while (client.state() != goal && client.state() != State::failed && !failure) {
    client.advance();
    if (client.state() == goal || client.state() == State::failed) break;
    const auto what = client.wants_to_write() ? Descriptor::wait_write : Descriptor::wait_read;
    co_await descriptor.async_wait(
        what, boost::asio::redirect_error(boost::asio::use_awaitable, failure));
  }
  descriptor.release();  // it is the client's
  deadline.cancel();
  if (failure) co_return failed(Code::timeout, "protocol 3", "does not go on");
  if (client.state() == State::failed) co_return failed(Code::io, "protocol 3", client.problem());
  co_return Status{};
}

Result<int> connect_plainly(const std::string& host, uint16_t port) {
  sockaddr_in6 six{};
  sockaddr_in four{};
  six.sin6_family = AF_INET6;
  four.sin_family = AF_INET;
  six.sin6_port = four.sin_port = htons(port);
  const bool is_six = ::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) == 1;
  if (!is_six && ::inet_pton(AF_INET, host.c_str(), &four.sin_addr) != 1)
    return failed(Code::invalid, host, "is no numeric address");
  const int fd = ::socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(fail_errno(errno, host, "socket"));
  const auto* address =
      is_six ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four);
  if (::connect(fd, address, is_six ? sizeof six : sizeof four) == 0) return fd;
  const int failure = errno;
  ::close(fd);
  return failed(fail_errno(failure, host, "connect"));
}

V3Clients::V3Clients(const V4Plan& where, size_t clients, Figures& figures, std::mt19937_64& random)
    : where_(where),
      figures_(figures),
      random_(random),
      clients_(clients),
      registrations_(kRegistrationsASecond, kRegistrationsAtOnce) {
  for (size_t i = 0; i < kContents; ++i) {
    Bytes content(kLeastContent + i * (kMostContent - kLeastContent) / kContents);
    for (std::byte& one : content) one = static_cast<std::byte>(random());
    shared_.push_back({&pair_, content.size(), v3::cksum_of(content)});
    contents_.push_back(std::move(content));
  }
}

std::string V3Clients::name_of_client(size_t index) const {
  return where_.name + "-v3-" + std::to_string(index);
}

Task<void> V3Clients::register_one(size_t index) {
  CB_CO_ASSIGN(const int fd, connect_plainly(where_.host, where_.v3_port));
  LoadClient client(fd, name_of_client(index), shared_.front());
  CB_CO_TRY(co_await talk_until(client, State::ready));
  clients_[index].id = client.id();
  clients_[index].is_registered = true;
  co_return Status{};
}

awaitable<void> V3Clients::come(size_t index) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  while (!registrations_.take()) {
    timer.expires_after(std::chrono::milliseconds(50));
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
  const Moment begin = std::chrono::steady_clock::now();
  const Status done = co_await register_one(index);
  if (done) figures_.succeeded(Act::v3_register, seconds_from(begin));
  if (!done) figures_.failed(Act::v3_register, done.error());
}

Task<void> V3Clients::upload_one(size_t index) {
  const size_t which = random_() % contents_.size();
  CB_CO_ASSIGN(const int fd, connect_plainly(where_.host, where_.v3_port));
  LoadClient client(fd, name_of_client(index), shared_[which]);
  if (clients_[index].is_registered) client.come_back(clients_[index].id);
  if (random_() % kDisputes == 0) client.dispute_once();
  CB_CO_TRY(co_await talk_until(client, State::ready));
  client.send(encrypt(client.key(), contents_[which]));
  CB_CO_TRY(co_await talk_until(client, State::done));
  co_return Status{};
}

awaitable<void> V3Clients::upload(Moment due) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  size_t index = random_() % clients_.size();
  while (clients_[index].is_busy || !clients_[index].is_registered) {
    timer.expires_after(std::chrono::milliseconds(1));
    co_await timer.async_wait(boost::asio::use_awaitable);
    index = random_() % clients_.size();
  }
  clients_[index].is_busy = true;
  const Status done = co_await upload_one(index);
  if (done) figures_.succeeded(Act::v3_upload, seconds_from(due));
  if (!done) figures_.failed(Act::v3_upload, done.error());
  clients_[index].is_busy = false;
}

}  // namespace cb::bench
