// SPDX-License-Identifier: Apache-2.0
#include "core/client/v4_link.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/base/units.h"
#include "core/os/clock.h"
#include "core/protocol/v4/messages.h"

namespace cb::client {

namespace asio = stream::asio;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

namespace {

constexpr nanoseconds kLook = std::chrono::seconds(1);      // between two looks at the clock
constexpr nanoseconds kGoodbye = std::chrono::seconds(1);   // for the end of the stream
constexpr nanoseconds kPatience = std::chrono::seconds(5);  // for the network to come to rest

// What a failure of the network is to who uses the session: the connection is lost. What the server
// should not have said stays what it is, because dialling again would not help.
Error as_loss(Error error) {
  if (error.code != Code::corrupt && error.code != Code::internal) error.code = Code::closed;
  return error;
}

// Is it worth to dial again after the server has ended the session with this?
bool worth_dialling(const Error& error) {
  return error.code == Code::timeout || error.code == Code::busy || error.code == Code::cancelled ||
         error.code == Code::closed;
}

Error ended_error(const std::string& peer) {
  return fail(Code::closed, peer, "the session was ended");
}

}  // namespace

V4Link::V4Link(asio::any_io_executor executor, std::unique_ptr<V4Wire> wire, V4Calls& calls,
               const Settings& settings)
    : executor_(std::move(executor)),
      settings_(settings),
      calls_(calls),
      wire_(std::move(wire)),
      to_read_(executor_),
      to_write_(executor_),
      to_watch_(executor_) {}

V4Link::~V4Link() = default;

void V4Link::post(std::function<void()> work) { asio::post(executor_, std::move(work)); }

template <typename Coroutine>
void V4Link::spawn(Coroutine coroutine) {
  ++running_;
  asio::co_spawn(executor_, std::move(coroutine),
                 [this](std::exception_ptr thrown, Result<void> result) {
                   if (thrown) fail(cb::fail(Code::internal, wire_->peer(), "an exception"));
                   if (!thrown && !result) fail(as_loss(std::move(result).error()));
                   ended();
                 });
}

void V4Link::start() {
  started_ = true;
  post([this] {
    last_sent_ = last_came_ = last_beat_ = steady_clock::now();
    wire_->connection().set_write_timeout(settings_.write);
    spawn(read_all());
    spawn(write_all());
    spawn(watch());
  });
}

void V4Link::ended() {
  if (--running_ > 0) return;
  asio::co_spawn(executor_, hang_up(), [this](std::exception_ptr) { at_rest_.set_value(); });
}

asio::awaitable<void> V4Link::hang_up() { co_await wire_->connection().close(); }

void V4Link::stop() {
  if (!started_) return;
  started_ = false;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  room_.notify_all();
  post([this] { to_write_.cancel(); });
  auto rest = at_rest_.get_future();
  if (rest.wait_for(kPatience) == std::future_status::ready) return;
  close();
  (void)rest.wait_for(kPatience);
}

void V4Link::close() {
  post([this] { fail(ended_error(wire_->peer())); });
}

// On the network's thread.
void V4Link::fail(const Error& error) {
  if (gone_) return;
  gone_ = true;
  {
    const std::lock_guard lock(mutex_);
    error_ = error;
    urgent_.clear();
    ordered_.clear();
  }
  calls_.fail_all(error);
  room_.notify_all();
  wire_->connection().cancel();
  to_read_.cancel();
  to_write_.cancel();
  to_watch_.cancel();
}

asio::awaitable<void> V4Link::wait(asio::steady_timer& timer, Moment until) {
  if (gone_) co_return;
  timer.expires_at(until);
  boost::system::error_code rung;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, rung));
}

// --- handing over --------------------------------------------------------------------------------

void V4Link::wake_writer() {
  post([this] { to_write_.cancel(); });
}

Status V4Link::send(v4::Request code, uint32_t request_id, ByteView message, Order order) {
  Bytes front = v4::request_front(ClientId{}, code, request_id, message, 0);
  const std::lock_guard lock(mutex_);
  if (error_) return failed(*error_);
  if (order == Order::urgent)
    urgent_.push_back(std::move(front));
  else
    ordered_.emplace_back(std::move(front));
  if (std::exchange(writer_idle_, false)) wake_writer();
  return {};
}

Result<uint64_t> V4Link::put(repository::StoredBlob blob) {
  const V4Calls::Waiting waiting(calls_);
  const uint64_t size = blob.stored.size();
  std::unique_lock lock(mutex_);
  room_.wait(lock, [this] {
    return error_ || put_error_ || stopping_ || accepted_ - taken_ < settings_.credit;
  });
  if (put_error_) return failed(*put_error_);
  if (error_) return failed(*error_);
  if (stopping_) return failed(ended_error("session"));
  accepted_ += size;
  ordered_.emplace_back(Blob{calls_.next_id(), std::move(blob)});
  if (std::exchange(writer_idle_, false)) wake_writer();
  return ++puts_;
}

Status V4Link::put_state() {
  const std::lock_guard lock(mutex_);
  if (put_error_) return failed(*put_error_);
  return {};
}

uint64_t V4Link::durable() {
  const std::lock_guard lock(mutex_);
  return durable_;
}

bool V4Link::learn_durable(uint64_t durable) {
  const std::lock_guard lock(mutex_);
  if (durable > puts_) return false;
  durable_ = std::max(durable_, durable);
  return true;
}

void V4Link::resume() {
  post([this] { to_read_.cancel(); });
}

// --- sending -------------------------------------------------------------------------------------

std::optional<V4Link::Item> V4Link::next_item() {
  const std::lock_guard lock(mutex_);
  std::optional<Item> item;
  if (!urgent_.empty()) {
    item = std::move(urgent_.front());
    urgent_.pop_front();
  } else if (!ordered_.empty() && !stopping_) {
    item = std::move(ordered_.front());
    ordered_.pop_front();
  }
  writer_idle_ = !item;
  return item;
}

stream::Task<void> V4Link::write_all() {
  while (!gone_) {
    auto item = next_item();
    if (item) {
      last_sent_ = steady_clock::now();
      auto* blob = std::get_if<Blob>(&*item);
      Status sent;
      if (blob != nullptr)
        sent = co_await write_blob(std::move(*blob));
      else
        sent = co_await wire_->append(std::get<Bytes>(*item));
      if (!sent) co_return co_await wait_for_reason(sent.error());
      continue;
    }
    if (wire_->has_unsent()) {
      const Status flushed = co_await wire_->flush();
      if (!flushed) co_return co_await wait_for_reason(flushed.error());
      continue;
    }
    bool goodbye = false;
    {
      const std::lock_guard lock(mutex_);
      goodbye = stopping_;
    }
    if (goodbye) {
      wire_->connection().set_write_timeout(kGoodbye);
      (void)co_await wire_->connection().shutdown();
      co_return failed(ended_error(wire_->peer()));
    }
    co_await wait(to_write_, Moment::max());
  }
  co_return Status{};
}

// A server that hangs up says why first: what it said may still have to be read.
stream::Task<void> V4Link::wait_for_reason(Error error) {
  const Moment until = steady_clock::now() + kGoodbye;
  while (!gone_ && steady_clock::now() < until) co_await wait(to_write_, until);
  co_return failed(std::move(error));
}

stream::Task<void> V4Link::write_blob(Blob blob) {
  const Bytes message = v4::encode(v4::put_of(blob.blob.head));
  ByteView rest = blob.blob.stored;
  v4::Request code = v4::Request::put;
  ByteView said = message;
  do {
    const ByteView bulk = rest.first(v4::bulk_in_frame(said.size(), rest.size()));
    CB_CO_TRY(co_await wait_for_credit(bulk.size()));
    // Before it goes: the answer may come while the writer still takes a turn.
    sent_ += bulk.size();
    CB_CO_TRY(co_await wire_->append(
        v4::request_front(ClientId{}, code, blob.request_id, said, bulk.size())));
    CB_CO_TRY(co_await wire_->append(bulk));
    last_sent_ = steady_clock::now();
    rest = rest.subspan(bulk.size());
    code = v4::Request::put_more;
    said = {};
  } while (!rest.empty());
  co_return Status{};
}

stream::Task<void> V4Link::wait_for_credit(size_t bytes) {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      // A frame that is larger than all credit goes alone.
      if (sent_ == taken_ || sent_ - taken_ + bytes <= settings_.credit) co_return Status{};
      if (stopping_) co_return failed(ended_error(wire_->peer()));
    }
    if (gone_) co_return failed(ended_error(wire_->peer()));
    if (wire_->has_unsent()) {
      CB_CO_TRY(co_await wire_->flush());
      continue;
    }
    co_await wait(to_write_, Moment::max());
  }
}

// --- receiving -----------------------------------------------------------------------------------

stream::Task<void> V4Link::read_all() {
  while (!gone_) {
    CB_CO_ASSIGN(const V4Frame frame, co_await wire_->receive(nanoseconds::zero()));
    last_came_ = steady_clock::now();
    CB_CO_TRY(take(frame));
    while (!gone_ && calls_.must_pause()) {
      reading_pauses_ = true;
      co_await wait(to_read_, Moment::max());
    }
    reading_pauses_ = false;
  }
  co_return Status{};
}

Result<void> V4Link::take(const V4Frame& frame) {
  if (frame.code == v4::Response::heartbeat) return {};
  if (frame.code == v4::Response::taken) return take_taken(frame.message);
  CB_ASSIGN(const bool known, calls_.deliver(frame));
  if (frame.code == v4::Response::failure) return take_failure(frame, known);
  if (known) return {};
  return failed(Code::corrupt, wire_->peer(),
                "answered a request that was not made (" +
                    std::to_string(static_cast<unsigned>(frame.code)) + ")");
}

Status V4Link::take_taken(ByteView message) {
  CB_ASSIGN(const auto taken, v4::parse<v4::pb::Taken>(message));
  {
    const std::lock_guard lock(mutex_);
    if (taken.bytes() > sent_ || taken.bytes() < taken_ || taken.durable() > puts_)
      return failed(Code::corrupt, wire_->peer(), "took more than was sent, or gave some back");
    taken_ = taken.bytes();
    durable_ = std::max(durable_, taken.durable());
  }
  calls_.note_progress();
  room_.notify_all();
  to_write_.cancel();
  return {};
}

Status V4Link::take_failure(const V4Frame& frame, bool known) {
  CB_ASSIGN(const auto failure, v4::parse<v4::pb::Failure>(frame.message));
  Error error = v4::error_of(failure);
  // Only blobs are sent without somebody who waits.
  const bool of_blob = !known && frame.request_id != v4::kPushedId;
  if (of_blob && !worth_dialling(error)) refuse_blobs(error);
  // A blob whose trouble worth_dialling is sent again over another connection.
  if (!failure.fatal() && !(of_blob && worth_dialling(error))) return {};
  error.code = Code::closed;
  return failed(std::move(error));
}

// Nobody wants the blobs that still wait to be sent.
void V4Link::refuse_blobs(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (!put_error_) put_error_ = error;
    std::erase_if(ordered_, [](const Item& item) { return std::holds_alternative<Blob>(item); });
  }
  room_.notify_all();
}

// --- the clock -----------------------------------------------------------------------------------

stream::Task<void> V4Link::watch() {
  Moment before = steady_clock::now();
  while (!gone_) {
    co_await wait(to_watch_, before + kLook);
    const Moment now = steady_clock::now();
    if (!gone_) CB_CO_TRY(look(now, now - before));
    before = now;
  }
  co_return Status{};
}

Status V4Link::look(Moment now, nanoseconds passed) {
  // While a sink is busy, or a limit of this side holds bytes up, nobody can be late.
  const bool is_held = reading_pauses_ || wire_->is_held();
  const nanoseconds excused = is_held ? passed : nanoseconds::zero();
  last_came_ += excused;
  if (const auto limit = calls_.overdue(now, excused))
    return failed(Code::closed, wire_->peer(),
                  "the server did not answer within " + format_duration(*limit));
  // Some answers take their time.
  const nanoseconds silence = std::max(settings_.silence, calls_.longest_limit());
  if (now - last_came_ > silence)
    return failed(Code::closed, wire_->peer(),
                  "nothing came from the server for " + format_duration(silence));
  beat(now);
  return {};
}

void V4Link::beat(Moment now) {
  const bool quiet = now - std::min(last_sent_, last_came_) >= settings_.heartbeat;
  if (!quiet || now - last_beat_ < settings_.heartbeat) return;
  last_beat_ = now;
  v4::pb::Heartbeat heartbeat;
  heartbeat.set_time_ns(os::system_clock().wall().count());
  (void)send(v4::Request::heartbeat, calls_.next_id(), v4::encode(heartbeat), Order::urgent);
}

}  // namespace cb::client
