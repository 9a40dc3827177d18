// SPDX-License-Identifier: Apache-2.0
//
// SealedUpload: plain bytes in, frames compressed, chunks sealed, one object in the store. Keeps
// one frame and one chunk; what compression and sealing write goes to memory that each thread has
// once. For one thread at a time.
#pragma once

#include "core/repository/shrink_probe.h"
#include "core/repository/upload.h"

namespace cb::repository {

// Sizes that the crypto plugin gave.
struct ChunkSizes {
  size_t plain = 0;
  size_t overhead = 0;
};

class SealedUpload final : public Upload {
 public:
  // Takes over a put to which the header has been written (`header_size` bytes).
  SealedUpload(std::string name, plugin::Put put, plugin::Seal seal,
               const plugin::Compress* compress, ChunkSizes sizes, uint64_t header_size);

  Status write(ByteView plain) override;
  Status commit() override;
  [[nodiscard]] const std::string& object_name() const override { return name_; }
  [[nodiscard]] uint64_t stored_size() const override { return stored_size_; }

 private:
  Status take(ByteView plain);
  Status add_frame(ByteView plain);
  Status append(ByteView sealed_plaintext);
  Status seal_chunk(bool last);
  [[nodiscard]] Status check_usable() const;

  std::string name_;
  plugin::Put put_;
  plugin::Seal seal_;
  const plugin::Compress* compress_;
  ChunkSizes sizes_;
  ShrinkProbe probe_;
  Bytes frame_;  // plain bytes of the frame that is not full yet
  Bytes chunk_;  // sealed plaintext of the chunk that is not sealed yet
  uint64_t stored_size_;
  bool spent_ = false;
};

}  // namespace cb::repository
