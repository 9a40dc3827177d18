// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/gate.h"

#include <cstring>
#include <utility>

#include "core/base/units.h"

namespace cb::plugin {
namespace {

// What the status means when the plugin gave no message.
const char* plain_words(cb_status status) {
  switch (status) {
    case CB_E_INVALID:
      return "an argument or option is wrong";
    case CB_E_NOT_FOUND:
      return "does not exist";
    case CB_E_EXISTS:
      return "exists already";
    case CB_E_DENIED:
      return "not permitted";
    case CB_E_IO:
      return "the system failed to move the bytes";
    case CB_E_NO_SPACE:
      return "no space left";
    case CB_E_CORRUPT:
      return "malformed data";
    case CB_E_AUTH:
      return "did not verify";
    case CB_E_UNSUPPORTED:
      return "not supported";
    case CB_E_TIMEOUT:
      return "took too long";
    case CB_E_CANCELLED:
      return "cancelled";
    case CB_E_NO_MEMORY:
      return "out of memory";
    case CB_E_BUSY:
      return "in use";
    case CB_E_LIMIT:
      return "beyond a limit";
    case CB_E_TOO_SMALL:
      return "the output does not fit";
    case CB_E_CLOSED:
      return "the peer is gone";
    case CB_E_STATE:
      return "not possible now";
    default:
      return "internal fault";
  }
}

bool is_listed(const Function& function, cb_status status) {
  if (status < 0) return status >= CB_E_INTERNAL;
  return status <= CB_MORE && (function.positives & (1U << status)) != 0;
}

}  // namespace

std::string one_line(const char* text, size_t capacity) {
  std::string line(text, strnlen(text, capacity));
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

Gate::Gate(std::string plugin_id, log::Log* log, const os::Clock& clock, GateLimits limits)
    : plugin_id_(std::move(plugin_id)), log_(log), clock_(clock), limits_(limits) {}

Gate::Visit::Visit(Gate& gate, const Function& function)
    : gate_(gate), function_(function), outer_(current_crumb) {
  current_crumb = {gate.plugin_id_.c_str(), function.name};
  if (function.tag == Tag::io) begun_ = gate.clock_.monotonic();
}

Gate::Visit::~Visit() {
  current_crumb = outer_;
  if (function_.tag == Tag::io) gate_.took(function_, gate_.clock_.monotonic() - begun_);
}

Result<cb_status> Gate::judge(const Function& function, cb_status status, const cb_error& error) {
  // An exception was reported already; enter() made it CB_E_INTERNAL.
  if (status == CB_E_INTERNAL && quarantined()) return failed(refusal(Code::internal));
  if (!is_listed(function, status))
    return failed(violation(function, "returned status " + std::to_string(status) +
                                          ", which this function may not return"));
  if (status > 0) return status;
  failures_.fetch_add(1, std::memory_order_relaxed);
  Error result;
  result.code = static_cast<Code>(status);
  result.object = plugin_id_;
  result.cause = one_line(error.message, sizeof error.message);
  if (result.cause.empty()) result.cause = std::string(function.name) + ": " + plain_words(status);
  result.os_errno = error.os_errno;
  if ((error.flags & CB_ERROR_RETRY) != 0) result.retry = Retry::yes;
  if ((error.flags & CB_ERROR_PERMANENT) != 0) result.retry = Retry::no;
  return failed(std::move(result));
}

Error Gate::violation(const Function& function, const std::string& what) {
  quarantine(function, what);
  return refusal(Code::internal);
}

void Gate::threw(const Function& function, const char* what) {
  quarantine(function, "threw an exception: " + one_line(what, 400));
}

void Gate::quarantine(const Function& function, const std::string& what) {
  violations_.fetch_add(1, std::memory_order_relaxed);
  const std::string reason = std::string(function.name) + " " + what;
  {
    const std::lock_guard lock(mutex_);
    if (quarantined()) return;
    reason_ = reason;
    quarantined_.store(true, std::memory_order_release);
  }
  if (log_ != nullptr)
    log_->error("plugin.quarantined",
                {{"plugin", plugin_id_}, {"function", function.name}, {"reason", reason}});
}

Error Gate::refusal(Code code) const {
  return fail(code, plugin_id_, "broke the plugin contract and is quarantined: " + reason(),
              "restart to use it again; report this to the plugin's author");
}

void Gate::took(const Function& function, std::chrono::nanoseconds time) {
  int64_t slowest = slowest_io_ns_.load(std::memory_order_relaxed);
  while (time.count() > slowest &&
         !slowest_io_ns_.compare_exchange_weak(slowest, time.count(), std::memory_order_relaxed)) {
  }
  if (time <= limits_.slow) [[likely]]
    return;
  slow_calls_.fetch_add(1, std::memory_order_relaxed);
  uint64_t unreported = 0;
  {
    const std::lock_guard lock(mutex_);
    if (time > limits_.stuck) {
      unhealthy_.store(true, std::memory_order_relaxed);
      if (reason_.empty())
        reason_ = std::string(function.name) + " blocked for " + format_duration(time);
    }
    const auto now = clock_.monotonic();
    if (warned_ && now - last_warning_ < limits_.warn_every) {
      ++unreported_;
      return;
    }
    warned_ = true;
    last_warning_ = now;
    unreported = std::exchange(unreported_, 0);
  }
  if (log_ != nullptr)
    log_->warn("plugin.slow", {{"plugin", plugin_id_},
                               {"function", function.name},
                               {"took", format_duration(time)},
                               {"limit", format_duration(limits_.slow)},
                               {"unreported", unreported}});
}

std::string Gate::reason() const {
  const std::lock_guard lock(mutex_);
  return reason_;
}

GateCounters Gate::counters() const {
  GateCounters now;
  now.calls = calls_.load(std::memory_order_relaxed);
  now.failures = failures_.load(std::memory_order_relaxed);
  now.violations = violations_.load(std::memory_order_relaxed);
  now.slow_calls = slow_calls_.load(std::memory_order_relaxed);
  now.slowest_io = std::chrono::nanoseconds(slowest_io_ns_.load(std::memory_order_relaxed));
  return now;
}

}  // namespace cb::plugin
