// SPDX-License-Identifier: Apache-2.0
#include "bench/mix/v4_clients.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bench/load_v4_backup.h"
#include "bench/mix/content.h"

namespace cb::bench {
namespace {

using boost::asio::awaitable;
using repository::BlobId;
using repository::BlobKind;
using stream::Task;
using Moment = std::chrono::steady_clock::time_point;

// v4.hellos_per_minute as it is without being set, with something left over.
constexpr double kConversationsASecond = 40;
constexpr double kConversationsAtOnce = 2800;
// A backup's blobs, and how many of them are new beside the one before: some hundred KiB.
constexpr size_t kBlobs = 8;
constexpr size_t kNewBlobs = 2;
// A device forgets what is older than its newest few.
constexpr size_t kKept = 8;
// Sessions that share tickets for resumption.
constexpr size_t kTicketHolders = 64;

double seconds_since(Moment begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

awaitable<void> sleep_for(std::chrono::nanoseconds time) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, time);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

}  // namespace

V4Clients::V4Clients(Fleet& fleet, size_t sessions, size_t devices, Figures& figures,
                     std::mt19937_64& random)
    : fleet_(fleet),
      devices_(devices),
      figures_(figures),
      random_(random),
      sessions_(sessions),
      ledger_(devices),
      conversations_(kConversationsASecond, kConversationsAtOnce - static_cast<double>(devices)) {}

Task<void> V4Clients::log_in(Fleet::Way way, size_t index) {
  CB_CO_ASSIGN(sessions_[index].caller,
               co_await fleet_.log_in(way, index % kTicketHolders, device_of(index)));
  co_return Status{};
}

Task<void> V4Clients::come(size_t index) {
  while (!conversations_.take()) co_await sleep_for(std::chrono::milliseconds(50));
  const Moment begin = std::chrono::steady_clock::now();
  Status in = co_await log_in(Fleet::Way::resuming, index);
  if (!in) figures_.failed(Act::resume, in.error());
  if (in) figures_.succeeded(Act::resume, seconds_since(begin));
  co_return in;
}

awaitable<size_t> V4Clients::take() {
  while (true) {
    for (size_t tries = 0; tries < sessions_.size(); ++tries) {
      const size_t index = random_() % sessions_.size();
      if (sessions_[index].is_busy) continue;
      sessions_[index].is_busy = true;
      co_return index;
    }
    co_await sleep_for(std::chrono::milliseconds(1));
  }
}

Act V4Clients::possible(Act act, size_t index) const {
  const size_t least = act == Act::restore ? 1 : act == Act::forget ? kKept + 1 : 0;
  return ledger_.count(device_of(index)) < least ? Act::backup : act;
}

awaitable<void> V4Clients::act(Act wanted, Moment due) {
  const size_t index = co_await take();
  const Act act = possible(wanted, index);
  // After a failure the session is gone; the next act of it begins with another, which counts as
  // part of it.
  Status done;
  if (!sessions_[index].caller && act != Act::login && act != Act::resume)
    done = co_await log_in(Fleet::Way::resuming, index);
  if (done) done = co_await run(act, index);
  if (done) figures_.succeeded(act, seconds_since(due));
  if (!done) figures_.failed(act, done.error());
  if (!done) sessions_[index].caller.reset();
  sessions_[index].is_busy = false;
}

awaitable<Status> V4Clients::run(Act act, size_t index) {
  Session& session = sessions_[index];
  switch (act) {
    case Act::login:
    case Act::resume:
      if (session.caller) co_await session.caller->leave();
      session.caller.reset();
      co_return co_await log_in(act == Act::login ? Fleet::Way::full : Fleet::Way::resuming, index);
    case Act::backup:
      co_return co_await back_up(index);
    case Act::restore:
      co_return co_await restore(index);
    case Act::forget:
      co_return co_await forget(index);
    default:
      co_return co_await heartbeat(index);
  }
}

// Those of the newest snapshot, and some that are new.
std::vector<BlobId> V4Clients::choose_blobs(size_t device) {
  std::vector<BlobId> chosen;
  if (const auto newest = ledger_.newest(device)) chosen = newest->data;
  std::shuffle(chosen.begin(), chosen.end(), random_);
  chosen.resize(std::min(chosen.size(), kBlobs - kNewBlobs));
  while (chosen.size() < kBlobs) {
    BlobId id;
    for (size_t at = 0; at < id.bytes.size(); at += 8)
      store_le(id.bytes.data() + at, uint64_t{random_()});
    chosen.push_back(id);
  }
  return chosen;
}

Task<void> V4Clients::back_up(size_t index) {
  const size_t device = device_of(index);
  V4Caller& caller = *sessions_[index].caller;
  std::vector<BlobId> data = choose_blobs(device);
  CB_CO_ASSIGN(const Bytes present, co_await caller.have(data));
  V4Backup backup(caller, fleet_.device(device));
  CB_CO_TRY(co_await backup.begin());
  uint64_t size = 0;
  for (size_t i = 0; i < data.size(); ++i) {
    const Bytes content = content_of(data[i]);
    size += content.size();
    if (present[i] != std::byte{0}) continue;
    CB_CO_TRY(co_await backup.put_as(data[i], BlobKind::data, std::vector<BlobId>(), content));
  }
  CB_CO_ASSIGN(const BlobId snapshot, co_await backup.commit(data, size));
  ledger_.add(device, Acknowledged{snapshot, std::move(data)});
  co_return Status{};
}

Task<void> V4Clients::restore(size_t index) {
  const auto wanted = ledger_.any(device_of(index), random_);
  if (!wanted) co_return failed(Code::state, "restore", "has nothing to restore");
  CB_CO_ASSIGN(const auto blobs, co_await sessions_[index].caller->get(wanted->data));
  if (blobs.size() != wanted->data.size())
    co_return failed(Code::corrupt, "restore", "gives another number of blobs");
  for (const repository::StoredBlob& blob : blobs) {
    const bool is_asked_for =
        std::find(wanted->data.begin(), wanted->data.end(), blob.head.id) != wanted->data.end();
    if (!is_asked_for || blob.stored != content_of(blob.head.id))
      co_return failed(Code::corrupt, "restore", "gives other bytes");
  }
  co_return Status{};
}

Task<void> V4Clients::forget(size_t index) {
  const auto oldest = ledger_.take_oldest(device_of(index), kKept);
  if (!oldest) co_return Status{};  // another session of the device was faster
  v4::pb::Forget message;
  message.set_snapshot(v4::field_of(oldest->snapshot.view()));
  CB_CO_TRY(co_await sessions_[index].caller->ask(v4::Request::forget, v4::encode(message),
                                                  v4::Response::forget));
  co_return Status{};
}

Task<void> V4Clients::heartbeat(size_t index) {
  CB_CO_TRY(co_await sessions_[index].caller->ask(v4::Request::heartbeat, Bytes(),
                                                  v4::Response::heartbeat));
  co_return Status{};
}

awaitable<void> V4Clients::beat(std::chrono::nanoseconds period, const bool& over) {
  const auto step = period / static_cast<int64_t>(sessions_.size());
  for (size_t i = 0; !over; i = (i + 1) % sessions_.size()) {
    co_await sleep_for(step);
    Session& session = sessions_[i];
    if (session.is_busy || !session.caller) continue;
    session.is_busy = true;
    const Moment begin = std::chrono::steady_clock::now();
    const Status beaten = co_await heartbeat(i);
    if (beaten) figures_.succeeded(Act::heartbeat, seconds_since(begin));
    if (!beaten) figures_.failed(Act::heartbeat, beaten.error());
    if (!beaten) session.caller.reset();
    session.is_busy = false;
  }
}

awaitable<void> V4Clients::leave() {
  for (Session& session : sessions_) {
    if (session.caller) co_await session.caller->leave();
    session.caller.reset();
  }
}

}  // namespace cb::bench
