// SPDX-License-Identifier: Apache-2.0
//
// The daemon's jobs, run one after the other beside the load by a thread of its own, as an operator
// would. Outcomes after `end`.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "core/base/result.h"

namespace cb::bench {

class Upkeep {
 public:
  // Begins; `admin` is the daemon's socket.
  explicit Upkeep(std::string admin);
  ~Upkeep() { end(); }
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;

  // Waits for the job that runs.
  void end();
  // Seconds that each run took, and what failed.
  [[nodiscard]] const std::map<std::string, std::vector<double>>& runs() const { return runs_; }
  [[nodiscard]] const std::vector<Error>& failures() const { return failures_; }

 private:
  void run();

  const std::string admin_;
  std::atomic<bool> over_{false};
  std::map<std::string, std::vector<double>> runs_;  // the thread's, until it has ended
  std::vector<Error> failures_;                      // as these
  std::thread thread_;
};

}  // namespace cb::bench
