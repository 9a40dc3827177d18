// SPDX-License-Identifier: Apache-2.0
//
// What the daemon takes over time: a thread of its own looks at /proc and the metrics page every
// few seconds. `look` and what it returns are for any thread; the rest after `end`.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bench/load_v4_daemon.h"
#include "bench/mix/figures.h"
#include "bench/mix/plan.h"

namespace cb::bench {

struct Sample {
  double at = 0;  // seconds since the start
  Phase phase = Phase::warm_up;
  DaemonTaken taken;
  double sessions = 0;     // of protocols 3 and 4
  double buffers = 0;      // that are out
  double connections = 0;  // of all listeners
};

class Samples {
 public:
  // Begins to look. `plan` outlives it.
  explicit Samples(const MixPlan& plan);
  ~Samples() { end(); }
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;

  void enter(Phase phase) { phase_ = phase; }
  // A look of its own, now.
  [[nodiscard]] Sample look() const;
  // Ends the looking; again does nothing.
  void end();

  // Those of a phase.
  [[nodiscard]] std::vector<Sample> of(Phase phase) const;
  // Writes all of them, tab-separated with a heading.
  Status write(const std::string& file) const;

 private:
  void run();

  const MixPlan& plan_;
  const DaemonProcess daemon_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::atomic<Phase> phase_{Phase::warm_up};
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;            // guarded by mutex_
  std::vector<Sample> samples_;  // guarded by mutex_
  std::thread thread_;
};

// The slope of a line through what `value` gives of each sample, by least squares, a second; 0
// with fewer than three.
double slope_of(const std::vector<Sample>& samples, double (*value)(const Sample&));

}  // namespace cb::bench
