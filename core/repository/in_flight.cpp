// SPDX-License-Identifier: Apache-2.0
//
// See in_flight.h.
#include "core/repository/in_flight.h"

#include <algorithm>

#include "core/catalog/index.h"

namespace cb::repository {

InFlight::Entry* InFlight::open_entry(int64_t domain, const BlobId& id) {
  if (domain == catalog::kOpenDomain) return nullptr;
  const auto at = entries_.find({catalog::kOpenDomain, id});
  return at == entries_.end() || is_over(at->second.pack) ? nullptr : &at->second;
}

InFlight::Claim InFlight::claim(const BlobId& id, const PackPtr& mine) {
  const std::lock_guard lock(mutex_);
  const Key key{mine->domain_, id};
  const auto known = entries_.find(key);
  if (known == entries_.end() || (known->second.pack != mine && is_over(known->second.pack))) {
    if (Entry* open = open_entry(mine->domain_, id)) {
      open->is_leaned_on = true;
      return {open->pack, false};
    }
  }
  const auto [at, is_new] = entries_.try_emplace(key, Entry{mine, false});
  Entry& entry = at->second;
  if (is_new) return {mine, true};
  if (entry.pack == mine) return {mine, false};
  if (is_over(entry.pack)) {
    // Who leaned on it there cannot learn any more what becomes of it.
    if (entry.is_leaned_on) entry.pack->spoilt_ = true;
    entry = {mine, false};
    return {mine, true};
  }
  entry.is_leaned_on = true;
  return {entry.pack, false};
}

void InFlight::release(const BlobId& id, const PackPtr& mine) {
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find({mine->domain_, id});
  if (at == entries_.end() || at->second.pack != mine) return;
  // Whoever leaned on it meanwhile is told too little rather than too much.
  if (at->second.is_leaned_on) mine->spoilt_ = true;
  entries_.erase(at);
}

InFlight::Packs InFlight::find(int64_t domain, std::span<const BlobId> ids) {
  Packs found(ids.size());
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (const auto at = entries_.find({domain, ids[i]}); at != entries_.end())
      found[i] = at->second.pack;
    if (found[i] && !is_over(found[i])) continue;
    if (const Entry* open = open_entry(domain, ids[i])) found[i] = open->pack;
  }
  return found;
}

void InFlight::end(const PackPtr& mine, Pack::State state) {
  mine->state_ = state;
  ended_.notify_all();
}

void InFlight::durable(const PackPtr& mine) {
  const std::lock_guard lock(mutex_);
  ++generation_;
  std::erase_if(entries_, [&](const auto& one) { return one.second.pack == mine; });
  end(mine, Pack::State::durable);
}

void InFlight::abandon(const PackPtr& mine) {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const auto& one) { return one.second.pack == mine; });
  end(mine, Pack::State::lost);
}

void InFlight::wait(const Packs& packs, std::chrono::nanoseconds patience) {
  for (const PackPtr& pack : packs) pack->wanted_ = true;
  const auto until = std::chrono::steady_clock::now() + patience;
  std::unique_lock lock(mutex_);
  ended_.wait_until(lock, until, [&] { return std::all_of(packs.begin(), packs.end(), is_over); });
}

void InFlight::give_up(const Packs& packs) {
  const std::lock_guard lock(mutex_);
  for (const PackPtr& pack : packs) pack->given_up_ = true;
  ended_.notify_all();
}

}  // namespace cb::repository
