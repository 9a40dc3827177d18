// SPDX-License-Identifier: Apache-2.0
#include "core/server/last_seen.h"

#include <vector>

namespace cb::server {
namespace {

// What is noted within this is written together.
constexpr auto kGathering = std::chrono::milliseconds(500);

}  // namespace

LastSeen::~LastSeen() { close(); }

void LastSeen::start() {
  const std::lock_guard lock(mutex_);
  closing_ = false;
  thread_ = std::thread([this] { run(); });
}

void LastSeen::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    noted_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  flush();
}

void LastSeen::run() {
  std::unique_lock lock(mutex_);
  while (!closing_) {
    noted_.wait(lock, [this] { return closing_ || !seen_.empty(); });
    noted_.wait_for(lock, kGathering, [this] { return closing_; });
    lock.unlock();
    flush();
    lock.lock();
  }
}

void LastSeen::note(const repository::DeviceId& device, int64_t seen_ns) {
  const std::lock_guard lock(mutex_);
  seen_[device] = seen_ns;
  if (seen_.size() == 1) noted_.notify_one();
}

void LastSeen::flush() {
  const std::lock_guard writing(writing_);
  std::vector<catalog::DeviceSeen> all;
  {
    const std::lock_guard lock(mutex_);
    all.reserve(seen_.size());
    for (const auto& [device, seen_ns] : seen_) all.push_back({device.bytes, seen_ns});
    seen_.clear();
  }
  if (all.empty()) return;
  if (const Status done = accounts_.touch_devices(all); !done)
    log_.warn("devices.seen.not-kept", {{"devices", all.size()}, {"why", done.error().text()}});
}

}  // namespace cb::server
