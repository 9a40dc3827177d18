// SPDX-License-Identifier: Apache-2.0
#include "bench/mix/figures.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "bench/load_v4_daemon.h"

namespace cb::bench {
namespace {

constexpr size_t kMostReasons = 20;

bool comes_by_the_clock(Act act) { return act == Act::heartbeat || act == Act::job; }

size_t index_of(Act act) { return static_cast<size_t>(act); }
size_t index_of(Phase phase) { return static_cast<size_t>(phase); }

}  // namespace

const char* name_of(Act act) {
  constexpr std::array<const char*, kActs> kNames = {"login",       "resume",    "heartbeat",
                                                     "backup",      "restore",   "forget",
                                                     "v3_register", "v3_upload", "job"};
  return kNames.at(index_of(act));
}

const char* name_of(Phase phase) {
  constexpr std::array<const char*, kPhases> kNames = {"warm_up", "full", "half", "soak", "after"};
  return kNames.at(index_of(phase));
}

void Figures::succeeded(Act act, double seconds) {
  samples_.at(index_of(phase_)).at(index_of(act)).push_back(seconds);
}

void Figures::failed(Act act, const Error& why) {
  ++failures_.at(index_of(act));
  if (told_.size() < kMostReasons && ++told_[name_of(act) + (": " + why.text())] == 1)
    std::fprintf(stderr, "load: %s: %s: %s\n", name_of(phase_), name_of(act), why.text().c_str());
}

const Figures::Samples& Figures::of(Phase phase, Act act) const {
  return samples_.at(index_of(phase)).at(index_of(act));
}

size_t Figures::count(Phase phase, Act act) const { return of(phase, act).size(); }

size_t Figures::done(Phase phase) const {
  size_t sum = 0;
  for (size_t i = 0; i < kActs; ++i)
    if (!comes_by_the_clock(static_cast<Act>(i))) sum += count(phase, static_cast<Act>(i));
  return sum;
}

size_t Figures::failures() const {
  return std::accumulate(failures_.begin(), failures_.end(), size_t{0});
}

double Figures::quantile(Phase phase, Act act, double part) const {
  Samples sorted = of(phase, act);
  if (sorted.empty()) return 0;
  const auto at = static_cast<ptrdiff_t>(part * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), sorted.begin() + at, sorted.end());
  return sorted[static_cast<size_t>(at)];
}

void Figures::tell_all() const {
  for (const Phase phase : {Phase::warm_up, Phase::full, Phase::half, Phase::soak})
    for (size_t i = 0; i < kActs; ++i) {
      const auto act = static_cast<Act>(i);
      if (of(phase, act).empty()) continue;
      const std::string name = std::string(name_of(phase)) + "_" + name_of(act);
      tell(name, static_cast<double>(count(phase, act)), "acts");
      tell_latency(name, of(phase, act));
      tell(name + "_longest", quantile(phase, act, 1) * 1e3, "ms", 2);
    }
  for (size_t i = 0; i < kActs; ++i)
    tell(std::string(name_of(static_cast<Act>(i))) + "_errors",
         static_cast<double>(failures_.at(i)), "errors");
}

}  // namespace cb::bench
