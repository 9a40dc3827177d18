// SPDX-License-Identifier: Apache-2.0
//
// Whole conversations of protocol v4 against the real session, engine and plugins: up to two
// connections of one account's devices, right, wrong and in pieces. What must hold is in
// v4_talk.cpp and v4_player.cpp.
#include "tests/conversation/fuzz_steps.h"
#include "tests/conversation/v4_player.h"

using namespace cb::conversation;

namespace {

V4World& world() {
  static V4World made;
  return made;
}

InProcessServer& server() {
  // For the whole process: at its end libraries are gone that it would need.
  static auto* const made =
      new InProcessServer({"v4-fuzz", [](InProcessServer& self) { world().prepare(self); },
                           [](cb::server::Settings& settings) {
                             settings.v4.login_tries =
                                 1'000'000;  // the waits would be all that is seen
                           }});
  return *made;
}

}  // namespace

CB_FUZZ_STEPS(0, V4Player::kinds)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static uint64_t count = 0;
  const auto steps = parse_steps(view_of(data, size));
  if (steps.empty()) return 0;
  server();
  // Each conversation has an account of its own; then all are as in the beginning.
  if (++count % V4World::kAccounts == 0) server().begin_anew();
  V4Player player(server(), world(), count);
  for (const Step& step : steps) player.play(step);
  player.finish();
  return 0;
}
