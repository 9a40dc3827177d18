// SPDX-License-Identifier: Apache-2.0
//
// Connections that never log in: what they cost, and how long they live.
#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bench/load_v4_runs.h"

namespace cb::bench {
namespace {

using stream::Task;
using Way = Fleet::Way;

enum class Kind {
  silent_tcp,
  stalled_tls,
  silent_tls,
  trickle_tls,
  hello,
  hello_trickle,
  v3,
  v3_trickle
};

struct Named {
  Kind kind;
  const char* name;
};
constexpr std::array<Named, 8> kKinds = {{{Kind::silent_tcp, "stranger_silent"},
                                          {Kind::stalled_tls, "stranger_stalled_handshake"},
                                          {Kind::silent_tls, "stranger_silent_in_tls"},
                                          {Kind::trickle_tls, "stranger_trickling_in_tls"},
                                          {Kind::hello, "stranger_after_hello"},
                                          {Kind::hello_trickle, "stranger_trickling_after_hello"},
                                          {Kind::v3, "stranger_silent_v3"},
                                          {Kind::v3_trickle, "stranger_trickling_v3"}}};

constexpr std::chrono::seconds kTrickle{2};  // between two bytes

bool is_v3(Kind kind) { return kind == Kind::v3 || kind == Kind::v3_trickle; }
Way way_of(Kind kind) {
  if (is_v3(kind)) return Way::plain_v3;
  const bool is_below_tls = kind == Kind::silent_tcp || kind == Kind::stalled_tls;
  return is_below_tls ? Way::below_tls : Way::resuming;
}
bool trickles(Kind kind) {
  return kind == Kind::trickle_tls || kind == Kind::hello_trickle || kind == Kind::v3_trickle;
}

// The beginning of a TLS record with a ClientHello that never comes whole.
Bytes begun_handshake() {
  Bytes bytes = from_hex("1603010200010001fc0303").value();
  bytes.resize(200, std::byte{9});
  return bytes;
}

// The beginning of a login that never comes whole.
Bytes begun_request(Kind kind) {
  const v4::Request code = kind == Kind::trickle_tls ? v4::Request::hello : v4::Request::login;
  Bytes bytes = v4::request_front({}, code, 7, Bytes(200), 0);
  // Protocol 3 has another version byte behind the id, and requests of its own.
  if (is_v3(kind)) bytes = from_hex(std::string(32, '1') + "030104ff000000").value();
  return bytes;
}

class Stranger {
 public:
  Stranger(Fleet& fleet, Kind kind) : fleet_(fleet), kind_(kind) {}

  Task<void> come(size_t worker) {
    began_ = std::chrono::steady_clock::now();
    CB_CO_ASSIGN(caller_, co_await fleet_.connect(way_of(kind_), worker));
    if (kind_ == Kind::stalled_tls) co_return co_await caller_->send(begun_handshake());
    if (kind_ == Kind::hello || kind_ == Kind::hello_trickle) co_return co_await caller_->hello();
    co_return Status{};
  }

  // Until the server ends it.
  boost::asio::awaitable<void> stay() {
    if (!caller_) co_return;
    auto trickling = trickle();
    if (trickles(kind_))
      boost::asio::co_spawn(co_await boost::asio::this_coro::executor, std::move(trickling),
                            boost::asio::detached);
    co_await caller_->wait_for_end();
    over_ = true;
    lived_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }

  [[nodiscard]] double lived() const { return lived_; }

 private:
  boost::asio::awaitable<void> trickle() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (const std::byte one : begun_request(kind_)) {
      timer.expires_after(kTrickle);
      co_await timer.async_wait(boost::asio::use_awaitable);
      if (over_ || !co_await caller_->send(ByteView(&one, 1))) break;
    }
  }

  Fleet& fleet_;
  const Kind kind_;
  std::unique_ptr<V4Caller> caller_;
  std::chrono::steady_clock::time_point began_;
  double lived_ = 0;
  bool over_ = false;
};

// `start`: before the first kind. What was freed of one is used by the next, so growth counts from
// there.
size_t run_kind(Fleet& fleet, const V4Plan& plan, const DaemonProcess& daemon, const Named& kind,
                const DaemonTaken& start) {
  std::vector<std::unique_ptr<Stranger>> all;
  for (size_t i = 0; i < plan.unauthenticated; ++i)
    all.push_back(std::make_unique<Stranger>(fleet, kind.kind));
  const size_t failures =
      fleet.run_all(all.size(), plan.workers, [&](size_t i, size_t w) { return all[i]->come(w); });
  const DaemonTaken after = daemon.look();
  fleet.run_all(all.size(), all.size(), [&](size_t i, size_t) -> Task<void> {
    co_await all[i]->stay();
    co_return Status{};
  });
  double longest = 0;
  for (const auto& one : all) longest = std::max(longest, one->lived());
  const std::string name = kind.name;
  tell(name + "_rss_each_at_most",
       (after.resident - start.resident) / 1024 / static_cast<double>(all.size()), "KiB", 1);
  tell(name + "_longest_life", longest, "s", 1);
  tell(name + "_errors", static_cast<double>(failures), "errors");
  return failures;
}

}  // namespace

size_t run_unauthenticated(Fleet& fleet, const V4Plan& plan, const DaemonProcess& daemon) {
  // What the first of all cost is no connection's.
  size_t failures =
      fleet.run_all(plan.workers, plan.workers, [&](size_t i, size_t w) -> Task<void> {
        CB_CO_ASSIGN(auto caller, co_await fleet.log_in(Way::resuming, w, i));
        co_await caller->leave();
        co_return Status{};
      });
  const DaemonTaken start = daemon.look();
  for (const Named& kind : kKinds)
    if (plan.v3_port != 0 || !is_v3(kind.kind))
      failures += run_kind(fleet, plan, daemon, kind, start);
  return failures;
}

}  // namespace cb::bench
