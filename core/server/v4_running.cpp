// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_running.h"

namespace cb::server {
namespace {

Error one_too_many(std::string object, uint64_t count) {
  Error error = fail(Code::busy, std::move(object),
                     "has " + std::to_string(count) + " sessions already, as many as it may",
                     "wait until one ends");
  error.retry = Retry::yes;
  return error;
}

}  // namespace

V4Running::Most V4Running::counts_beside(const Who& who) const {
  Most counts;
  for (auto at = entries_.lower_bound({who.account, 0});
       at != entries_.end() && at->first.first == who.account; ++at) {
    const Entry& entry = at->second;
    if (entry.who.device.is_zero() || entry.is_given_up) continue;
    ++counts.of_account;
    counts.of_device += entry.who.device == who.device ? 1 : 0;
  }
  return counts;
}

Status V4Running::check(const Who& who, const Most& most) {
  if (who.device.is_zero() || (most.of_account == 0 && most.of_device == 0)) return {};
  const Most there = counts_beside(who);
  const bool is_device_full = most.of_device != 0 && there.of_device >= most.of_device;
  const bool is_account_full = most.of_account != 0 && there.of_account >= most.of_account;
  if (!is_device_full && !is_account_full) return {};
  Entry* const silent = silent_one(who, most.silent_since);
  const bool stays_full = is_account_full && there.of_account > most.of_account;
  if (silent == nullptr || stays_full)
    return failed(is_device_full ? one_too_many("device " + who.device.hex(), there.of_device)
                                 : one_too_many("the account", there.of_account));
  silent->is_given_up = true;
  silent->connection->cancel();
  return {};
}

// Of this device the one that has been silent longest, if there is one.
V4Running::Entry* V4Running::silent_one(const Who& who, std::chrono::nanoseconds since) {
  Entry* longest = nullptr;
  for (auto& [key, entry] : entries_) {
    if (entry.who.device != who.device || entry.is_given_up) continue;
    if (entry.listens_since >= since.count()) continue;
    if (longest == nullptr || entry.listens_since < longest->listens_since) longest = &entry;
  }
  return longest;
}

Result<V4Running::Ticket> V4Running::enter(const Who& who, stream::Connection& connection,
                                           const Most& most) {
  const std::lock_guard lock(mutex_);
  CB_TRY(check(who, most));
  const Key key{who.account, next_id_++};
  Entry& entry = entries_[key];
  entry.who = who;
  entry.connection = &connection;
  return Ticket(shared_from_this(), key, entry);
}

void V4Running::remove(const Key& key) {
  const std::lock_guard lock(mutex_);
  entries_.erase(key);
}

// A connection may be cancelled by any thread, and is there while its entry is.
size_t V4Running::end(const std::function<bool(const Who&)>& is_meant) {
  const std::lock_guard lock(mutex_);
  size_t ended = 0;
  for (const auto& [key, entry] : entries_) {
    if (!is_meant(entry.who)) continue;
    entry.connection->cancel();
    ++ended;
  }
  return ended;
}

size_t V4Running::end_device(const repository::DeviceId& device) {
  return end([&](const Who& who) { return who.device == device; });
}

size_t V4Running::end_account(int64_t account) {
  return end([&](const Who& who) { return who.account == account; });
}

size_t V4Running::end_persons(int64_t account) {
  return end([&](const Who& who) { return who.account == account && who.device.is_zero(); });
}

uint32_t V4Running::count(const repository::DeviceId& device) const {
  const std::lock_guard lock(mutex_);
  uint32_t count = 0;
  for (const auto& [key, entry] : entries_)
    if (entry.who.device == device) ++count;
  return count;
}

}  // namespace cb::server
