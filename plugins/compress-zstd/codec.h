// SPDX-License-Identifier: Apache-2.0
//
// One stream of frames, in one direction. Used by one thread at a time; must not outlive the
// Contexts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "contexts.h"
#include "cyberbackup/compress.h"

namespace compress_zstd {

class Codec {
 public:
  virtual ~Codec() = default;
  // As codec_run of compress.h. After a failure only reset and the destructor are allowed.
  virtual cb_status run(cb_flow& flow, uint32_t op) = 0;
  virtual void reset() = 0;
};

std::unique_ptr<Codec> make_codec(Contexts& contexts, uint32_t direction);

}  // namespace compress_zstd
