// SPDX-License-Identifier: Apache-2.0
#include "bench/mix/misbehaving.h"

#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bench/load_v4_daemon.h"
#include "bench/mix/v3_clients.h"
#include "core/protocol/v3/messages.h"

namespace cb::bench {
namespace {

using boost::asio::awaitable;
using stream::Task;
using Kind = StrangerKind;
using Moment = std::chrono::steady_clock::time_point;

// Above what the server lets one address begin: conversations, and names of protocol 3.
constexpr std::chrono::milliseconds kBetweenHellos{12};
constexpr std::chrono::milliseconds kBetweenNames{50};
// Beside what Stranger knows: goes at once, or stops in the middle of a packet of protocol 3.
constexpr size_t kKindsOfAll = kStrangerKinds + 2;
constexpr double kLateness = 5;  // seconds
constexpr size_t kPacket = 60'000;

double seconds_of(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

double lived_since(Moment begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

awaitable<void> wait_a_while(std::chrono::milliseconds time) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, time);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

// The head of a packet and half of its content.
Bytes half_packet(const ClientId& id) {
  v3::FileHead head;
  head.content_size = kPacket;
  head.original_size = kPacket - 1;
  head.packet = head.total = 1;
  head.name = v3::text_field("half.bin").value();
  const v3::FileHeadBytes encoded = v3::encode(head);
  const Bytes content(kPacket);
  Bytes bytes = v3::request_bytes(id, v3::Request::send_file, {encoded, content});
  bytes.resize(bytes.size() - kPacket / 2);
  return bytes;
}

}  // namespace

void Misbehaving::begin(boost::asio::io_context& context) {
  const auto over = [this](const std::exception_ptr&) { --running_; };
  running_ = plan_.misbehaving + (plan_.misbehaving > 0 && plan_.has_own_address ? 2 : 0);
  for (size_t place = 0; place < plan_.misbehaving; ++place)
    boost::asio::co_spawn(context, misbehave(place), over);
  if (running_ == plan_.misbehaving) return;
  boost::asio::co_spawn(context, flood_hellos(), over);
  boost::asio::co_spawn(context, flood_names(), over);
}

void Misbehaving::end() {
  over_ = true;
  for (Stranger* one : there_) one->go();
}

// Those of one address wait for each other when the server takes no more from there.
awaitable<void> Misbehaving::misbehave(size_t place) {
  while (!over_) {
    const size_t kind = random_() % kKindsOfAll;
    if (kind < kStrangerKinds) co_await stay(static_cast<Kind>(kind), place);
    if (kind == kStrangerKinds) co_await drop(place);
    if (kind > kStrangerKinds) co_await stop_in_packet();
    co_await wait_a_while(std::chrono::milliseconds(200 + random_() % 800));
  }
}

double Misbehaving::most_of(Kind kind) const {
  const MixDeadlines& most = plan_.deadlines;
  switch (kind) {
    case Kind::silent_tcp:
    case Kind::stalled_tls:
    case Kind::garbage_tcp:
      return seconds_of(most.handshake);
    case Kind::silent_tls:
      return seconds_of(most.first_header);
    case Kind::trickle_tls:
      return seconds_of(std::max(most.first_header, most.login));
    case Kind::hello:
    case Kind::hello_trickle:
      return seconds_of(most.login);
    case Kind::v3:
    case Kind::v3_trickle:
      return seconds_of(most.v3_login);
    case Kind::deaf:
      return seconds_of(most.write);
    case Kind::half_upload:
      return seconds_of(most.request);
    default:
      return 0;  // at once
  }
}

void Misbehaving::note(Fate& fate, double lived, double most) {
  ++fate.ended;
  fate.longest = std::max(fate.longest, lived);
  if (lived > most + kLateness) ++fate.late;
}

awaitable<void> Misbehaving::stay(Kind kind, size_t place) {
  Stranger stranger(fleet_, kind);
  Fate& fate = fates_[name_of(kind)];
  fate.most = most_of(kind);
  ++fate.came;
  there_.insert(&stranger);
  const Status came = co_await stranger.come(place);
  if (!came && !over_) ++fate.refused;
  if (came && over_) stranger.go();
  if (came) co_await stranger.stay();
  there_.erase(&stranger);
  if (came && stranger.was_ended()) note(fate, stranger.lived(), fate.most);
}

// Comes and goes, in whatever state.
awaitable<void> Misbehaving::drop(size_t place) {
  for (int i = 0; i < 10 && !over_; ++i) {
    const bool in_tls = random_() % 2 == 0;
    const auto caller =
        co_await fleet_.connect(in_tls ? Fleet::Way::resuming : Fleet::Way::below_tls, place);
    if (caller) ++dropped_;
    if (caller) co_await (*caller)->close();
  }
}

awaitable<void> Misbehaving::stop_in_packet() {
  static const RsaPair pair;
  static const Shared shared{&pair, kPacket - 1, 0};
  Fate& fate = fates_["client_v3_that_stops_in_a_packet"];
  fate.most = seconds_of(plan_.deadlines.v3_request);
  ++fate.came;
  const auto fd = connect_plainly(plan_.bad.host, plan_.bad.v3_port);
  if (!fd) co_return;
  LoadClient client(*fd, plan_.bad.name + "-half-" + std::to_string(fate.came), shared);
  const Status ready = co_await talk_until(client, LoadClient::State::ready);
  const Bytes half = half_packet(client.id());
  const bool sent = ready && ::send(*fd, half.data(), half.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
  if (!sent) ++fate.refused;
  const Moment begin = std::chrono::steady_clock::now();
  while (sent && !over_) {
    std::byte gone{};
    const ssize_t got = ::recv(*fd, &gone, 1, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) break;
    co_await wait_a_while(std::chrono::milliseconds(100));
  }
  if (sent && !over_) note(fate, lived_since(begin), fate.most);
}

awaitable<void> Misbehaving::flood_hellos() {
  while (!over_) {
    co_await wait_a_while(kBetweenHellos);
    const auto caller = co_await fleet_.connect(Fleet::Way::resuming, plan_.misbehaving);
    if (!caller) continue;
    const Status greeted = co_await (*caller)->hello();
    ++hellos_;
    if (!greeted) ++refused_hellos_;
    co_await (*caller)->close();
  }
}

awaitable<void> Misbehaving::flood_names() {
  while (!over_) {
    const auto caller = co_await fleet_.connect(Fleet::Way::plain_v3, plan_.misbehaving);
    for (int i = 0; caller && i < 100 && !over_; ++i) {
      co_await wait_a_while(kBetweenNames);
      const auto name = v3::text_field(plan_.bad.name + "-name-" + std::to_string(names_)).value();
      const Bytes request = v3::request_bytes({}, v3::Request::sign_up, {name});
      const Status sent = co_await (*caller)->send(request);
      if (!sent) break;
      ++names_;
    }
    if (caller) co_await (*caller)->close();
    co_await wait_a_while(kBetweenNames);
  }
}

size_t Misbehaving::tell_all() const {
  size_t late = 0, ended = 0;
  for (const auto& [name, fate] : fates_) {
    late += fate.late;
    ended += fate.ended;
    tell(name, static_cast<double>(fate.came), "connections");
    tell(name + "_ended", static_cast<double>(fate.ended), "connections");
    tell(name + "_refused", static_cast<double>(fate.refused), "connections");
    tell(name + "_longest_life", fate.longest, "s", 1);
    tell(name + "_longest_allowed", fate.most, "s", 1);
  }
  tell("misbehaving_ended", static_cast<double>(ended), "connections");
  tell("misbehaving_dropped_by_themselves", static_cast<double>(dropped_), "connections");
  tell("flood_hellos", static_cast<double>(hellos_), "conversations");
  tell("flood_hellos_refused", static_cast<double>(refused_hellos_), "conversations");
  tell("flood_names", static_cast<double>(names_), "names");
  return late;
}

}  // namespace cb::bench
