// SPDX-License-Identifier: Apache-2.0
#include "codec.h"

#include <algorithm>

#include "cyberbackup/cpp/failure.hpp"

namespace compress_zstd {
namespace {

namespace sdk = cyberbackup::sdk;

// Where one run stands, in the library's words; hands the counts back whatever happens.
class Window {
 public:
  explicit Window(cb_flow& flow)
      : flow_(flow), in{flow.in, flow.in_len, 0}, out{flow.out, flow.out_cap, 0} {}
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  ~Window() {
    flow_.in_used = in.pos;
    flow_.out_len = out.pos;
  }

  [[nodiscard]] bool used_up() const { return in.pos == in.size; }
  [[nodiscard]] bool full() const { return out.pos == out.size; }

 private:
  cb_flow& flow_;

 public:
  ZSTD_inBuffer in;
  ZSTD_outBuffer out;
};

// Refuses every use after a failure: what the library does then is not defined.
class Soundness {
 public:
  void begin() {
    if (broken_) throw sdk::Failure(CB_E_STATE, "the codec failed before and needs a reset");
    broken_ = true;
  }
  void done() { broken_ = false; }

 private:
  bool broken_ = false;
};

class CompressCodec final : public Codec {
 public:
  explicit CompressCodec(Contexts& contexts) : context_(contexts.compressor()) {
    // Whoever had the context before may have chosen another.
    checked_compress(
        ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, contexts.level()));
  }

  cb_status run(cb_flow& flow, uint32_t op) override {
    if (op > CB_CODEC_FINISH) throw sdk::Failure(CB_E_INVALID, "unknown operation of a codec");
    sound_.begin();
    const cb_status status = op == CB_CODEC_GO ? take(flow) : drain(flow, op);
    sound_.done();
    return status;
  }

  void reset() override {
    checked_compress(ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_only));
    sound_.done();
  }

 private:
  cb_status take(cb_flow& flow) {
    Window window(flow);
    while (!window.used_up()) {
      const size_t before = window.in.pos + window.out.pos;
      checked_compress(
          ZSTD_compressStream2(context_.get(), &window.out, &window.in, ZSTD_e_continue));
      if (window.in.pos + window.out.pos == before) break;
    }
    return window.used_up() ? CB_OK : CB_MORE;
  }

  cb_status drain(cb_flow& flow, uint32_t op) {
    const ZSTD_EndDirective directive = op == CB_CODEC_FLUSH ? ZSTD_e_flush : ZSTD_e_end;
    Window window(flow);
    size_t left = 0;
    do {
      left = checked_compress(
          ZSTD_compressStream2(context_.get(), &window.out, &window.in, directive));
    } while (left != 0 && !window.full());
    return left == 0 ? CB_OK : CB_MORE;
  }

  Compressors::Lease context_;
  Soundness sound_;
};

class DecompressCodec final : public Codec {
 public:
  explicit DecompressCodec(Contexts& contexts) : context_(contexts.decompressor()) {}

  cb_status run(cb_flow& flow, uint32_t op) override {
    if (op != CB_CODEC_GO) throw sdk::Failure(CB_E_INVALID, "decompression only goes on");
    sound_.begin();
    const cb_status status = expand(flow);
    sound_.done();
    return status;
  }

  void reset() override {
    checked_decompress(ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only));
    magic_seen_ = 0;
    sound_.done();
  }

 private:
  cb_status expand(cb_flow& flow) {
    if (flow.in_len == 0 && magic_seen_ == 0) return CB_OK;
    const size_t known = peek_magic(flow);
    Window window(flow);
    size_t hint = 1;
    do {
      const size_t before = window.in.pos + window.out.pos;
      hint = checked_decompress(ZSTD_decompressStream(context_.get(), &window.out, &window.in));
      if (window.in.pos + window.out.pos == before) break;
    } while (hint != 0 && !window.full() && !window.used_up());
    magic_seen_ = hint == 0 ? 0 : std::min(known, magic_seen_ + window.in.pos);
    if (hint == 0) return CB_END;
    return window.full() ? CB_MORE : CB_OK;
  }

  // Looks at the first bytes of a frame before the library does; returns how many are known then.
  size_t peek_magic(const cb_flow& flow) {
    const auto* bytes = static_cast<const std::byte*>(flow.in);
    const size_t more = std::min(flow.in_len, kMagicSize - magic_seen_);
    std::copy_n(bytes, more, magic_.begin() + static_cast<std::ptrdiff_t>(magic_seen_));
    const size_t known = magic_seen_ + more;
    if (!may_start_frame({magic_.data(), known})) {
      throw sdk::Failure(CB_E_CORRUPT, "not a zstd frame", 0, CB_ERROR_PERMANENT);
    }
    return known;
  }

  Decompressors::Lease context_;
  Soundness sound_;
  std::array<std::byte, kMagicSize> magic_{};
  size_t magic_seen_ = 0;  // bytes of the present frame's magic that the library has taken
};

}  // namespace

std::unique_ptr<Codec> make_codec(Contexts& contexts, uint32_t direction) {
  if (direction == CB_CODEC_COMPRESS) return std::make_unique<CompressCodec>(contexts);
  return std::make_unique<DecompressCodec>(contexts);
}

}  // namespace compress_zstd
