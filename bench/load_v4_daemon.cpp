// SPDX-License-Identifier: Apache-2.0
#include "bench/load_v4_daemon.h"

#include <ctime>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace cb::bench {
namespace {

constexpr double kKilobyte = 1024;
constexpr double kPage = 4096;

double field_of(const std::string& file, const std::string& name) {
  std::ifstream in(file);
  std::string word;
  double value = 0;
  while (in >> word)
    if (word == name && in >> value) return value;
  return 0;
}

double count_in(const std::string& folder) {
  std::error_code failed;
  std::filesystem::directory_iterator all(folder, failed);
  return failed ? 0 : static_cast<double>(std::distance(begin(all), end(all)));
}

double cpu_of(int pid) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// The pages of TCP sockets are no slabs.
double socket_pages() {
  std::ifstream in("/proc/net/sockstat");
  std::string word;
  double pages = 0;
  while (in >> word)
    if (word == "mem" && in >> pages) return pages;
  return 0;
}

}  // namespace

void tell(const std::string& name, double value, const std::string& unit, int digits) {
  std::printf("%s %.*f %s\n", name.c_str(), digits, value, unit.c_str());
  std::fflush(stdout);
}

void tell_latency(const std::string& name, std::vector<double> seconds) {
  if (seconds.empty()) return;
  std::sort(seconds.begin(), seconds.end());
  const auto part = [&](double of) {
    return seconds[static_cast<size_t>(of * static_cast<double>(seconds.size() - 1))] * 1e3;
  };
  tell(name + "_p50", part(0.5), "ms", 2);
  tell(name + "_p99", part(0.99), "ms", 2);
}

DaemonTaken DaemonProcess::look() const {
  const std::string proc = "/proc/" + std::to_string(pid_);
  DaemonTaken taken;
  taken.resident = field_of(proc + "/status", "VmRSS:") * kKilobyte;
  taken.threads = field_of(proc + "/status", "Threads:");
  taken.descriptors = count_in(proc + "/fd");
  taken.cpu = cpu_of(pid_);
  taken.kernel = field_of("/proc/meminfo", "Slab:") * kKilobyte + socket_pages() * kPage;
  return taken;
}

DaemonWatch::DaemonWatch(const DaemonProcess& daemon)
    : daemon_(daemon), most_(daemon.look()), least_(most_), thread_([this] {
        while (!over_) {
          const DaemonTaken now = daemon_.look();
          most_.resident = std::max(most_.resident, now.resident);
          most_.threads = std::max(most_.threads, now.threads);
          least_.threads = std::min(least_.threads, now.threads);
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
      }) {}

DaemonWatch::~DaemonWatch() { end(); }

void DaemonWatch::end() {
  over_ = true;
  if (thread_.joinable()) thread_.join();
}

void DaemonWatch::tell_all() {
  end();
  tell("daemon_rss_most", most_.resident / kKilobyte, "KiB");
  tell("daemon_threads_fewest", least_.threads, "threads");
  tell("daemon_threads_most", most_.threads, "threads");
}

}  // namespace cb::bench
