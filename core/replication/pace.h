// SPDX-License-Identifier: Apache-2.0
//
// How fast a replication may take bytes in. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "core/os/clock.h"
#include "core/stream/token_bucket.h"

namespace cb::replication {

class Pace {
 public:
  virtual ~Pace() = default;
  // So many bytes came; waits until more may come. False when the wait was given up.
  virtual bool spend(uint64_t bytes) = 0;
};

// An even rate: after a pause no more than a second's worth is made up for.
class EvenPace final : public Pace {
 public:
  // Bytes a second (stream::kLeastRate at least), as it is in force; 0: as fast as they come.
  using Rate = std::function<uint64_t()>;
  // Sleeps so long; false to give up.
  using Wait = std::function<bool(std::chrono::nanoseconds)>;

  // The clock outlives it.
  EvenPace(Rate rate, const os::Clock& clock, Wait wait)
      : rate_(std::move(rate)), clock_(clock), wait_(std::move(wait)) {}

  bool spend(uint64_t bytes) override;

 private:
  const Rate rate_;
  const os::Clock& clock_;
  const Wait wait_;
  std::optional<stream::TokenBucket> bucket_;  // none: there is no limit
};

}  // namespace cb::replication
