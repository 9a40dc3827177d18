// SPDX-License-Identifier: Apache-2.0
#include "core/os/call_filter.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <set>

#include "core/os/call_names.h"

namespace cb::os {
namespace {

using FilterContext = std::unique_ptr<void, decltype(&seccomp_release)>;

// No table of calls is as long.
constexpr int kMostCalls = 1024;

Error filter_failed(int error, const char* doing) {
  Error why = fail_errno(-error, "filter of system calls", doing);
  why.code = Code::internal;
  return why;
}

// What the system says when it has no filters, or whoever confined this process forbids more.
bool is_of_system(int error) {
  return error == -EINVAL || error == -ENOSYS || error == -EPERM || error == -EACCES ||
         error == -ECANCELED || error == -EFAULT;
}

// What argument `index` of a call has to be. Only a comparison under a mask needs the second value.
scmp_arg_cmp argument(unsigned index, scmp_compare comparison, scmp_datum_t value,
                      scmp_datum_t masked = 0) {
  return {index, comparison, value, masked};
}

// The name of a number that the library knows.
bool is_known_call(int number) {
  const std::unique_ptr<char, decltype(&std::free)> name(
      seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number), &std::free);
  return name != nullptr;
}

class CallFilter {
 public:
  // What no rule names is younger than this program: it hears what an older system would say.
  CallFilter() : context_(seccomp_init(SCMP_ACT_ERRNO(ENOSYS)), &seccomp_release) {}

  Status build(const std::vector<std::string>& further) {
    if (context_ == nullptr) return failed(filter_failed(-ENOMEM, "make it"));
    CB_TRY(set(SCMP_FLTATR_CTL_TSYNC, 1));
    CB_TRY(set(SCMP_FLTATR_CTL_NNP, 1));
    CB_TRY(set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
    // Slower processors' mitigations are not for who runs only code of its own.
    CB_TRY(set(SCMP_FLTATR_CTL_SSB, 1));
    CB_TRY(set(SCMP_FLTATR_CTL_OPTIMIZE, 2));
    for (const std::string& name : further) CB_TRY(add(SCMP_ACT_ALLOW, name));
    further_ = ruled_;
    for (const std::string& name : allowed_calls()) CB_TRY(add(SCMP_ACT_ALLOW, name));
    for (const std::string& name : deadly_calls()) CB_TRY(add(SCMP_ACT_KILL_PROCESS, name));
    CB_TRY(add_judged());
    return refuse_others();
  }

  Status load() {
    const int done = seccomp_load(context_.get());
    if (done == 0) return {};
    Error why = filter_failed(done, "put it in force");
    if (is_of_system(done)) why.code = Code::unsupported;
    return failed(std::move(why));
  }

 private:
  Status set(scmp_filter_attr attribute, uint32_t value) {
    const int done = seccomp_attr_set(context_.get(), attribute, value);
    // Older kernels know not all of them.
    if (done == 0 || attribute == SCMP_FLTATR_CTL_SSB || attribute == SCMP_FLTATR_CTL_OPTIMIZE)
      return {};
    return failed(filter_failed(done, "set it up"));
  }

  // The first rule for a call holds. What this machine has not needs none.
  Status add(uint32_t action, const std::string& name) {
    const int number = seccomp_syscall_resolve_name(name.c_str());
    if (number < 0 || !ruled_.insert(number).second) return {};
    const int done = seccomp_rule_add(context_.get(), action, number, 0);
    return done == 0 ? Status() : failed(filter_failed(done, name.c_str()));
  }

  Status add_if(uint32_t action, const char* name, const scmp_arg_cmp& condition) {
    const int number = seccomp_syscall_resolve_name(name);
    if (further_.contains(number)) return {};
    ruled_.insert(number);
    const int done = seccomp_rule_add_array(context_.get(), action, number, 1, &condition);
    return done == 0 ? Status() : failed(filter_failed(done, name));
  }

  // Calls that may be made in some ways.
  Status add_judged() {
    // Threads and programs, but no name spaces: those are how an intruder gets at more of the
    // system. What clone3 is told the filter cannot see, so the library is to find none of it, and
    // use clone.
    constexpr scmp_datum_t kSpaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                     CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
    CB_TRY(add_if(SCMP_ACT_ALLOW, "clone", argument(0, SCMP_CMP_MASKED_EQ, kSpaces, 0)));
    for (scmp_datum_t space = 1; space <= kSpaces; space <<= 1)
      if ((kSpaces & space) != 0)
        CB_TRY(
            add_if(SCMP_ACT_KILL_PROCESS, "clone", argument(0, SCMP_CMP_MASKED_EQ, space, space)));
    ruled_.insert(seccomp_syscall_resolve_name("clone3"));
    for (const int family : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK})
      CB_TRY(add_if(SCMP_ACT_ALLOW, "socket",
                    argument(0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(family))));
    // Nobody types into a terminal for somebody else.
    CB_TRY(add_if(SCMP_ACT_ALLOW, "ioctl", argument(1, SCMP_CMP_NE, TIOCSTI)));
    CB_TRY(add_if(SCMP_ACT_ALLOW, "personality", argument(0, SCMP_CMP_EQ, PER_LINUX)));
    return add_if(SCMP_ACT_ALLOW, "personality", argument(0, SCMP_CMP_EQ, 0xffffffff));
  }

  Status refuse_others() {
    for (int number = 0; number < kMostCalls; ++number) {
      if (ruled_.contains(number) || !is_known_call(number)) continue;
      const int done = seccomp_rule_add(context_.get(), SCMP_ACT_ERRNO(EPERM), number, 0);
      if (done != 0) return failed(filter_failed(done, "refuse the other calls"));
    }
    return {};
  }

  FilterContext context_;
  std::set<int> ruled_;
  std::set<int> further_;  // what is allowed whatever it is told
};

}  // namespace

Status check_call_names(const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (seccomp_syscall_resolve_name(name.c_str()) < 0)
      return failed(Code::invalid, "'" + name + "'", "is no system call of this machine",
                    "write names as in the manual's section 2: ioprio_set");
  return {};
}

Status filter_calls(const std::vector<std::string>& further) {
  CB_TRY(check_call_names(further));
  CallFilter filter;
  CB_TRY(filter.build(further));
  return filter.load();
}

Status forbid_new_rights() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) return {};
  return failed(fail_errno(errno, "this process", "forbid new rights"));
}

Confinement confinement() {
  Confinement found;
  std::ifstream status("/proc/thread-self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Seccomp:")) found.filters_calls = line.find('2') != std::string::npos;
    if (line.starts_with("NoNewPrivs:"))
      found.has_no_new_rights = line.find('1') != std::string::npos;
  }
  return found;
}

}  // namespace cb::os
