// SPDX-License-Identifier: Apache-2.0
//
// The plugin's settings, its pools of zstd contexts, and the meaning of zstd's errors here.
// Thread-safe after construction.
#pragma once

#include <zstd.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "context_pool.h"

namespace compress_zstd {

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};
struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

using Compressors = ContextPool<ZSTD_CCtx, FreeCompressor>;
using Decompressors = ContextPool<ZSTD_DCtx, FreeDecompressor>;

struct Settings {
  int level = 3;
  int window_log = 0;       // of frames written; 0 = what the level chooses
  int max_window_log = 27;  // of frames read as a stream
  bool checksum = true;
  bool adapt = true;  // level 1 for what it makes as small as `level`
};

class Contexts {
 public:
  explicit Contexts(const Settings& settings);

  Compressors::Lease compressor() { return compressors_.lease(); }
  [[nodiscard]] int level() const { return level_; }
  Decompressors::Lease decompressor() { return decompressors_.lease(); }

 private:
  int level_;
  Compressors compressors_;
  Decompressors decompressors_;
};

// Throw the Failure that a zstd result means, if it is an error; else they return the result.
size_t checked_compress(size_t result);
size_t checked_decompress(size_t result);

// Whether `bytes` (up to 4, from the start of a frame) agree with a frame or skippable frame of the
// format of RFC 8878. The library would also take the formats from before it was frozen.
bool may_start_frame(std::span<const std::byte> bytes);

inline constexpr size_t kMagicSize = 4;

}  // namespace compress_zstd
