// SPDX-License-Identifier: Apache-2.0
#include "contexts.h"

#include <zstd_errors.h>

#include <array>
#include <string>

#include "cyberbackup/cpp/failure.hpp"

namespace compress_zstd {
namespace {

namespace sdk = cyberbackup::sdk;

// As many as a host is likely to run at once; a context of level 3 holds a few MiB.
constexpr size_t kIdleMax = 8;

Compressors::Owned make_compressor(const Settings& settings) {
  Compressors::Owned context(ZSTD_createCCtx());
  if (context == nullptr) throw std::bad_alloc();
  const auto set = [&](ZSTD_cParameter parameter, int value) {
    checked_compress(ZSTD_CCtx_setParameter(context.get(), parameter, value));
  };
  set(ZSTD_c_compressionLevel, settings.level);
  set(ZSTD_c_checksumFlag, settings.checksum ? 1 : 0);
  if (settings.window_log != 0) set(ZSTD_c_windowLog, settings.window_log);
  return context;
}

Decompressors::Owned make_decompressor(const Settings& settings) {
  Decompressors::Owned context(ZSTD_createDCtx());
  if (context == nullptr) throw std::bad_alloc();
  checked_decompress(
      ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, settings.max_window_log));
  return context;
}

[[noreturn]] void throw_out_of_memory() {
  throw sdk::Failure(CB_E_NO_MEMORY, "zstd: out of memory", 0, CB_ERROR_RETRY);
}

std::string text_of(size_t result) { return std::string("zstd: ") + ZSTD_getErrorName(result); }

}  // namespace

Contexts::Contexts(const Settings& settings)
    : level_(settings.level),
      compressors_([settings] { return make_compressor(settings); },
                   [](ZSTD_CCtx* context) {
                     return ZSTD_isError(ZSTD_CCtx_reset(context, ZSTD_reset_session_only)) == 0;
                   },
                   kIdleMax),
      decompressors_([settings] { return make_decompressor(settings); },
                     [](ZSTD_DCtx* context) {
                       return ZSTD_isError(ZSTD_DCtx_reset(context, ZSTD_reset_session_only)) == 0;
                     },
                     kIdleMax) {}

size_t checked_compress(size_t result) {
  if (ZSTD_isError(result) == 0) return result;
  switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation:
      throw_out_of_memory();
    case ZSTD_error_dstSize_tooSmall:
    case ZSTD_error_dstBuffer_null:
      throw sdk::Failure(CB_E_TOO_SMALL, "the compressed bytes do not fit the buffer");
    default:
      throw sdk::Failure(CB_E_INTERNAL, text_of(result));
  }
}

size_t checked_decompress(size_t result) {
  if (ZSTD_isError(result) == 0) return result;
  switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation:
      throw_out_of_memory();
    case ZSTD_error_dstSize_tooSmall:
    case ZSTD_error_dstBuffer_null:
      throw sdk::Failure(CB_E_LIMIT, "the data expands beyond the size allowed", 0,
                         CB_ERROR_PERMANENT);
    case ZSTD_error_frameParameter_windowTooLarge:
      throw sdk::Failure(CB_E_LIMIT, "the frame needs a window above the option max_window", 0,
                         CB_ERROR_PERMANENT);
    default:
      throw sdk::Failure(CB_E_CORRUPT, text_of(result), 0, CB_ERROR_PERMANENT);
  }
}

bool may_start_frame(std::span<const std::byte> bytes) {
  constexpr std::array<uint8_t, kMagicSize> kFrame = {0x28, 0xB5, 0x2F, 0xFD};
  constexpr std::array<uint8_t, kMagicSize> kSkippable = {0x50, 0x2A, 0x4D, 0x18};
  bool frame = true;
  bool skippable = true;
  for (size_t i = 0; i < bytes.size() && i < kMagicSize; ++i) {
    const auto byte = std::to_integer<uint8_t>(bytes[i]);
    frame = frame && byte == kFrame[i];
    // The low half of the first byte is the author's to choose.
    skippable = skippable && (i == 0 ? byte >> 4 == kSkippable[0] >> 4 : byte == kSkippable[i]);
  }
  return frame || skippable;
}

}  // namespace compress_zstd
