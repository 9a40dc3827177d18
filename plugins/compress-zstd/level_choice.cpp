// SPDX-License-Identifier: Apache-2.0
#include "level_choice.h"

#include <memory>

#include "contexts.h"

namespace compress_zstd {
namespace {

constexpr size_t kLeast = size_t{256} << 10;   // smaller frames cost little at any level
constexpr size_t kSample = size_t{128} << 10;  // enough for the levels to differ as on the whole
constexpr uint32_t kEvery = 8;

void set_level(ZSTD_CCtx* context, int level) {
  checked_compress(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level));
}

size_t size_at(ZSTD_CCtx* context, int level, std::span<const std::byte> plain,
               std::span<std::byte> out) {
  set_level(context, level);
  return checked_compress(
      ZSTD_compress2(context, out.data(), out.size(), plain.data(), plain.size()));
}

}  // namespace

void LevelChoice::choose(ZSTD_CCtx* context, std::span<const std::byte> plain) {
  int level = level_;
  if (adapts_ && plain.size() >= kLeast) {
    if (frames_++ % kEvery == 0) {
      const auto sample = plain.subspan((plain.size() - kSample) / 2, kSample);
      const size_t room = ZSTD_compressBound(kSample);
      const auto out = std::make_unique_for_overwrite<std::byte[]>(room);
      const size_t fast = size_at(context, 1, sample, {out.get(), room});
      last_ = fast <= size_at(context, level_, sample, {out.get(), room}) ? 1 : level_;
    }
    level = last_;
  }
  set_level(context, level);
}

}  // namespace compress_zstd
