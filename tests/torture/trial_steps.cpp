// SPDX-License-Identifier: Apache-2.0
//
// Prints the named steps at which a trial can kill a process, one a line.
#include <cstdio>

#include "core/base/trial.h"

int main() {
  for (const std::string_view step : cb::trial::kSteps)
    std::printf("%.*s\n", static_cast<int>(step.size()), step.data());
  return 0;
}
