// SPDX-License-Identifier: Apache-2.0
//
// The plugin compress-zstd: Zstandard (RFC 8878) behind cb.compress/1. Thread-safe: each call
// leases a context of its own.
#include <bit>
#include <string>

#include "codec.h"
#include "contexts.h"
#include "cyberbackup/cpp/compress.hpp"
#include "cyberbackup/cpp/entry.hpp"
#include "level_choice.h"

namespace compress_zstd {
namespace {

namespace sdk = cyberbackup::sdk;

// Positions of the options below.
enum : size_t { kLevel, kWindow, kMaxWindow, kChecksum, kAdapt };

constexpr cb_option kOptions[] = {
    {"level", "Effort: 1 is fastest, 19 makes the smallest output.", "3", nullptr, 1, 19,
     CB_OPTION_INT, 0},
    {"window",
     "How far back the compressor looks for repetitions, a power of two; left out, the level "
     "chooses.",
     nullptr, nullptr, 1024, 134217728, CB_OPTION_SIZE, CB_OPTION_ADVANCED},
    {"max_window",
     "Memory that a compressed stream may demand of the reader, a power of two; frames that need "
     "more are refused.",
     "128MiB", nullptr, 8388608, 1073741824, CB_OPTION_SIZE, CB_OPTION_ADVANCED},
    {"checksum", "Whether each frame carries a checksum of its contents.", "true", nullptr, 0, 0,
     CB_OPTION_BOOL, CB_OPTION_ADVANCED},
    {"adapt",
     "Whether large frames are made with level 1 where a sample says that it makes them as small.",
     "true", nullptr, 0, 0, CB_OPTION_BOOL, CB_OPTION_ADVANCED},
};

int log_of_size(const sdk::Config& config, size_t option) {
  const auto size = static_cast<uint64_t>(config.number(option));
  if (!std::has_single_bit(size)) {
    throw sdk::Failure(CB_E_INVALID, std::string(kOptions[option].key) + " = " +
                                         std::to_string(size) + ": not a power of two");
  }
  return std::countr_zero(size);
}

Settings settings_of(const sdk::Config& config) {
  Settings settings;
  settings.level = static_cast<int>(config.number(kLevel));
  settings.window_log = config.is_set(kWindow) ? log_of_size(config, kWindow) : 0;
  settings.max_window_log = log_of_size(config, kMaxWindow);
  settings.checksum = config.boolean(kChecksum);
  settings.adapt = config.boolean(kAdapt);
  if (settings.window_log > settings.max_window_log) {
    throw sdk::Failure(CB_E_INVALID, "window is larger than max_window: nobody could read back");
  }
  return settings;
}

class Plugin {
 public:
  using Codec = compress_zstd::Codec;
  using In = std::span<const std::byte>;
  using Out = std::span<std::byte>;

  Plugin(const sdk::Host&, const sdk::Config& config) : Plugin(settings_of(config)) {}

  static void check(const sdk::Config& config) { settings_of(config); }

  size_t bound(size_t plain_len) const {
    const size_t most = ZSTD_compressBound(plain_len);
    if (ZSTD_isError(most) != 0 || most < plain_len) {
      throw sdk::Failure(CB_E_LIMIT, "too large to compress in one shot", 0, CB_ERROR_PERMANENT);
    }
    return most;
  }

  size_t compress(In in, Out out) {
    const auto context = contexts_.compressor();
    level_.choose(context.get(), in);
    return checked_compress(
        ZSTD_compress2(context.get(), out.data(), out.size(), in.data(), in.size()));
  }

  // Frame by frame, so that only frames of the present format reach the library.
  size_t decompress(In in, Out out) {
    if (in.empty()) throw sdk::Failure(CB_E_CORRUPT, "no frame", 0, CB_ERROR_PERMANENT);
    const auto context = contexts_.decompressor();
    size_t written = 0;
    while (!in.empty()) {
      if (in.size() < kMagicSize || !may_start_frame(in.first(kMagicSize))) {
        throw sdk::Failure(CB_E_CORRUPT, "not a zstd frame", 0, CB_ERROR_PERMANENT);
      }
      const size_t frame = checked_decompress(ZSTD_findFrameCompressedSize(in.data(), in.size()));
      const Out room = out.subspan(written);
      written += checked_decompress(
          ZSTD_decompressDCtx(context.get(), room.data(), room.size(), in.data(), frame));
      in = in.subspan(frame);
    }
    return written;
  }

  std::unique_ptr<Codec> codec_new(uint32_t direction) { return make_codec(contexts_, direction); }

 private:
  explicit Plugin(const Settings& settings)
      : contexts_(settings), level_(settings.level, settings.adapt) {}

  Contexts contexts_;
  LevelChoice level_;
};

constexpr cb_descriptor kDescriptor =
    sdk::describe<Plugin>({.id = "compress-zstd",
                           .interface_id = CB_COMPRESS_INTERFACE,
                           .version = CB_PLUGIN_VERSION,
                           .vendor = "CyberBackup",
                           .license = "Apache-2.0",
                           .summary = "Zstandard compression (RFC 8878)",
                           .status = "alpha",
                           .posture = "untrusted-peer",
                           .capabilities = CB_COMPRESS_STREAM},
                          kOptions, sdk::compress_ops<Plugin>());

}  // namespace
}  // namespace compress_zstd

CB_PLUGIN_ENTRY(compress_zstd::kDescriptor)
