// SPDX-License-Identifier: Apache-2.0
//
// What became of the acts of well-behaved clients: how long each took, by phase, and what failed.
// For one thread.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace cb::bench {

enum class Act { login, resume, heartbeat, backup, restore, forget, v3_register, v3_upload, job };
constexpr size_t kActs = 9;
const char* name_of(Act act);

enum class Phase { warm_up, full, half, soak, after };
constexpr size_t kPhases = 5;
const char* name_of(Phase phase);

class Figures {
 public:
  void enter(Phase phase) { phase_ = phase; }
  [[nodiscard]] Phase phase() const { return phase_; }

  void succeeded(Act act, double seconds);
  // Prints the first few reasons.
  void failed(Act act, const Error& why);

  // Acts that ended well in a phase; heartbeats and jobs, which come by the clock, left out.
  [[nodiscard]] size_t done(Phase phase) const;
  [[nodiscard]] size_t failures() const;
  // Quantile `part` of an act in a phase, in seconds; 0 without samples.
  [[nodiscard]] double quantile(Phase phase, Act act, double part) const;
  [[nodiscard]] size_t count(Phase phase, Act act) const;
  // Prints count, p50, p99 and longest of each act in each phase, and failures by act.
  void tell_all() const;

 private:
  using Samples = std::vector<double>;
  [[nodiscard]] const Samples& of(Phase phase, Act act) const;

  Phase phase_ = Phase::warm_up;
  std::array<std::array<Samples, kActs>, kPhases> samples_;
  std::array<size_t, kActs> failures_{};
  std::map<std::string, size_t> told_;
};

}  // namespace cb::bench
