// SPDX-License-Identifier: Apache-2.0
//
// See faults.h.
#include "faults.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

namespace store_fault {

namespace sdk = cyberbackup::sdk;

namespace {

constexpr size_t kRemembered = 4096;  // committed objects that a crash can lose
constexpr uint64_t kOwnRules = 0;
constexpr uint64_t kControlRules = 1;
constexpr const char* kDown =
    "simulated crash: the store is down until it is opened again or the control file says recover";

int errno_of(cb_status status) {
  switch (status) {
    case CB_E_IO:
      return EIO;
    case CB_E_NO_SPACE:
      return ENOSPC;
    case CB_E_DENIED:
      return EACCES;
    default:
      return 0;
  }
}

uint32_t flags_of(cb_status status) {
  const bool passes = status == CB_E_BUSY || status == CB_E_TIMEOUT;
  return passes ? uint32_t{CB_ERROR_RETRY} : 0u;
}

std::string described(Function function, std::string_view name, const Strike& strike) {
  return std::string(name_of(function)) + " of \"" + std::string(name) + "\", rule " +
         strike.rule.text + ", its call " + std::to_string(strike.call);
}

}  // namespace

sdk::Failure Effect::failure() const { return {CB_E_IO, message, EIO}; }

Faults::Faults(const sdk::Host& host, const Lower& lower, std::vector<Rule> rules, uint64_t seed,
               std::string_view control)
    : host_(host),
      lower_(lower),
      seed_(seed),
      own_(std::move(rules), seed, kOwnRules),
      control_(control) {
  settle({});
  look_at_control();
}

// As information: a host holds back warnings that come in numbers, and every fault is to be told.
uint64_t Faults::log_event(const std::string& text) {
  const uint64_t event = ++events_;
  host_.log(CB_LOG_INFO, "fault " + std::to_string(event) + ": " + text);
  return event;
}

// Puts the rules of the whole store into force; under mutex_, or before there are others.
void Faults::settle(const Schedule& control) {
  const bool was_down = standing_.down;
  Standing now;
  own_.apply(now);
  control.apply(now);
  standing_ = now;
  if (now.recover) crashed_ = false;
  if (!now.down || was_down) return;
  log_event("crash");
  lost_ = take_down(now.down_loses);
}

// Under mutex_. What cannot be read or understood changes nothing.
void Faults::look_at_control() {
  try {
    if (!control_.changed()) return;
    Schedule fresh(parse_lines(control_.text()), seed_, kControlRules);
    settle(fresh);
    controlled_ = std::move(fresh);
    host_.log(CB_LOG_INFO, control_.path() + ": " + std::to_string(controlled_.size()) +
                               " rules of faults are in force now");
  } catch (const sdk::Failure& failure) {
    host_.log(CB_LOG_ERROR,
              control_.path() + ": " + failure.what() + "; the rules in force stay as they are");
  }
}

// Under mutex_: ends all handles; the names of the `losing` newest objects.
std::vector<std::string> Faults::take_down(int64_t losing) {
  ++generation_;
  std::vector<std::string> names;
  for (; losing > 0 && !newest_.empty(); --losing) {
    names.push_back(std::move(newest_.back()));
    newest_.pop_back();
  }
  return names;
}

void Faults::lose(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    try {
      lower_.remove(name);
      host_.log(CB_LOG_INFO, "the crash lost \"" + name + "\", which had been committed");
    } catch (const sdk::Failure& failure) {
      if (failure.status() != CB_E_NOT_FOUND) throw;  // else removed meanwhile
    }
  }
}

std::vector<Strike> Faults::judge(Function function, std::string_view name, uint64_t generation) {
  std::vector<std::string> lost;
  std::vector<Strike> strikes;
  bool down = false;
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    look_at_control();
    lost.swap(lost_);
    down = crashed_ || standing_.down || generation != generation_;
    if (!down) {
      own_.judge(function, name, strikes);
      controlled_.judge(function, name, strikes);
    }
  }
  lose(lost);
  if (down) throw sdk::Failure(CB_E_IO, kDown, EIO);
  return strikes;
}

Effect Faults::meet(Function function, std::string_view name, uint64_t generation) {
  Effect effect;
  for (const Strike& strike : judge(function, name, generation)) {
    const Rule& rule = strike.rule;
    const std::string text = described(function, name, strike);
    uint64_t event = 0;
    {
      const std::lock_guard<std::mutex> hold(mutex_);
      event = log_event(text);
    }
    if (rule.kind == Kind::delay) {
      wait(rule.value);
      continue;
    }
    const std::string message = "injected fault " + std::to_string(event) + ": " + text;
    if (rule.kind == Kind::fail)
      throw sdk::Failure(rule.status, message, errno_of(rule.status), flags_of(rule.status));
    effect = {rule.kind, strike.dice, event, message, rule.value};
    break;
  }
  const bool may_have_happened = function == Function::put_commit || function == Function::remove;
  if (effect.kind == Kind::crash && !may_have_happened) crash(effect);
  return effect;
}

void Faults::wait(int64_t duration_ns) const {
  constexpr int64_t kSlice = 10'000'000;
  const uint64_t begun = host_.monotonic_ns();
  for (;;) {
    const auto passed = static_cast<int64_t>(host_.monotonic_ns() - begun);
    if (passed >= duration_ns) return;
    if (host_.cancelled()) throw sdk::Failure(CB_E_CANCELLED, "an injected delay was cancelled");
    std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(kSlice, duration_ns - passed)));
  }
}

uint64_t Faults::generation() {
  const std::lock_guard<std::mutex> hold(mutex_);
  return generation_;
}

Standing Faults::standing() {
  const std::lock_guard<std::mutex> hold(mutex_);
  return standing_;
}

void Faults::committed(const std::string& name) {
  const std::lock_guard<std::mutex> hold(mutex_);
  newest_.push_back(name);
  if (newest_.size() > kRemembered) newest_.pop_front();
}

void Faults::crash(const Effect& effect) {
  std::vector<std::string> lost;
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    crashed_ = true;
    lost = take_down(effect.value);
  }
  lose(lost);
  throw effect.failure();
}

sdk::Failure Faults::no_space(std::string_view name) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const std::string text = "put_write of \"" + std::string(name) + "\", the budget is used up";
  const uint64_t event = log_event(text);
  return {CB_E_NO_SPACE, "injected fault " + std::to_string(event) + ": " + text, ENOSPC};
}

}  // namespace store_fault
