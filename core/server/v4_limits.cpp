// SPDX-License-Identifier: Apache-2.0
//
// What of a v4 session its account and device are limited in: how many there are, how fast its
// requests come, how much it brings.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/base/units.h"
#include "core/server/v4_session.h"

namespace cb::server {
namespace {

using v4::Request;

void tell_quota(v4::pb::Quota& to, const QuotaUse& use) {
  to.set_stored(use.stored);
  to.set_limit(use.limit);
  to.set_soft(use.soft);
  to.set_until_ns(use.until_ns);
  to.set_is_over(use.is_over);
}

Error beyond(const std::string& object, std::string cause, std::string advice) {
  Error error = fail(Code::limit, object, std::move(cause), std::move(advice));
  error.retry = Retry::no;
  return error;
}

}  // namespace

// On a worker. Counted before anything is done for it.
Status V4Session::take_allowance() {
  LimitBook& book = *shared_.parts.limits;
  CB_ASSIGN(allowance_, book.allowance(member_->account.number, member_->device));
  pace_.set_rate(allowance_.of_session.requests);
  // A peer that is there says something within a heartbeat.
  const auto silent_since = shared_.parts.clock->monotonic() - settings_.heartbeat;
  auto ticket = shared_.running->enter(
      {member_->device, member_->account.number}, *connection_,
      {allowance_.account_sessions, allowance_.of_session.sessions, silent_since});
  if (!ticket) {
    book.count(Refusal::sessions);
    return failed(std::move(ticket).error());
  }
  running_.emplace(std::move(*ticket));
  return {};
}

v4::pb::Room V4Session::room() const {
  v4::pb::Room room;
  tell_quota(*room.mutable_account(), allowance_.account);
  tell_quota(*room.mutable_device(), allowance_.device);
  room.set_growth(allowance_.device.growth);
  room.set_is_low(shared_.parts.engine->is_low());
  return room;
}

// Blobs are not requests: how fast those come the store says.
stream::Task<void> V4Session::keep_pace(const Frame& frame) {
  if (!is_in() || v4::has_bulk(frame.code)) co_return Status{};
  const std::chrono::nanoseconds delay = pace_.delay(last_request_);
  if (delay.count() == 0) co_return Status{};
  ++shared_.counters->delayed;
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, delay);
  (void)co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  co_return Status{};
}

stream::Task<void> V4Session::admit_blob(const Frame& frame, uint64_t size) {
  sent_ += size;
  const uint64_t most = allowance_.of_session.upload;
  if (most == 0 || sent_ <= most || puts_.refused()) co_return Status{};
  shared_.parts.limits->count(Refusal::upload);
  co_return co_await puts_.deny(
      frame.request_id,
      beyond("session", "has sent the " + format_size(most) + " that one session may",
             "what was acknowledged is kept: back up again, and it goes on from there"));
}

Status V4Session::check_snapshot_size(uint64_t bytes) {
  const uint64_t most = allowance_.of_session.snapshot;
  if (most == 0 || bytes <= most) return {};
  shared_.parts.limits->count(Refusal::snapshot);
  return failed(beyond(
      "snapshot",
      "holds " + format_size(bytes) + ", more than the " + format_size(most) + " that one may",
      "back up less at a time, or ask the operator of the server for more"));
}

}  // namespace cb::server
