// SPDX-License-Identifier: Apache-2.0
//
// What a fuzzer's input means to a stateful target: a list of steps, each of a kind and a few small
// numbers, some with bytes of their own. Any bytes are a list; so whatever is changed in one stays
// a conversation. Functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/bytes.h"

namespace cb::conversation {

constexpr size_t kMostSteps = 48;       // what follows is not looked at
constexpr size_t kMostStepBytes = 600;  // of one step's own

// In the input 8 bytes: kind, a, b, c, x (little-endian), y; the highest bit of the kind says that
// two bytes of length and so many bytes follow.
struct Step {
  uint8_t kind = 0;  // below 128
  uint8_t a = 0, b = 0, c = 0;
  uint16_t x = 0, y = 0;
  bool has_bytes = false;
  Bytes bytes;
};

std::vector<Step> parse_steps(ByteView input);
Bytes write_steps(const std::vector<Step>& steps);

// "3 a=1 b=0 c=7 x=12 y=0 bytes=00ff": for people who look at a finding.
std::string text_of(const Step& step);

// Changes the list in one or more places, of at most `most` bytes; kinds are below `kinds`. Steps
// are added, doubled, dropped, swapped, moved, and their numbers and bytes changed.
Bytes mutate_steps(ByteView input, size_t most, uint32_t seed, uint8_t kinds);
// The beginning of one and the end of another.
Bytes cross_steps(ByteView one, ByteView other, size_t most, uint32_t seed);

}  // namespace cb::conversation
