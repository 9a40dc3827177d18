// SPDX-License-Identifier: Apache-2.0
//
// A compression plugin as C++ sees it: every call goes through the gate. A Compress may be used by
// several threads, each Codec by one at a time. Handles keep their instance alive.
#pragma once

#include <cstdint>
#include <memory>

#include "core/base/bytes.h"
#include "cyberbackup/compress.h"

namespace cb::plugin {

class Instance;

enum class CodecStep { ok, more, end };

struct CodecRun {
  CodecStep step = CodecStep::ok;
  size_t used = 0;     // input bytes
  size_t written = 0;  // output bytes
};

class Codec {
 public:
  Codec(std::shared_ptr<Instance> instance, cb_codec* handle);
  Codec(Codec&& other) noexcept;
  Codec& operator=(Codec&& other) noexcept;
  ~Codec();

  // `op` is CB_CODEC_GO, FLUSH or FINISH.
  Result<CodecRun> run(ByteView in, ByteSpan out, uint32_t op);
  Status reset();

 private:
  std::shared_ptr<Instance> instance_;
  cb_codec* handle_ = nullptr;
};

class Compress {
 public:
  // The instance's interface is cb.compress/1 (the registry checks).
  explicit Compress(std::shared_ptr<Instance> instance);

  Result<size_t> bound(size_t plain_size) const;
  // Both return the bytes written. Code::too_small / Code::limit when `out` is too short.
  Result<size_t> compress(ByteView plain, ByteSpan out) const;
  Result<size_t> decompress(ByteView packed, ByteSpan out) const;
  // `direction` is CB_CODEC_COMPRESS or CB_CODEC_DECOMPRESS.
  Result<Codec> codec(uint32_t direction) const;

  [[nodiscard]] uint64_t capabilities() const;
  [[nodiscard]] const std::shared_ptr<Instance>& instance() const { return instance_; }

 private:
  std::shared_ptr<Instance> instance_;
};

}  // namespace cb::plugin
