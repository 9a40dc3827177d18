// SPDX-License-Identifier: Apache-2.0
//
// The guess is made from a histogram of 2,048 bytes taken from all over the frame.
#include "core/repository/shrink_probe.h"

#include <algorithm>
#include <array>

namespace cb::repository {
namespace {

constexpr size_t kSamples = 2048;
constexpr size_t kRun = 32;  // neighbouring bytes in a sample: cheap to load
constexpr unsigned kPassOver = 15;
constexpr unsigned kTrust = 16;

}  // namespace

bool looks_random(ByteView frame) {
  if (frame.size() < kSamples) return false;
  std::array<uint32_t, 256> count{};
  const size_t stride = frame.size() / (kSamples / kRun);
  for (size_t run = 0; run < kSamples / kRun; ++run) {
    const std::byte* from = frame.data() + run * stride;
    for (size_t i = 0; i < kRun; ++i) ++count[static_cast<uint8_t>(from[i])];
  }
  uint64_t squares = 0;
  for (const uint64_t c : count) squares += c * c;
  // Random bytes give n + n(n-1)/256 = 18,424 with a deviation of 181; text gives five times that.
  constexpr uint64_t kEven = 19'500;
  return squares < kEven;
}

bool ShrinkProbe::worth_trying(ByteView frame) {
  if (!looks_random(frame)) return true;
  if (trust_ > 0) {
    --trust_;
    return true;
  }
  if (skip_ == 0) return true;
  --skip_;
  return false;
}

void ShrinkProbe::tried(bool shrank) {
  skip_ = kPassOver;
  if (shrank) trust_ = kTrust;
}

}  // namespace cb::repository
