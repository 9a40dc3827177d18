// SPDX-License-Identifier: Apache-2.0
//
// The ciphertext of one file as it is read: chunk by chunk through the legacy suite, with the
// checksum of the plain bytes on the way. Holds one chunk. Used by one thread at a time; blocks.
#pragma once

#include <cstdint>

#include "core/os/file_system.h"
#include "core/plugin/crypto.h"
#include "core/protocol/v3/cksum.h"

namespace cb::client {

class V3Content {
 public:
  // `size` is what the file had when it was announced; `chunk` the suite's chunk_plain. `file`
  // outlives the content and is read from its start.
  V3Content(os::File& file, std::string name, uint64_t size, plugin::Seal seal, uint32_t chunk);

  // Fills `into` with the next ciphertext and returns its size; less than asked for only at the
  // end, 0 after it. Code::state when the file has become shorter or longer than announced.
  Result<size_t> next(ByteSpan into);

  // Of the plain bytes read so far.
  [[nodiscard]] uint32_t cksum() const { return sum_.value(); }
  [[nodiscard]] uint64_t plain_read() const { return sum_.size(); }

 private:
  Status refill();
  Status read_chunk(ByteSpan into);
  Error changed(const char* how) const;

  os::File& file_;
  std::string name_;
  uint64_t size_;
  plugin::Seal seal_;
  v3::Cksum sum_;
  Bytes plain_;
  Bytes sealed_;
  size_t sealed_at_ = 0;    // what was handed out of sealed_
  size_t sealed_size_ = 0;  // what sealed_ holds
  bool ended_ = false;
};

}  // namespace cb::client
