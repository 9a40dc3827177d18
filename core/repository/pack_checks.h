// SPDX-License-Identifier: Apache-2.0
//
// The two checks of packs, against accidents and not malice: CRC-32C over record headers and
// XXH3-128 over contents. crc32c is pure; a Checksum is used by one thread at a time.
#pragma once

#include <array>
#include <memory>

#include "core/base/bytes.h"

namespace cb::repository {

constexpr size_t kChecksumSize = 16;
using ChecksumBytes = std::array<std::byte, kChecksumSize>;

// CRC-32C (Castagnoli), as iSCSI computes it.
uint32_t crc32c(ByteView bytes);

// XXH3-128 of bytes that come in pieces; the result is big-endian, as its authors print it.
class Checksum {
 public:
  Checksum();
  ~Checksum();
  Checksum(Checksum&&) noexcept;
  Checksum& operator=(Checksum&&) noexcept;

  // Starts anew.
  void reset();
  void update(ByteView bytes);
  [[nodiscard]] ChecksumBytes value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cb::repository
