// SPDX-License-Identifier: Apache-2.0
//
// The table of cb.compress/1 made of a class. Thread rules are those of compress.h: the members of
// the plugin class may run in parallel, one Codec is used by one thread at a time.
//
// T has
//   size_t bound(size_t plain_len)                   throws CB_E_LIMIT when too large for one shot
//   size_t compress(span<const byte> in, span<byte> out)     bytes written; CB_E_TOO_SMALL
//   size_t decompress(span<const byte> in, span<byte> out)   bytes written; CB_E_LIMIT,
//   CB_E_CORRUPT
// and for CB_COMPRESS_STREAM
//   unique_ptr<T::Codec> codec_new(uint32_t direction)
//   T::Codec: cb_status run(cb_flow&, uint32_t op), void reset()
#pragma once

#include "cyberbackup/compress.h"
#include "cyberbackup/cpp/guard.hpp"

namespace cyberbackup::sdk {
namespace detail {

template <class T>
struct CompressTable {
  static cb_status bound(cb_instance* instance, size_t plain_len, size_t* result) {
    *result = 0;
    return guard(nullptr, [&] { *result = from_handle<T>(instance).bound(plain_len); });
  }

  // The need is not known before the work is done, so a buffer that is too small is told the bound.
  static cb_status compress(cb_instance* instance, const void* data, size_t len, void* to,
                            size_t cap, size_t* out_len, cb_error* error) {
    T& plugin = from_handle<T>(instance);
    *out_len = 0;
    const cb_status status = guard(error, [&] {
      *out_len = plugin.compress(in(data, len), out(to, cap));
      return *out_len <= cap ? CB_OK : CB_E_INTERNAL;
    });
    if (status == CB_E_TOO_SMALL) bound(instance, len, out_len);
    return status;
  }

  static cb_status decompress(cb_instance* instance, const void* data, size_t len, void* to,
                              size_t cap, size_t* out_len, cb_error* error) {
    *out_len = 0;
    return guard(error, [&] {
      *out_len = from_handle<T>(instance).decompress(in(data, len), out(to, cap));
      return *out_len <= cap ? CB_OK : CB_E_INTERNAL;
    });
  }

  static cb_status codec_new(cb_instance* instance, uint32_t direction, cb_codec** made,
                             cb_error* error) {
    *made = nullptr;
    return guard(error, [&] {
      if (direction != CB_CODEC_COMPRESS && direction != CB_CODEC_DECOMPRESS) {
        throw Failure(CB_E_INVALID, "codec direction is neither compress nor decompress");
      }
      return give(from_handle<T>(instance).codec_new(direction), made);
    });
  }

  static cb_status codec_run(cb_codec* codec, cb_flow* flow, uint32_t op, cb_error* error) {
    flow->in_used = 0;
    flow->out_len = 0;
    return guard(error, [&] { return from_handle<typename T::Codec>(codec).run(*flow, op); });
  }

  static cb_status codec_reset(cb_codec* codec, cb_error* error) {
    return guard(error, [&] { from_handle<typename T::Codec>(codec).reset(); });
  }

  static void codec_free(cb_codec* codec) { end<typename T::Codec>(codec); }

  static constexpr cb_compress_ops make() {
    cb_compress_ops ops{};
    ops.size = sizeof(ops);
    ops.bound = &bound;
    ops.compress = &compress;
    ops.decompress = &decompress;
    if constexpr (requires { typename T::Codec; }) {
      ops.codec_new = &codec_new;
      ops.codec_run = &codec_run;
      ops.codec_reset = &codec_reset;
      ops.codec_free = &codec_free;
    }
    return ops;
  }
};

template <class T>
inline constexpr cb_compress_ops kCompressOps = CompressTable<T>::make();

}  // namespace detail

// The table of class T; lives as long as the module.
template <class T>
constexpr const cb_compress_ops& compress_ops() {
  return detail::kCompressOps<T>;
}

}  // namespace cyberbackup::sdk
