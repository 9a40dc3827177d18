// SPDX-License-Identifier: Apache-2.0
//
// What a daemon takes, from /proc and its CPU clock, and the lines that figures are printed in.
// Functions block briefly; for any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace cb::bench {

// Prints "name value unit".
void tell(const std::string& name, double value, const std::string& unit, int digits = 0);
// Prints name_p50 and name_p99 of durations in seconds, in milliseconds.
void tell_latency(const std::string& name, std::vector<double> seconds);

struct DaemonTaken {
  double resident = 0;  // bytes
  double threads = 0;
  double descriptors = 0;
  double cpu = 0;     // seconds
  double kernel = 0;  // bytes of slabs and sockets of the whole machine, both ends
};

class DaemonProcess {
 public:
  explicit DaemonProcess(int pid) : pid_(pid) {}
  [[nodiscard]] DaemonTaken look() const;

 private:
  int pid_;
};

// The most memory and the fewest and most threads that a daemon has while this lives; a thread of
// its own looks every 20 ms.
class DaemonWatch {
 public:
  explicit DaemonWatch(const DaemonProcess& daemon);
  ~DaemonWatch();
  DaemonWatch(const DaemonWatch&) = delete;
  DaemonWatch& operator=(const DaemonWatch&) = delete;

  // Ends the watching and prints its figures.
  void tell_all();

 private:
  void end();

  const DaemonProcess& daemon_;
  DaemonTaken most_, least_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

}  // namespace cb::bench
