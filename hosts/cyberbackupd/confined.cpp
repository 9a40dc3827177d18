// SPDX-License-Identifier: Apache-2.0
#include "confined.h"

#include "core/os/account_names.h"
#include "core/os/call_filter.h"

namespace cb::host {
namespace {

// A sanitizer looks for leaks with calls that only an intruder makes otherwise.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

}  // namespace

Result<bool> Confined::begin(const server::ConfinementSettings& settings) {
  settings_ = settings;
  if (!settings_.user.empty() && os::is_root()) {
    CB_ASSIGN(rights_, os::LowerRights::take(settings_.user));
  } else if (!settings_.user.empty() &&
             os::AccountNames().uid(settings_.user) != os::effective_uid()) {
    return failed(Code::denied, "confinement.user", "is another user than who starts the daemon",
                  "start it as root or as " + settings_.user);
  }
  if (settings_.filter) CB_TRY(os::forbid_new_rights());
  return rights_.has_value();
}

void Confined::lay_into(server::Seams& seams, log::Log& log) {
  seams.binding = [this](const std::function<Status()>& bind) {
    return rights_ ? rights_->while_binding(bind) : bind();
  };
  seams.before_serving = [this, &log]() -> Status {
    if (rights_) CB_TRY(rights_->give_up());
    return filter(log);
  };
}

Status Confined::filter(log::Log& log) const {
  if (!settings_.filter || kIsSanitized) {
    log.warn("confinement.no-filter",
             {{"why", kIsSanitized ? "built with a sanitizer" : "confinement.filter is false"}});
    return {};
  }
  const Status done = os::filter_calls(settings_.calls);
  if (done || done.error().code != Code::unsupported) return done;
  log.warn("confinement.no-filter",
           {{"why", done.error().text()},
            {"advice", "the daemon serves without it; let the container use seccomp"}});
  return {};
}

void Confined::tell(log::Log& log) const {
  if (os::is_root())
    log.warn("confinement.root",
             {{"advice", "name a user with confinement.user, or start it as one"}});
  const SecretMemory secrets = secret_memory();
  if (secrets.problem != 0)
    log.warn("confinement.secrets-not-locked",
             {{"bytes", secrets.unlocked},
              {"why", fail_errno(secrets.problem, "", "lock memory").cause},
              {"advice", "raise LimitMEMLOCK (ulimit -l), or encrypt the swap"}});
}

}  // namespace cb::host
