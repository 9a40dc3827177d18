// SPDX-License-Identifier: Apache-2.0
//
// One of a number of places, for as long as it lives. Thread-safe; the count outlives it.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

namespace cb::server {

class HeldPlace {
 public:
  // Nothing when all are taken.
  static std::optional<HeldPlace> take(std::atomic<uint32_t>& taken, uint32_t places) {
    uint32_t now = taken;
    while (now < places)
      if (taken.compare_exchange_weak(now, now + 1)) return HeldPlace(taken);
    return std::nullopt;
  }
  HeldPlace(HeldPlace&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
  HeldPlace& operator=(HeldPlace&&) = delete;
  ~HeldPlace() {
    if (taken_ != nullptr) --*taken_;
  }

 private:
  explicit HeldPlace(std::atomic<uint32_t>& taken) : taken_(&taken) {}

  std::atomic<uint32_t>* taken_;
};

}  // namespace cb::server
