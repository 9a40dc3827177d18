// SPDX-License-Identifier: Apache-2.0
#include "core/os/account_names.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace cb::os {
namespace {

// Calls one of the get...r functions with a buffer that is large enough; `take` reads the record.
template <typename Record, typename Key, typename Value>
std::optional<Value> ask(int (*call)(Key, Record*, char*, size_t, Record**), Key key,
                         Value (*take)(const Record&)) {
  std::vector<char> buffer(1024);
  while (true) {
    Record record{};
    Record* found = nullptr;
    const int problem = call(key, &record, buffer.data(), buffer.size(), &found);
    if (problem == 0) return found == nullptr ? std::nullopt : std::optional<Value>(take(record));
    if (problem != ERANGE || buffer.size() > (1U << 20)) return std::nullopt;
    buffer.resize(buffer.size() * 4);
  }
}

std::string user_name(const passwd& record) { return record.pw_name; }
uint32_t user_number(const passwd& record) { return record.pw_uid; }
std::string group_name(const group& record) { return record.gr_name; }
uint32_t group_number(const group& record) { return record.gr_gid; }

}  // namespace

uint32_t effective_uid() { return ::geteuid(); }

std::string AccountNames::user(uint32_t uid) {
  const std::lock_guard lock(mutex_);
  const auto known = users_.find(uid);
  if (known != users_.end()) return known->second;
  return users_[uid] = ask<passwd, uid_t, std::string>(::getpwuid_r, uid, user_name).value_or("");
}

std::string AccountNames::group(uint32_t gid) {
  const std::lock_guard lock(mutex_);
  const auto known = groups_.find(gid);
  if (known != groups_.end()) return known->second;
  return groups_[gid] =
             ask<struct group, gid_t, std::string>(::getgrgid_r, gid, group_name).value_or("");
}

std::optional<uint32_t> AccountNames::uid(const std::string& user) {
  if (user.empty() || user.find('\0') != std::string::npos) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto known = uids_.find(user);
  if (known != uids_.end()) return known->second;
  return uids_[user] = ask<passwd, const char*, uint32_t>(::getpwnam_r, user.c_str(), user_number);
}

std::optional<uint32_t> AccountNames::gid(const std::string& group) {
  if (group.empty() || group.find('\0') != std::string::npos) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto known = gids_.find(group);
  if (known != gids_.end()) return known->second;
  return gids_[group] =
             ask<struct group, const char*, uint32_t>(::getgrnam_r, group.c_str(), group_number);
}

}  // namespace cb::os
