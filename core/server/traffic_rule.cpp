// SPDX-License-Identifier: Apache-2.0
#include "core/server/traffic_rule.h"

#include <algorithm>

namespace cb::server {
namespace {

bool is_meant(const std::string& pattern, const std::string& account) {
  if (!pattern.empty() && pattern.back() == '*')
    return account.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
  return pattern == account;
}

}  // namespace

const char* name_of(Direction direction) {
  switch (direction) {
    case Direction::in:
      return "in";
    case Direction::out:
      return "out";
    case Direction::both:
      break;
  }
  return "both";
}

bool TrafficRule::is_about(Direction moving, const std::string& address,
                           const std::string& account) const {
  if (direction != Direction::both && direction != moving) return false;
  const bool right_account =
      accounts.empty() || std::any_of(accounts.begin(), accounts.end(), [&](const auto& pattern) {
        return is_meant(pattern, account);
      });
  if (!right_account) return false;
  if (networks.empty()) return true;
  const auto parsed = parse_address(address);
  return parsed && std::any_of(networks.begin(), networks.end(),
                               [&](const Network& network) { return network.has(*parsed); });
}

bool TrafficRule::is_due(int64_t wall_ns) const {
  return when.has(wall_ns, in_local_time ? schedule::system_zone() : schedule::utc_zone());
}

}  // namespace cb::server
