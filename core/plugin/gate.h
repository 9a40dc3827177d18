// SPDX-License-Identifier: Apache-2.0
//
// The gate: the one place that calls through a plugin's pointers. It stops exceptions, checks what
// comes back against the contract, times the call, and leaves a crumb that a fatal handler can
// read. An instance that broke the contract is quarantined: it is not entered again except by its
// enders. A Gate is thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <type_traits>

#include "core/base/result.h"
#include "core/log/log.h"
#include "core/os/clock.h"
#include "cyberbackup/base.h"

namespace cb::plugin {

// The thread rule of an ABI function (plugin-api base.h).
enum class Tag : uint8_t { setup, io, blocking, any };

// Positive statuses that an ABI function may return, as bits.
constexpr uint32_t kMayWant = (1U << CB_WANT_READ) | (1U << CB_WANT_WRITE);
constexpr uint32_t kMayWantRead = 1U << CB_WANT_READ;
constexpr uint32_t kMayEnd = 1U << CB_END;
constexpr uint32_t kMayMore = 1U << CB_MORE;

// What the gate knows of one ABI function.
struct Function {
  const char* name;  // as in the header: "put_write"
  Tag tag;
  uint32_t positives = 0;
};

// Which plugin this thread is in. Both are null outside of any plugin.
struct Crumb {
  const char* plugin = nullptr;
  const char* function = nullptr;
};

// The crumb of the calling thread; may be read in a signal handler of that thread.
inline constinit thread_local Crumb current_crumb;

struct GateLimits {
  std::chrono::nanoseconds slow = std::chrono::milliseconds(20);   // of an [io] call: warned about
  std::chrono::nanoseconds stuck = std::chrono::seconds(2);        // of an [io] call: unhealthy
  std::chrono::nanoseconds warn_every = std::chrono::seconds(10);  // at most one warning in this
};

// Figures for status; each is read on its own.
struct GateCounters {
  uint64_t calls = 0;
  uint64_t failures = 0;    // negative statuses
  uint64_t violations = 0;  // exceptions and broken contracts
  uint64_t slow_calls = 0;
  std::chrono::nanoseconds slowest_io{0};
};

class Gate {
 public:
  // `log` may be null; both must outlive the gate.
  Gate(std::string plugin_id, log::Log* log, const os::Clock& clock, GateLimits limits = {});

  // Calls an ABI function that returns a status. When its last parameter is a cb_error and `args`
  // are one short, the gate supplies it. The value is CB_OK or one of function.positives.
  template <typename... P, typename... A>
  Result<cb_status> call(const Function& function, cb_status (*pointer)(P...), A... args) {
    cb_error error;
    error.size = sizeof error;
    error.status = CB_OK;
    error.os_errno = 0;
    error.flags = 0;
    error.message[0] = '\0';
    if (quarantined()) return failed(refusal(Code::state));
    const cb_status status = enter(function, cb_status{CB_E_INTERNAL}, [&]() -> cb_status {
      if constexpr (sizeof...(A) + 1 == sizeof...(P))
        return pointer(args..., &error);
      else
        return pointer(args...);
    });
    if (status == CB_OK) [[likely]]
      return status;
    return judge(function, status, error);
  }

  // Calls an ABI function that returns a plain value; `fallback` when it is not entered or throws.
  template <typename R, typename... P, typename... A>
  R query(const Function& function, R fallback, R (*pointer)(P...), A... args) {
    if (quarantined()) return fallback;
    return enter(function, fallback, [&] { return pointer(args...); });
  }

  // Calls an ender: also when quarantined.
  template <typename... P, typename... A>
  void end(const Function& function, void (*pointer)(P...), A... args) {
    enter(function, 0, [&] {
      pointer(args...);
      return 0;
    });
  }

  // Records that the plugin broke the contract, quarantines it, and returns the error for the
  // caller of the function.
  Error violation(const Function& function, const std::string& what);

  [[nodiscard]] const std::string& plugin_id() const { return plugin_id_; }
  [[nodiscard]] bool quarantined() const { return quarantined_.load(std::memory_order_acquire); }
  // An [io] call took so long that sessions on its thread stood still.
  [[nodiscard]] bool unhealthy() const { return unhealthy_.load(std::memory_order_relaxed); }
  // Why it was quarantined or is unhealthy; empty when it is neither.
  [[nodiscard]] std::string reason() const;
  [[nodiscard]] GateCounters counters() const;

 private:
  // Puts down the crumb and takes the time while a call runs; nests.
  class Visit {
   public:
    Visit(Gate& gate, const Function& function);
    ~Visit();
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    Gate& gate_;
    const Function& function_;
    Crumb outer_;
    std::chrono::nanoseconds begun_{0};
  };

  template <typename R, typename F>
  R enter(const Function& function, R fallback, F&& body) {
    calls_.fetch_add(1, std::memory_order_relaxed);
    const Visit visit(*this, function);
    try {
      return body();
    } catch (const std::exception& e) {
      threw(function, e.what());
    } catch (...) {
      threw(function, "an unknown type");
    }
    return fallback;
  }

  Result<cb_status> judge(const Function& function, cb_status status, const cb_error& error);
  void threw(const Function& function, const char* what);
  void quarantine(const Function& function, const std::string& what);
  void took(const Function& function, std::chrono::nanoseconds time);
  [[nodiscard]] Error refusal(Code code) const;

  const std::string plugin_id_;
  log::Log* const log_;
  const os::Clock& clock_;
  const GateLimits limits_;

  std::atomic<bool> quarantined_{false};
  std::atomic<bool> unhealthy_{false};
  std::atomic<uint64_t> calls_{0};
  std::atomic<uint64_t> failures_{0};
  std::atomic<uint64_t> violations_{0};
  std::atomic<uint64_t> slow_calls_{0};
  std::atomic<int64_t> slowest_io_ns_{0};

  mutable std::mutex mutex_;  // guards what follows
  std::string reason_;
  bool warned_ = false;
  std::chrono::nanoseconds last_warning_{0};
  uint64_t unreported_ = 0;
};

// Text from a plugin made fit for one line: cut at `capacity` or the first zero byte, control
// characters replaced.
std::string one_line(const char* text, size_t capacity);

}  // namespace cb::plugin
