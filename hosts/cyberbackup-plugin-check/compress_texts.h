// SPDX-License-Identifier: Apache-2.0
//
// What the checks of compressors share: texts, and one shots and streams that cross to the plugin
// in guarded memory. Used by one thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/plugin/compress.h"
#include "hosts/cyberbackup-plugin-check/check.h"
#include "hosts/cyberbackup-plugin-check/guarded_memory.h"

namespace cb::check {

// Text of few words in random order, which repeats after 1 MiB.
Bytes words(Subject& subject, size_t size);

struct Sample {
  std::string what;
  Bytes plain;
};
// Nothing, little, zeros, noise, text, and all of these in one; none longer than `size`.
std::vector<Sample> samples(Subject& subject, size_t size);

// One shot into more room than bound() asks for.
Result<Bytes> packed(const plugin::Compress& compress, ByteView plain);
// One shot into `cap` bytes.
Result<Bytes> unpacked(const plugin::Compress& compress, ByteView data, size_t cap);

// What came out of a codec.
struct Streamed {
  Bytes bytes;
  size_t used = 0;
  bool ended = false;  // END came
};

struct Windows {
  size_t in = 0;   // bytes offered at a time
  size_t out = 0;  // room offered at a time
};

// Feeds `in` until `last_op` is done with the last piece, a frame ends, or the input does. Fails
// when a run makes no progress, or when more than `most` bytes come.
Result<Streamed> pump(plugin::Codec& codec, ByteView in, Windows windows, uint32_t last_op,
                      size_t most = SIZE_MAX);

// One frame by a codec of its own.
Result<Bytes> stream_packed(const plugin::Compress& compress, ByteView plain, Windows windows);
// One frame, which must end with the input, by a codec of its own.
Result<Bytes> stream_unpacked(const plugin::Compress& compress, ByteView data, Windows windows);

Bytes joined(const std::vector<Bytes>& parts);

}  // namespace cb::check
