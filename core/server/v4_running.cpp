// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_running.h"

namespace cb::server {

V4Running::Ticket V4Running::enter(const Who& who, stream::Connection& connection) {
  const std::lock_guard lock(mutex_);
  const uint64_t id = next_id_++;
  entries_.emplace(id, Entry{who, &connection});
  return Ticket(shared_from_this(), id);
}

void V4Running::remove(uint64_t id) {
  const std::lock_guard lock(mutex_);
  entries_.erase(id);
}

// A connection may be cancelled by any thread, and is there while its entry is.
size_t V4Running::end(const std::function<bool(const Who&)>& is_meant) {
  const std::lock_guard lock(mutex_);
  size_t ended = 0;
  for (const auto& [id, entry] : entries_) {
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
  for (const auto& [id, entry] : entries_)
    if (entry.who.device == device) ++count;
  return count;
}

}  // namespace cb::server
