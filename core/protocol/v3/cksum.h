// SPDX-License-Identifier: Apache-2.0
//
// The checksum of protocol v3: the POSIX `cksum` value, computed as the bytes come. A Cksum is used
// by one thread at a time.
#pragma once

#include <cstdint>

#include "core/base/bytes.h"

namespace cb::v3 {

class Cksum {
 public:
  // Feeds the next bytes of the file.
  void update(ByteView bytes);

  // The value of what was fed so far; more may be fed afterwards.
  [[nodiscard]] uint32_t value() const;

  // How many bytes were fed.
  [[nodiscard]] uint64_t size() const { return size_; }

 private:
  uint32_t register_ = 0;
  uint64_t size_ = 0;
};

// The value of `bytes` alone.
uint32_t cksum_of(ByteView bytes);

}  // namespace cb::v3
