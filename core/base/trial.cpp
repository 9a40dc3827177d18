// SPDX-License-Identifier: Apache-2.0
//
// See trial.h.
#include "core/base/trial.h"

#ifdef CYBERBACKUP_TRIALS

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

namespace cb::trial {
namespace {

struct Death {
  std::string step;
  std::atomic<unsigned long> passes_left = 1;
  Death() {
    const char* text = std::getenv("CYBERBACKUP_DIE_AT");
    step = text != nullptr ? text : "";
    const size_t colon = step.find(':');
    if (colon == std::string::npos) return;
    passes_left = std::strtoul(step.c_str() + colon + 1, nullptr, 10);
    step.resize(colon);
  }
};

}  // namespace

void passed(Named<kSteps> step) {
  static Death death;
  if (step.view() == death.step && death.passes_left.fetch_sub(1) == 1) ::kill(::getpid(), SIGKILL);
}

std::chrono::seconds clock_ahead() {
  static const char* const text = std::getenv("CYBERBACKUP_CLOCK_AHEAD");
  static const std::chrono::seconds ahead(text != nullptr ? std::strtoll(text, nullptr, 10) : 0);
  return ahead;
}

bool is_broken(Named<kProtections> protection) {
  static const char* const broken = std::getenv("CYBERBACKUP_BREAK");
  return broken != nullptr && protection.view() == broken;
}

}  // namespace cb::trial

#else

namespace cb::trial {

void passed(Named<kSteps> /*step*/) {}
std::chrono::seconds clock_ahead() { return {}; }
bool is_broken(Named<kProtections> /*protection*/) { return false; }

}  // namespace cb::trial

#endif
