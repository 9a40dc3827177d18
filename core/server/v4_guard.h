// SPDX-License-Identifier: Apache-2.0
//
// What keeps strangers of protocol v4 from trying for ever: a rate for each address, waits after
// failures, and few passwords checked at one time. What can be guessed (a password) is not even
// looked at while its account or the address is locked out; what cannot (a signature, a proof, a
// token) is looked at always, so that no stranger locks an honest device out. Thread-safe; does not
// block.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/server/lock_out.h"
#include "core/server/rate_limit.h"
#include "core/server/v4_settings.h"

namespace cb::server {

// The part of a peer's address that counts: "192.0.2.1" of "192.0.2.1:4711", the /64 of IPv6.
std::string network_of(const std::string& peer);

class V4Guard {
 public:
  V4Guard(const os::Clock& clock, const V4Settings& settings);
  void reconfigure(const V4Settings& settings);

  // A hello, or one more try on the same connection. Code::busy when there were too many.
  Status admit(const std::string& network);

  // A place among the passwords that are checked now; free when it goes.
  class Place {
   public:
    explicit Place(std::shared_ptr<std::atomic<uint32_t>> taken) : taken_(std::move(taken)) {}
    Place(Place&&) noexcept = default;
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (taken_) --*taken_;
    }

   private:
    std::shared_ptr<std::atomic<uint32_t>> taken_;
  };
  // Before a password is looked at; counts as a failure until password_was_right. Code::busy with
  // the time to wait.
  Result<Place> begin_password(const std::string& account, const std::string& network);
  void password_was_right(const std::string& account, const std::string& network);

  // A signature, a proof or a token was wrong. Returns what to answer: `why`, or Code::busy with
  // the time to wait once that was too often.
  Error proof_failed(const std::string& subject, const std::string& network, Error why);

  // How many tries were refused because of a wait.
  [[nodiscard]] uint64_t locked_out() const { return locked_out_; }

 private:
  Error busy(const std::string& subject, std::chrono::nanoseconds wait);

  RateLimit rate_;
  LockOut accounts_;   // passwords of accounts
  LockOut subjects_;   // devices, invites, tokens
  LockOut addresses_;  // both
  std::atomic<uint32_t> most_passwords_;
  std::shared_ptr<std::atomic<uint32_t>> passwords_;  // that are checked now
  std::atomic<uint64_t> locked_out_{0};
};

}  // namespace cb::server
