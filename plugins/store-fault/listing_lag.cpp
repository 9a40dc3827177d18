// SPDX-License-Identifier: Apache-2.0
//
// See listing_lag.h.
#include "listing_lag.h"

namespace store_fault {
namespace {

bool is_wanted(const std::string& name, const std::string& prefix, const std::string& after) {
  return name.starts_with(prefix) && name > after;
}

}  // namespace

void ListingLag::committed(const std::string& name, bool existed, uint64_t now_ns) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const bool still_listed = gone_.erase(name) > 0;
  if (!existed && !still_listed) fresh_[name] = {{}, lists_, now_ns};
}

void ListingLag::removed(const cb_object& object, uint64_t now_ns) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const std::string name(object.name, object.name_len);
  const bool never_listed = fresh_.erase(name) > 0;
  if (!never_listed) gone_[name] = {object, lists_, now_ns};
}

ListingLag::View ListingLag::begin(const std::string& prefix, const std::string& after,
                                   const Standing& standing, uint64_t now_ns) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const auto caught_up = [&](const auto& entry) {
    const Late& late = entry.second;
    const bool by_lists = standing.lag_lists > 0;
    const bool by_time = standing.lag_ns > 0;
    if (!by_lists && !by_time) return true;
    if (by_lists && lists_ - late.lists >= static_cast<uint64_t>(standing.lag_lists)) return true;
    return by_time && now_ns - late.since_ns >= static_cast<uint64_t>(standing.lag_ns);
  };
  std::erase_if(fresh_, caught_up);
  std::erase_if(gone_, caught_up);
  ++lists_;
  View view;
  for (const auto& [name, late] : fresh_)
    if (is_wanted(name, prefix, after)) view.hidden.insert(name);
  for (const auto& [name, late] : gone_)
    if (is_wanted(name, prefix, after)) view.ghosts.emplace(name, late.object);
  return view;
}

}  // namespace store_fault
