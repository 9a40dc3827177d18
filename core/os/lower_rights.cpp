// SPDX-License-Identifier: Apache-2.0
#include "core/os/lower_rights.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <vector>

namespace cb::os {
namespace {

constexpr uint32_t kBindsLowPorts = 1U << CAP_NET_BIND_SERVICE;
constexpr const char* kRights = "rights of this process";

struct UserOfSystem {
  uid_t user = 0;
  gid_t group = 0;
};

std::optional<UserOfSystem> user_of_system(const std::string& name) {
  std::vector<char> buffer(1U << 16);
  passwd record{};
  passwd* found = nullptr;
  if (::getpwnam_r(name.c_str(), &record, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr)
    return std::nullopt;
  return UserOfSystem{record.pw_uid, record.pw_gid};
}

// Of the calling thread alone.
Status set_capabilities(uint32_t effective, uint32_t permitted) {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  data[0] = {effective, permitted, 0};
  if (::syscall(SYS_capset, &head, data.data()) == 0) return {};
  return failed(fail_errno(errno, kRights, "set capabilities"));
}

// All that it may have; everything when the system does not say.
uint64_t permitted_capabilities() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  if (::syscall(SYS_capget, &head, data.data()) != 0) return UINT64_MAX;
  return uint64_t{data[1].permitted} << 32 | data[0].permitted;
}

// What no program that is started later can have. Root without the right to do so has few others.
void empty_bounding_set() {
  for (unsigned long one = 0; ::prctl(PR_CAPBSET_READ, one, 0, 0, 0) >= 0; ++one)
    static_cast<void>(::prctl(PR_CAPBSET_DROP, one, 0, 0, 0));
}

}  // namespace

bool is_root() { return ::geteuid() == 0; }

// Root stays in reserve as the saved user alone, and with it no capability but the one. Once no
// user number is 0 the system takes that, too, from every thread.
Result<LowerRights> LowerRights::take(const std::string& name) {
  if (!is_root())
    return failed(Code::denied, kRights, "only root can become user " + name,
                  "start it as root, or as that user without naming it");
  const auto user = user_of_system(name);
  if (!user || user->user == 0)
    return failed(user ? Code::invalid : Code::not_found, "user " + name,
                  user ? "is root" : "is not known to the system",
                  "make one for the daemon: useradd --system cyberbackup");
  empty_bounding_set();
  const auto kept = static_cast<uint32_t>(permitted_capabilities()) & kBindsLowPorts;
  if (::initgroups(name.c_str(), user->group) != 0 ||
      ::setresgid(user->group, user->group, user->group) != 0 ||
      ::setresuid(user->user, user->user, 0) != 0)
    return failed(fail_errno(errno, "user " + name, "take its rights"));
  CB_TRY(set_capabilities(0, kept));
  // Changing users has made it readable for others again, if the system is told so.
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return failed(fail_errno(errno, kRights, "close memory"));
  return LowerRights(user->user, user->group, kept);
}

Status LowerRights::while_binding(const std::function<Status()>& bind) const {
  CB_TRY(set_capabilities(kept_, kept_));
  Status bound = bind();
  CB_TRY(set_capabilities(0, kept_));
  return bound;
}

Status LowerRights::give_up() const {
  if (::setresuid(user_, user_, user_) != 0)
    return failed(fail_errno(errno, kRights, "give up root"));
  uid_t real = 0, effective = 0, saved = 0;
  gid_t real_group = 0, effective_group = 0, saved_group = 0;
  ::getresuid(&real, &effective, &saved);
  ::getresgid(&real_group, &effective_group, &saved_group);
  const bool is_user = real == user_ && effective == user_ && saved == user_;
  const bool is_group = real_group == group_ && effective_group == group_ && saved_group == group_;
  if (!is_user || !is_group || permitted_capabilities() != 0 || ::setuid(0) == 0)
    return failed(Code::internal, kRights, "root was not given up");
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return failed(fail_errno(errno, kRights, "close memory"));
  return {};
}

}  // namespace cb::os
