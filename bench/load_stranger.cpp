// SPDX-License-Identifier: Apache-2.0
#include "bench/load_stranger.h"

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bench/load_v4_backup.h"

namespace cb::bench {
namespace {

using boost::asio::awaitable;
using repository::BlobId;
using stream::Task;
using Way = Fleet::Way;
using Kind = StrangerKind;

constexpr std::chrono::seconds kTrickle{2};  // between two bytes
constexpr std::chrono::seconds kKnock{1};    // between two requests of one that never reads
constexpr size_t kFetched = 1 << 20;         // bytes, so often:
constexpr size_t kFetches = 24;
constexpr size_t kPut = 1 << 20;  // of which comes so much:
constexpr size_t kHalfPut = 100 << 10;

Way way_of(Kind kind) {
  if (is_v3(kind)) return Way::plain_v3;
  const bool is_below =
      kind == Kind::silent_tcp || kind == Kind::stalled_tls || kind == Kind::garbage_tcp;
  return is_below ? Way::below_tls : Way::resuming;
}

bool says_hello(Kind kind) {
  return kind == Kind::hello || kind == Kind::hello_trickle || kind == Kind::large_frame ||
         kind == Kind::disorder;
}
bool breaks_rules(Kind kind) {
  return kind == Kind::garbage_tls || kind == Kind::large_frame || kind == Kind::disorder ||
         kind == Kind::v3_garbage;
}
bool logs_in(Kind kind) { return kind == Kind::deaf || kind == Kind::half_upload; }
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

Bytes garbage(Kind kind) {
  Bytes bytes = drawn_bytes(400).value_or(Bytes(400, std::byte{0x77}));
  // Behind the id: a version that there is not, or protocol 3 and a code that it has not.
  bytes[protocol::kRequestHeaderSize - 7] = kind == Kind::v3_garbage ? std::byte{3} : std::byte{9};
  bytes[protocol::kRequestHeaderSize - 5] = std::byte{0x77};
  return bytes;
}

// A frame after which nobody should read on.
Bytes large_frame() {
  Bytes bytes = v4::request_front({}, v4::Request::login, 7, Bytes(200), 0);
  store_le(bytes.data() + protocol::kRequestHeaderSize - 4, uint32_t{0x7fffffff});
  return bytes;
}

// What it sends as soon as it may; nothing of those that wait.
Bytes first_words(Kind kind) {
  switch (kind) {
    case Kind::stalled_tls:
      return begun_handshake();
    case Kind::garbage_tcp:
    case Kind::garbage_tls:
    case Kind::v3_garbage:
      return garbage(kind);
    case Kind::large_frame:
      return large_frame();
    case Kind::disorder:
      return v4::request_front({}, v4::Request::commit, 7, Bytes(100), 0);
    default:
      return {};
  }
}

}  // namespace

const char* name_of(Kind kind) {
  constexpr std::array<const char*, kStrangerKinds> kNames = {
      "stranger_silent",           "stranger_stalled_handshake", "stranger_silent_in_tls",
      "stranger_trickling_in_tls", "stranger_after_hello",       "stranger_trickling_after_hello",
      "stranger_silent_v3",        "stranger_trickling_v3",      "stranger_garbage_for_tls",
      "stranger_garbage_in_tls",   "stranger_large_frame",       "stranger_disorder",
      "stranger_garbage_v3",       "device_that_never_reads",    "device_that_stops_in_a_blob"};
  return kNames.at(static_cast<size_t>(kind));
}

bool is_v3(Kind kind) {
  return kind == Kind::v3 || kind == Kind::v3_trickle || kind == Kind::v3_garbage;
}

Task<void> Stranger::come(size_t worker) {
  device_ = worker;
  began_ = std::chrono::steady_clock::now();
  CB_CO_TRY(co_await greet_or_log_in(worker));
  const Bytes words = first_words(kind_);
  Status begun;
  if (!words.empty()) begun = co_await caller_->send(words);
  if (kind_ == Kind::deaf) begun = co_await begin_to_fetch();
  if (kind_ == Kind::half_upload) begun = co_await begin_to_put();
  if (breaks_rules(kind_) || logs_in(kind_)) began_ = std::chrono::steady_clock::now();
  co_return begun;
}

Task<void> Stranger::greet_or_log_in(size_t worker) {
  if (logs_in(kind_)) {
    CB_CO_ASSIGN(caller_, co_await fleet_.log_in(Way::resuming, worker, device_));
    co_return Status{};
  }
  CB_CO_ASSIGN(caller_, co_await fleet_.connect(way_of(kind_), worker));
  if (says_hello(kind_)) co_return co_await caller_->hello();
  co_return Status{};
}

// Asks for more than sockets hold.
Task<void> Stranger::begin_to_fetch() {
  CB_CO_ASSIGN(const Bytes content, drawn_bytes(kFetched));
  V4Backup backup(*caller_, fleet_.device(device_));
  CB_CO_TRY(co_await backup.begin());
  CB_CO_ASSIGN(const BlobId id,
               co_await backup.put(repository::BlobKind::data, std::vector<BlobId>(), content));
  const std::vector<BlobId> all(1, id);
  CB_CO_TRY(co_await backup.commit(all, content.size()));
  v4::pb::Get message;
  message.set_ids(v4::join_ids(all));
  const Bytes encoded = v4::encode(message);
  for (size_t i = 0; i < kFetches; ++i)
    CB_CO_TRY(co_await caller_->tell(v4::Request::get, encoded, ByteView()));
  co_return Status{};
}

Task<void> Stranger::begin_to_put() {
  V4Backup backup(*caller_, fleet_.device(device_));
  CB_CO_TRY(co_await backup.begin());
  repository::BlobHead head;
  CB_CO_ASSIGN(const Bytes content, drawn_bytes(kHalfPut));
  std::copy_n(content.begin(), head.id.bytes.size(), head.id.bytes.begin());
  head.kind = repository::BlobKind::data;
  head.session = backup.session();
  head.stored_size = kPut;
  const Bytes message = v4::encode(v4::put_of(head));
  const Bytes front =
      v4::request_front({}, v4::Request::put, 7, message, v4::bulk_in_frame(message.size(), kPut));
  CB_CO_TRY(co_await caller_->send(front));
  co_return co_await caller_->send(content);
}

awaitable<void> Stranger::stay() {
  if (!caller_) co_return;
  const auto executor = co_await boost::asio::this_coro::executor;
  is_trickling_ = trickles(kind_);
  if (is_trickling_) boost::asio::co_spawn(executor, trickle(), boost::asio::detached);
  if (kind_ == Kind::deaf) {
    co_await knock();
  } else {
    co_await caller_->wait_for_end();
  }
  over_ = true;
  lived_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  boost::asio::steady_timer timer(executor);
  while (is_trickling_) {
    timer.expires_after(std::chrono::milliseconds(100));
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
}

void Stranger::go() {
  gone_ = !over_;
  if (caller_ && !over_) caller_->cancel();
}

// Who does not read sees the end only when it writes.
awaitable<void> Stranger::knock() {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  Status sent;
  while (sent && !gone_) {
    timer.expires_after(kKnock);
    co_await timer.async_wait(boost::asio::use_awaitable);
    sent = co_await caller_->tell(v4::Request::heartbeat, Bytes(), ByteView());
  }
  co_await caller_->leave();
}

awaitable<void> Stranger::trickle() {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  for (const std::byte one : begun_request(kind_)) {
    timer.expires_after(kTrickle);
    co_await timer.async_wait(boost::asio::use_awaitable);
    if (over_ || gone_) break;
    const Status sent = co_await caller_->send(ByteView(&one, 1));
    if (!sent) break;
  }
  is_trickling_ = false;
}

}  // namespace cb::bench
