// SPDX-License-Identifier: Apache-2.0
//
// Names of users and groups for numbers and back, asked of the system once each. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace cb::os {

// The user whose rights this program has.
uint32_t effective_uid();

class AccountNames {
 public:
  // Empty when the system knows none.
  std::string user(uint32_t uid);
  std::string group(uint32_t gid);
  // Nothing when the system knows no such name, or it is empty.
  std::optional<uint32_t> uid(const std::string& user);
  std::optional<uint32_t> gid(const std::string& group);

 private:
  std::mutex mutex_;
  std::unordered_map<uint32_t, std::string> users_, groups_;
  std::unordered_map<std::string, std::optional<uint32_t>> uids_, gids_;
};

}  // namespace cb::os
