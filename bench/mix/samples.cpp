// SPDX-License-Identifier: Apache-2.0
#include "bench/mix/samples.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>

#include "bench/mix/v3_clients.h"

namespace cb::bench {
namespace {

constexpr std::chrono::seconds kBetweenLooks{5};
constexpr timeval kPageTimeout{5, 0};

// The daemon's metrics page; empty when it does not come.
std::string page_of(uint16_t port) {
  const auto fd = connect_plainly("127.0.0.1", port);
  if (!fd) return {};
  ::setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &kPageTimeout, sizeof kPageTimeout);
  const std::string request =
      "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  std::string page;
  std::array<char, 16384> bytes{};
  ssize_t got = ::send(*fd, request.data(), request.size(), MSG_NOSIGNAL);
  while (got > 0) {
    got = ::recv(*fd, bytes.data(), bytes.size(), 0);
    if (got > 0) page.append(bytes.data(), static_cast<size_t>(got));
  }
  ::close(*fd);
  return page;
}

// The sum of all lines that begin so.
double sum_of(const std::string& page, const std::string& beginning) {
  std::istringstream lines(page);
  std::string line;
  double sum = 0;
  while (std::getline(lines, line))
    if (line.compare(0, beginning.size(), beginning) == 0)
      sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
  return sum;
}

}  // namespace

Samples::Samples(const MixPlan& plan)
    : plan_(plan), daemon_(plan.good.daemon), thread_([this] { run(); }) {}

Sample Samples::look() const {
  Sample sample;
  sample.at = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  sample.phase = phase_;
  sample.taken = daemon_.look();
  if (plan_.observe_port == 0) return sample;
  const std::string page = page_of(plan_.observe_port);
  sample.sessions = sum_of(page, "cyberbackup_sessions{");
  sample.buffers = sum_of(page, "cyberbackup_buffers{state=\"out\"}");
  sample.connections = sum_of(page, "cyberbackup_connections{");
  return sample;
}

void Samples::run() {
  std::unique_lock lock(mutex_);
  while (!over_) {
    lock.unlock();
    Sample sample = look();
    lock.lock();
    samples_.push_back(std::move(sample));
    ended_.wait_for(lock, kBetweenLooks, [this] { return over_; });
  }
}

void Samples::end() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  ended_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::vector<Sample> Samples::of(Phase phase) const {
  const std::lock_guard lock(mutex_);
  std::vector<Sample> some;
  for (const Sample& one : samples_)
    if (one.phase == phase) some.push_back(one);
  return some;
}

Status Samples::write(const std::string& file) const {
  const std::lock_guard lock(mutex_);
  std::ofstream out(file);
  out << "seconds\tphase\trss_kib\tfiles\tthreads\tcpu_s\tsessions\tbuffers\tconnections\n";
  for (const Sample& one : samples_)
    out << one.at << '\t' << name_of(one.phase) << '\t'
        << static_cast<uint64_t>(one.taken.resident / 1024) << '\t' << one.taken.descriptors << '\t'
        << one.taken.threads << '\t' << one.taken.cpu << '\t' << one.sessions << '\t' << one.buffers
        << '\t' << one.connections << '\n';
  if (!out.flush()) return failed(Code::io, file, "cannot be written");
  return {};
}

double slope_of(const std::vector<Sample>& samples, double (*value)(const Sample&)) {
  if (samples.size() < 3) return 0;
  const auto count = static_cast<double>(samples.size());
  double mean_at = 0, mean = 0, both = 0, squares = 0;
  for (const Sample& one : samples) {
    mean_at += one.at / count;
    mean += value(one) / count;
  }
  for (const Sample& one : samples) {
    both += (one.at - mean_at) * (value(one) - mean);
    squares += (one.at - mean_at) * (one.at - mean_at);
  }
  return squares == 0 ? 0 : both / squares;
}

}  // namespace cb::bench
