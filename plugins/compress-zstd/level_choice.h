// SPDX-License-Identifier: Apache-2.0
//
// Chooses between level 1 and the configured one: on log lines and the like level 1 is both faster
// and smaller. One large frame of eight is tried with both, on a sample, and the answer serves for
// those after it. Thread-safe.
#pragma once

#include <zstd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace compress_zstd {

class LevelChoice {
 public:
  // Without `adapt` the answer is always `level`.
  LevelChoice(int level, bool adapt) : level_(level), adapts_(adapt && level > 1), last_(level) {}

  // Sets the level for a frame of `plain`. `context` is idle before and after.
  void choose(ZSTD_CCtx* context, std::span<const std::byte> plain);

 private:
  const int level_;
  const bool adapts_;
  std::atomic<uint32_t> frames_{0};
  std::atomic<int> last_;
};

}  // namespace compress_zstd
