// SPDX-License-Identifier: Apache-2.0
//
// The phases of a run of mixed load, and what is required of it.
#pragma once

#include "bench/mix/plan.h"
#include "core/base/result.h"

namespace cb::bench {

// Runs all phases and prints the figures, one a line. Returns how many limits were missed; an error
// when the run could not begin. Blocks for the plan's time and what log-ins take before.
Result<size_t> run_mix(const MixPlan& plan);

}  // namespace cb::bench
