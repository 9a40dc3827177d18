// SPDX-License-Identifier: Apache-2.0
//
// The host's services as a C++ value. Copy it into the plugin's class and its handles; it is valid
// until the instance's destructor returns. All members are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "cyberbackup/base.h"
#include "cyberbackup/cpp/failure.hpp"

namespace cyberbackup::sdk {

// Refers to the cb_host that create was given.
class Host {
 public:
  // `host` lives until the instance is destroyed.
  explicit Host(const cb_host* host) noexcept : host_(host) {}

  // Writes one line of finished text, without newline and secrets. `level` is CB_LOG_*.
  void log(int32_t level, std::string_view text) const {
    host_->log(host_->ctx, level, text.data(), text.size());
  }

  // Fills `out` with bytes fit for keys. Throws Failure; then nothing may be assumed of `out`.
  void random(std::span<std::byte> out) const {
    const cb_status status = host_->random(host_->ctx, out.data(), out.size());
    if (status != CB_OK) throw Failure(status, "the host's random source failed");
  }

  // Nanoseconds of a clock that never goes back; its zero means nothing.
  [[nodiscard]] uint64_t monotonic_ns() const { return host_->monotonic_ns(host_->ctx); }

  // Should the work at hand stop soon with CB_E_CANCELLED?
  [[nodiscard]] bool cancelled() const { return host_->cancelled(host_->ctx) != 0; }

  // A further table by id, or null when this host has none.
  [[nodiscard]] const void* service(const char* id) const {
    return CB_HAS(host_, cb_host, service) ? host_->service(host_->ctx, id) : nullptr;
  }

  // The table itself, for what is not wrapped here.
  [[nodiscard]] const cb_host* raw() const noexcept { return host_; }

 private:
  const cb_host* host_;
};

}  // namespace cyberbackup::sdk
