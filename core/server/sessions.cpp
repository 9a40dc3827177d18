// SPDX-License-Identifier: Apache-2.0
#include "core/server/sessions.h"

#include <boost/asio/post.hpp>
#include <vector>

namespace cb::server {
namespace {

void count_down(std::map<std::string, uint32_t>& counts, const std::string& key) {
  const auto found = counts.find(key);
  if (found != counts.end() && --found->second == 0) counts.erase(found);
}

uint32_t count_in(const std::map<std::string, uint32_t>& counts, const std::string& key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

}  // namespace

Result<Sessions::Ticket> Sessions::admit(const Visitor& visitor, stream::Connection& connection) {
  const std::lock_guard lock(mutex_);
  const auto refused = [&](const char* what, uint32_t limit, const char* key) {
    return failed(Code::limit, visitor.address,
                  std::string(what) + " of " + std::to_string(limit) + " connections is reached",
                  std::string("raise ") + key + " if that is too low");
  };
  if (entries_.size() >= limits_.connections)
    return refused("the limit", limits_.connections, "limits.connections");
  if (visitor.listener_limit != 0 &&
      count_in(by_listener_, visitor.listener) >= visitor.listener_limit)
    return refused("the listener's limit", visitor.listener_limit, "its max_connections");
  if (limits_.connections_per_address != 0 &&
      count_in(by_address_, visitor.address) >= limits_.connections_per_address)
    return refused("the address' limit", limits_.connections_per_address,
                   "limits.connections_per_address");
  const uint64_t id = next_id_++;
  entries_.emplace(id, Entry{&connection, connection.executor(), visitor});
  ++by_address_[visitor.address];
  ++by_listener_[visitor.listener];
  return Ticket(shared_from_this(), id);
}

void Sessions::remove(uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  count_down(by_address_, found->second.visitor.address);
  count_down(by_listener_, found->second.visitor.listener);
  entries_.erase(found);
  if (entries_.empty()) left_.notify_all();
}

// The connection may be gone before its ticket is, but both go on the strand; so whoever finds the
// entry there finds the connection too.
void Sessions::cancel_all() {
  std::vector<std::pair<uint64_t, boost::asio::any_io_executor>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : entries_) all.emplace_back(id, entry.executor);
  }
  for (const auto& [id, executor] : all)
    boost::asio::post(executor, [self = shared_from_this(), id = id] { self->cancel(id); });
}

void Sessions::cancel(uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found != entries_.end()) found->second.connection->cancel();
}

bool Sessions::wait_until_none(std::chrono::nanoseconds timeout) {
  std::unique_lock lock(mutex_);
  return left_.wait_for(lock, timeout, [this] { return entries_.empty(); });
}

size_t Sessions::count() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

size_t Sessions::count_of_listener(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  return count_in(by_listener_, key);
}

void Sessions::set_limits(const LimitSettings& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

LimitSettings Sessions::limits() const {
  const std::lock_guard lock(mutex_);
  return limits_;
}

}  // namespace cb::server
