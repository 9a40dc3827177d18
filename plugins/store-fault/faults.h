// SPDX-License-Identifier: Apache-2.0
//
// The faults in force: rules of the options and of the control file, the state of a simulated
// crash, and the numbered log of everything injected. Thread-safe.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "control.h"
#include "cyberbackup/cpp/failure.hpp"
#include "cyberbackup/cpp/host.hpp"
#include "lower.h"
#include "schedule.h"

namespace store_fault {

// What a call has to do wrong by itself; the rest has been done to it by Faults::meet.
struct Effect {
  Kind kind = Kind::delay;  // delay: nothing
  uint64_t dice = 0;
  uint64_t event = 0;   // its number in the log
  std::string message;  // of the failure it reports
  int64_t value = 0;

  // The I/O error that torn and unsaid calls end with.
  [[nodiscard]] cyberbackup::sdk::Failure failure() const;
};

class Faults {
 public:
  Faults(const cyberbackup::sdk::Host& host, const Lower& lower, std::vector<Rule> rules,
         uint64_t seed, std::string_view control);

  // A call begins, on a handle made in `generation`: delays it, or throws what it is to fail with.
  // Effects that need the call's own work come back; crash only for put_commit and remove.
  Effect meet(Function function, std::string_view name, uint64_t generation);
  // The same for calls that begin a handle or have none.
  Effect meet(Function function, std::string_view name) {
    return meet(function, name, generation());
  }

  // Handles of an older generation did not survive a crash.
  [[nodiscard]] uint64_t generation();
  [[nodiscard]] Standing standing();

  // An object was committed; a crash may lose the newest of them.
  void committed(const std::string& name);

  // The crash of `effect`: takes the store down and throws.
  [[noreturn]] void crash(const Effect& effect);

  // A fault that no rule of calls made (the budget): logs it; its failure.
  cyberbackup::sdk::Failure no_space(std::string_view name);

 private:
  std::vector<Strike> judge(Function function, std::string_view name, uint64_t generation);
  void look_at_control();
  void settle(const Schedule& control);
  std::vector<std::string> take_down(int64_t losing);
  void lose(const std::vector<std::string>& names);
  uint64_t log_event(const std::string& text);
  void wait(int64_t duration_ns) const;

  cyberbackup::sdk::Host host_;
  const Lower& lower_;
  const uint64_t seed_;

  std::mutex mutex_;
  // Under mutex_:
  Schedule own_;
  Schedule controlled_;
  Control control_;
  Standing standing_;
  bool crashed_ = false;
  uint64_t generation_ = 0;
  uint64_t events_ = 0;
  std::deque<std::string> newest_;  // committed objects, newest last
  std::vector<std::string> lost_;   // by a crash, still to be removed below
};

}  // namespace store_fault
