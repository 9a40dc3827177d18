// SPDX-License-Identifier: Apache-2.0
//
// Whole conversations of protocol v3 against the real session, engine and plugins. What must hold
// is in v3_player.cpp: a file shows after it was confirmed and is what was sent, all else leaves
// nothing behind, and every session ends.
#include "tests/conversation/fuzz_steps.h"
#include "tests/conversation/v3_player.h"

using namespace cb::conversation;

namespace {

// So many conversations share a store; each has clients of its own.
constexpr uint64_t kOfOneStore = 32;

InProcessServer& server() {
  static auto* const made = new InProcessServer({"v3-fuzz"});  // for the whole process
  return *made;
}

}  // namespace

CB_FUZZ_STEPS(0, V3Player::kinds)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static uint64_t count = 0;
  const auto steps = parse_steps(view_of(data, size));
  if (steps.empty()) return 0;
  if (++count % kOfOneStore == 0) server().begin_anew();
  V3Player player(server(), count);
  for (const Step& step : steps) player.play(step);
  player.finish();
  return 0;
}
