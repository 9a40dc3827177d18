// SPDX-License-Identifier: Apache-2.0
//
// Randomness fit for keys, injected so that tests can script it or make it fail. Implementations
// are thread-safe.
#pragma once

#include "core/base/bytes.h"

namespace cb::os {

class Random {
 public:
  virtual ~Random() = default;

  // Fills all of `out`, or fails; then nothing may be assumed of `out`.
  virtual Status fill(ByteSpan out) = 0;
};

// The system's generator (getrandom). Lives for ever.
Random& system_random();

}  // namespace cb::os
